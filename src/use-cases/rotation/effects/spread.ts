import { give } from '../cells/give.js'
import { throwTogether } from '../run/pause.js'
import type { RotationRun } from '../run/rotation-run.js'
import { failuresOnEach } from '../survey/unreachable.js'

/**
 * Gives the rest of the units the new credential, wave by wave, in parallel lanes inside a wave. As long as no more than
 * `maxErrors` units of a wave fail the next one follows; the run pauses for those that failed at the end.
 */
export const spread = async (run: RotationRun): Promise<void> => {
  const method = run.propagation
  const failures: unknown[] = []
  for (const wave of run.plan.parts.waves) {
    const failed = await failuresOnEach(run, run.without(wave.units), async (unitId) => {
      await give(run, unitId, run.notNew(unitId), { credential: 'new', method })
      run.parts.progress({ kind: 'step', stage: 'spread', unitId, text: wave.name })
    })
    failures.push(...failed)
    if (failed.length > run.parts.options.maxErrors) break
  }
  throwTogether(failures, run.goesBack)
}
