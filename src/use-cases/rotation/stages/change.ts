import { changeCells } from '../cell-work.js'
import type { RotationRun } from '../rotation-run.js'

/** Changes the password on one source HSM: the first one to hold it. */
export const change = (run: RotationRun): Promise<void> => {
  const { first } = run.plan.parts
  return changeCells(run, first, run.notNew(first), 'new')
}
