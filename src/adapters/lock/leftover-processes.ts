import { setTimeout as sleep } from 'node:timers/promises'
import type { LeftoverProcesses } from '../../domain/leftover-processes.js'
import { isRunning, startedAround } from './process-identity.js'

/** How far the start time in a journal may lie from what the system says. */
const TOLERANCE_MS = 5_000
const LOOK_MS = 20

/** Ends processes of this machine by number and start time; another one that got the number since is left alone. */
export const leftoverProcesses = (): LeftoverProcesses => ({
  async end({ pid, startedAt }, patienceMs) {
    const deadline = performance.now() + patienceMs
    while (isRunning(pid) && startedAround(pid, Date.parse(startedAt), TOLERANCE_MS)) {
      try {
        if (performance.now() >= deadline) process.kill(pid, 'SIGKILL')
      } catch {
        // It ended between the look and the signal.
      }
      await sleep(LOOK_MS)
    }
  },
})
