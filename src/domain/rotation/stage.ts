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

/** The stages of going back. `verify` is one of both directions. */
export const ROLLBACK_STAGES = ['restore', 'verify', 'discard'] as const

export type Stage = (typeof STAGES)[number] | (typeof ROLLBACK_STAGES)[number]
