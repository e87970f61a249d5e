/**
 * Waits `ms` milliseconds to within a fraction of one: timers alone are up to two late, which over the operations of a
 * rotation would be most of what a bench measures.
 */
export const delay = (ms: number): Promise<void> =>
  new Promise((resolve) => {
    const until = performance.now() + ms
    const finish = (): void => {
      if (performance.now() >= until) resolve()
      else setImmediate(finish)
    }
    // What is still waiting when the simulator ends must not hold it up.
    setTimeout(finish, Math.max(0, Math.floor(ms) - 1)).unref()
  })
