import { give } from '../cells/give.js'
import type { RotationRun } from '../run/rotation-run.js'
import { onEach } from '../survey/unreachable.js'

/** Gives HSMs that joined after the rotation was through the credential that all others hold. */
export const giveJoined = async (run: RotationRun): Promise<void> => {
  const units = run.units.filter((unitId) => run.notNew(unitId).length > 0)
  await onEach(run, units, (unitId) => give(run, unitId, run.notNew(unitId), { credential: 'new', method: 'change' }))
}
