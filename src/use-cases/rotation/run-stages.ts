import { ConsoleFailure } from '../../domain/hsm-console.js'
import type { Rotation } from '../../domain/rotation/rotation.js'
import type { Stage } from '../../domain/rotation/stage.js'
import { noteUnreachable } from './cell-work.js'
import { asPause, Pause } from './pause.js'
import type { RotationRun } from './rotation-run.js'
import { canary } from './stages/canary.js'
import { change } from './stages/change.js'
import { finalize } from './stages/finalize.js'
import { prove } from './stages/prove.js'
import { rehearse } from './stages/rehearse.js'
import { restorePoint } from './stages/restore-point.js'
import { spread } from './stages/spread.js'
import { storePending } from './stages/store-pending.js'
import { verify } from './stages/verify.js'

/** What each stage does. Each begins where an earlier run may have left it: what is proved is not done again. */
const WORK: Record<Exclude<Stage, 'preflight'>, (run: RotationRun) => Promise<void>> = {
  'store-pending': storePending,
  rehearse,
  change,
  prove,
  canary,
  spread,
  verify,
  'restore-point': restorePoint,
  finalize,
}

/**
 * Takes a rotation from its first uncompleted stage to the end, or to a pause. Preflight lies behind it.
 * @throws {Error} only for faults of the program; everything the operator can put right is a pause
 */
export const runStages = async (run: RotationRun): Promise<Rotation> => {
  const { progress, options } = run.parts
  for (let stage = run.ledger.stage; stage !== null; stage = run.ledger.stage) {
    if (stage === 'preflight') throw new Error('preflight lies before a rotation')
    progress({ kind: 'stage-started', stage, steps: stepsOf(run, stage) })
    try {
      run.stopIfAsked()
      if (options.pauseBefore === stage) throw new Pause('PAUSED_AS_ASKED', `paused before ${stage}, as asked`)
      await WORK[stage](run)
    } catch (error) {
      return pauseAt(run, stage, error)
    }
    await run.record({ type: 'stage-completed', stage })
    progress({ kind: 'stage-completed', stage })
  }
  await run.record({ type: 'finished', outcome: run.ledger.debts.size === 0 ? 'completed' : 'completed-with-debt' })
  return run.ledger.rotation()
}

/** Writes down why a run stops here. Faults of the program pass through. */
export const pauseAt = async (run: RotationRun, stage: Stage, error: unknown): Promise<Rotation> => {
  const pause = asPause(error)
  if (pause === null) throw error
  const { code, message } = pause
  const suggestions = [...pause.suggestions, `lockstep rotate resume --rotation ${run.ledger.facts.rotationId}`]
  run.parts.progress({ kind: 'stage-paused', stage, message })
  // A journal that cannot be written must not hide why the run stopped.
  if (code === 'JOURNAL_UNWRITABLE') return { ...run.ledger.rotation(), pause: { stage, code, message, suggestions } }
  if (error instanceof ConsoleFailure && error.kind === 'unreachable') await noteUnreachable(run, error)
  await run.record({ type: 'paused', stage, code, message, suggestions })
  return run.ledger.rotation()
}

/** How many units report a step in this stage; 0 where it is done as a whole. */
const stepsOf = (run: RotationRun, stage: Stage): number => {
  if (stage === 'spread') return run.plan.parts.waves.reduce((sum, wave) => sum + wave.units.length, 0)
  if (stage === 'verify') return run.units.length
  return 0
}
