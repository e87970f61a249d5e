import type { UnitId } from '../../../domain/ids.js'
import { isProofStale } from '../../../domain/rotation/procedures/roll-back.js'
import { give } from '../cells/give.js'
import { prove } from '../cells/prove.js'
import type { RotationRun } from '../run/rotation-run.js'
import { refuseAddedHsms } from '../survey/aws-comparison.js'
import { onEach } from '../survey/unreachable.js'
import { refuseAway } from './restore.js'

/**
 * Reads again what was given back: cells that logged in with the current credential in an earlier invocation do so once
 * more, and AWS is asked whether an HSM was added meanwhile.
 */
export const verifyBack = async (run: RotationRun): Promise<void> => {
  run.takeAllInSight()
  await onEach(run, run.units, (unitId) => proveBackAgain(run, unitId))
  await refuseAddedHsms(run)
  refuseAway(run, (cell) => isProofStale(run.ledger, cell), 'has to be read again')
}

/**
 * Cells of a unit that logged in with the current credential in an earlier invocation do so once more.
 * @throws {Pause} `OTHER_CREDENTIAL` without the operator's consent to overwrite what somebody has changed since
 */
export const proveBackAgain = async (run: RotationRun, unitId: UnitId): Promise<void> => {
  const stale = run.users.filter(({ key: user }) =>
    run.servers(unitId).some(({ hsmId }) => isProofStale(run.ledger, { user, hsmId })),
  )
  const refused = await prove(run, unitId, stale, 'current')
  await give(run, unitId, refused, { credential: 'current', method: 'change' })
}
