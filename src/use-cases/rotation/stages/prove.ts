import { changeCells, newRefused, proveCells } from '../cell-work.js'
import type { RotationRun } from '../rotation-run.js'

/**
 * The users log in with the new credential on the unit that was changed first. An earlier invocation's login is not
 * enough: the copies of the next stage are made from here.
 */
export const prove = async (run: RotationRun): Promise<void> => {
  const { first } = run.plan.parts
  const unproved = run.users.filter((user) => !run.provedEverywhere(first, [user]))
  // One that refused it in an earlier run is given it again rather than asked again; so is a cluster of which some HSM may
  // not have been given it: one that joined since, or whose answer never came.
  const doubtful = unproved.filter((user) =>
    run
      .servers(first)
      .some(({ hsmId }) => run.ledger.refused(user.key, hsmId).size > 0 || !run.ledger.isWritten(user.key, hsmId)),
  )
  await changeCells(run, first, doubtful, 'new')
  const refused = await proveCells(run, first, unproved, 'new')
  if (refused.length > 0) throw newRefused(run, first, refused)
}
