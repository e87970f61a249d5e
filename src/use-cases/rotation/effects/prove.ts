import { changeUsers } from '../cells/change.js'
import { refusedAfterWrite } from '../cells/give.js'
import { giveDeleted } from '../cells/give-deleted.js'
import { prove as proveUsers } from '../cells/prove.js'
import type { RotationRun } from '../run/rotation-run.js'
import { advising } from '../survey/unreachable.js'

/**
 * The users log in with the new credential on the unit that was changed first. An earlier invocation's login is not
 * enough: the copies of the next stage are made from here.
 */
export const prove = (run: RotationRun): Promise<void> => advising(run, () => proveFirst(run))

const proveFirst = async (run: RotationRun): Promise<void> => {
  const { first } = run.plan.parts
  await giveDeleted(run, first)
  const unproved = run.users.filter((user) => !run.isProvedNow(first, [user]))
  // A cluster of which some HSM may not have been given it is given it again rather than asked: one that joined since, or
  // whose answer never came.
  const doubtful = unproved.filter((user) =>
    run
      .servers(first)
      .some(({ hsmId }) => !run.ledger.isWritten(user.key, hsmId) && run.ledger.cell(user.key, hsmId).state !== 'new'),
  )
  await changeUsers(run, first, doubtful, 'new')
  const refused = await proveUsers(run, first, unproved, 'new')
  if (refused.length > 0) throw refusedAfterWrite(run, first, refused, 'new')
}
