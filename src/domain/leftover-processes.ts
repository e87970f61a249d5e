import type { UtilityProcess } from './hsm-console.js'

/** Utility processes of an invocation that is gone. A command they hold may still reach an HSM. */
export interface LeftoverProcesses {
  /**
   * Returns once this process is gone.
   * @param patienceMs how long it may take to end by itself, in milliseconds; then it is ended
   */
  end(process: UtilityProcess, patienceMs: number): Promise<void>
}
