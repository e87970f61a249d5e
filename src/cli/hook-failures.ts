import type { Hooks } from '../domain/hooks.js'
import type { HookFailure } from '../domain/rotation/outcome.js'

/**
 * Hooks whose failures are kept where they do not stop the rotation, because it is complete by then.
 * @param failures where they are put
 */
export const keepingFailures = (hooks: Hooks, failures: HookFailure[]): Hooks => ({
  async run(hook, facts) {
    try {
      await hooks.run(hook, facts)
    } catch (error) {
      if (hook === 'after-finalize') failures.push({ hook, message: (error as Error).message })
      throw error
    }
  },
})
