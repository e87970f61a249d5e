import { giveMissing } from '../cells/give.js'
import type { RotationRun } from '../run/rotation-run.js'

/** Gives HSMs that joined after the rotation was through the credential that all others hold. */
export const giveJoined = (run: RotationRun): Promise<void> => giveMissing(run, run.units, 'change')
