import { changeCells } from '../cell-work.js'
import type { RotationRun } from '../rotation-run.js'

/** Changes the password on one unit of the source: the first to hold it. */
export const change = async (run: RotationRun): Promise<void> => {
  const { first } = run.plan.parts
  await run.beforeChange()
  await changeCells(run, first, run.notNew(first), 'new')
}
