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
      if (performance.now() >= deadline) endGroup(pid)
      await sleep(LOOK_MS)
    }
  },
})

/** A utility leads a process group of its own: what it was started through and itself, which alone would live on. */
const endGroup = (pid: number): void => {
  for (const target of [-pid, pid]) {
    try {
      process.kill(target, 'SIGKILL')
      return
    } catch {
      // It leads no group, or ended between the look and the signal.
    }
  }
}
