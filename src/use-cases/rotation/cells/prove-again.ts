import type { UnitId } from '../../../domain/ids.js'
import type { RotationRun } from '../run/rotation-run.js'
import { give } from './give.js'
import { prove } from './prove.js'

/**
 * Makes the proofs of an earlier invocation again, each by one login. A cell that refuses what it was proved to hold was
 * changed by somebody else.
 * @throws {Pause} `OTHER_CREDENTIAL` without the operator's consent to overwrite it
 */
export const proveAgain = async (run: RotationRun, unitId: UnitId): Promise<void> => {
  const refused = await prove(run, unitId, run.staleNew(unitId), 'new')
  await give(run, unitId, refused, { credential: 'new', method: 'change' })
}
