import { giveMissing } from '../cells/give.js'
import { proveAgain } from '../cells/prove-again.js'
import type { RotationRun } from '../run/rotation-run.js'
import { onEach } from '../survey/unreachable.js'

/** Gives HSMs that joined since what all others hold, and proves of these again what is stated of them. */
export const giveJoined = async (run: RotationRun): Promise<void> => {
  await giveMissing(run, run.units, 'change')
  await onEach(run, run.units, (unitId) => proveAgain(run, unitId))
}
