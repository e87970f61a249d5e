import { newRefused, proveCells } from '../cell-work.js'
import type { RotationRun } from '../rotation-run.js'

/** The users log in with the new credential on the HSM that was changed first. */
export const prove = async (run: RotationRun): Promise<void> => {
  const { first } = run.plan.parts
  const refused = await proveCells(run, first, run.notNew(first), 'new')
  if (refused.length > 0) throw newRefused(run, first, refused)
}
