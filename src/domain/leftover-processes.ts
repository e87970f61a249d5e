import type { UtilityProcess } from './hsm-console.js'

/** Utility processes of an invocation that is gone. A command they hold may still reach an HSM. */
export interface LeftoverProcesses {
  /** Ends this process if it still runs, and returns once it is gone. */
  end(process: UtilityProcess): Promise<void>
}
