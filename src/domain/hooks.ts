import type { RotationId } from './ids.js'
import type { RotationPlan } from './rotation/plan.js'

/** Commands of the operator that are run at a turn of the rotation, e.g. to stop and start applications. */
export interface Hooks {
  /**
   * Runs one, with facts of the rotation in its environment and never a secret.
   * @throws {OperatorError} `HOOK_FAILED` when it does not end with 0
   */
  run(hook: 'before-change' | 'after-finalize', facts: HookFacts): Promise<void>
}

export interface HookFacts {
  readonly rotationId: RotationId
  readonly plan: RotationPlan
}
