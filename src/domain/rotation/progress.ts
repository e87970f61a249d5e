import type { UnitId } from '../ids.js'
import type { Stage } from './stage.js'

/** What a run tells while it goes on. The engine does not know who listens. */
export type ProgressEvent =
  | { readonly kind: 'stage-started'; readonly stage: Stage; readonly steps: number }
  /** One unit of the stage is finished. */
  | { readonly kind: 'step'; readonly stage: Stage; readonly unitId: UnitId; readonly text: string }
  /** Something the operator should know: a turn of the run, not an error. */
  | { readonly kind: 'notice'; readonly text: string }
  | { readonly kind: 'stage-completed'; readonly stage: Stage }
  | { readonly kind: 'stage-paused'; readonly stage: Stage; readonly message: string }

/** Receives progress; must not throw and does not hold the run up. */
export type Progress = (event: ProgressEvent) => void
