/** Time, so that tests need not wait for it. */
export interface Clock {
  now(): Date
  /** Returns after so many milliseconds. */
  wait(ms: number): Promise<void>
}
