import type { UnitId } from '../../../domain/ids.js'
import type { PlannedUser } from '../../../domain/rotation/plan.js'
import type { RotationRun } from '../run/rotation-run.js'

/**
 * Whether a user cannot be copied to a unit because wherever else it holds the new credential somebody has made it anew: it
 * has another ID there than planned.
 */
export const isBarred = (run: RotationRun, target: UnitId, user: PlannedUser): boolean => {
  const holding = run.units.filter((unitId) => unitId !== target && !run.notNew(unitId).includes(user))
  return holding.length > 0 && holding.every((unitId) => run.hasOtherId(unitId, user.key))
}
