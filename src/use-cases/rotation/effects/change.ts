import { wayBackOf } from '../../../domain/rotation/way-back.js'
import { changeUsers } from '../cells/change.js'
import { giveDeleted } from '../cells/give-deleted.js'
import type { RotationRun } from '../run/rotation-run.js'
import { advising } from '../survey/unreachable.js'
import { refuseChange } from './rehearse.js'

/**
 * Changes the password on one unit of the source: the first to hold it. A user that was deleted there since is copied back
 * from where the new credential is held already.
 * @throws {Pause} `SYNC_REFUSED` where copies alone are wanted, and were seen not to bring it to the rest
 */
export const change = (run: RotationRun): Promise<void> => advising(run, () => changeFirst(run))

const changeFirst = async (run: RotationRun): Promise<void> => {
  const { first } = run.plan.parts
  const { copies, propagation } = run.ledger
  const isNothingNew = run.ledger.cells().every(({ user, hsmId }) => !run.ledger.mayBeNew(user, hsmId))
  const isStuck = run.parts.options.propagate === 'sync' && propagation === null && !wayBackOf(run.ledger).bySync
  if (copies !== null && isStuck && isNothingNew) refuseChange(copies.evidence)
  await run.beforeChange()
  await giveDeleted(run, first)
  await changeUsers(run, first, run.notNew(first), 'new')
}
