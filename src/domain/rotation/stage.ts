/**
 * The stages of a rotation in their order. All users of a run pass a stage before any enters the next; `stage` in
 * every output is the first one not completed.
 */
export const STAGES = [
  'preflight',
  'store-pending',
  'rehearse',
  'change',
  'prove',
  'canary',
  'spread',
  'verify',
  'restore-point',
  'finalize',
] as const

export type Stage = (typeof STAGES)[number]

/** The stage after `stage`; null after the last. */
export const stageAfter = (stage: Stage): Stage | null => STAGES[STAGES.indexOf(stage) + 1] ?? null

/** Whether `stage` is one of the ten words. */
export const isStage = (text: string): text is Stage => (STAGES as readonly string[]).includes(text)
