import { setTimeout as sleep } from 'node:timers/promises'

/** Two clocks, because each tells what the other hides. Milliseconds. */
export interface LeaseClock {
  /** Time of day: goes on while the machine sleeps, and may be set back. */
  wall(): number
  /** Never goes back, and stands still while the machine sleeps. */
  steady(): number
  sleep(ms: number): Promise<void>
}

export const systemClock: LeaseClock = {
  wall: () => Date.now(),
  steady: () => performance.now(),
  sleep: (ms) => sleep(ms),
}
