import { wayBackOf } from '../../../domain/rotation/way-back.js'
import { give } from '../cells/give.js'
import type { RotationRun } from '../run/rotation-run.js'
import { advising } from '../survey/unreachable.js'

/** The last unit follows. Until here it could give the old credential back. */
export const restorePoint = (run: RotationRun): Promise<void> => advising(run, () => followLast(run))

const followLast = async (run: RotationRun): Promise<void> => {
  const { restorePoint: unitId } = run.plan.parts
  const { bySync, byCurrent } = wayBackOf(run.ledger)
  // Where it was given a new credential that the store has lost since, it holds the old one no more.
  const isOld = run.servers(unitId).every(({ hsmId }) => run.users.some(({ key }) => run.ledger.holdsOld(key, hsmId)))
  if (bySync && !byCurrent && isOld) run.notice(`point of no return: ${unitId} is the last to hold the old credential`)
  const method = run.propagation
  await give(run, unitId, run.notNew(unitId), { credential: 'new', method })
  run.parts.progress({ kind: 'step', stage: 'restore-point', unitId, text: 'followed' })
}
