import type { RotationRun } from '../run/rotation-run.js'

/** Removes PENDING: no HSM holds it any more. A repair has none. */
export const discard = async (run: RotationRun): Promise<void> => {
  await run.parts.lock.assertHeld()
  await run.record({ type: 'store', act: 'discard', phase: 'intent' })
  const { rotationId, procedure } = run.ledger.facts
  if (procedure === 'rotate') await run.parts.store.discardPending(rotationId)
  await run.record({ type: 'store', act: 'discard', phase: 'read-back' })
}
