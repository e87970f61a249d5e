import { deliver, onEach } from '../cell-work.js'
import { Origins } from '../origins.js'
import type { RotationRun } from '../rotation-run.js'

/** Gives the rest of the HSMs the new credential, wave by wave, in parallel lanes inside a wave. */
export const spread = async (run: RotationRun): Promise<void> => {
  const method = run.ledger.propagation ?? 'change'
  const origins = new Origins(run)
  for (const wave of run.plan.parts.waves) {
    await onEach(run, wave.hsmIds, async (hsmId) => {
      await deliver(run, hsmId, method, () => origins.next())
      run.parts.progress({ kind: 'step', stage: 'spread', hsmId, text: wave.name })
    })
  }
}
