import { Pause } from '../run/pause.js'
import type { RotationRun } from '../run/rotation-run.js'

/** How often an HSM is asked again whether the user is gone, in milliseconds. */
const ASK_AGAIN_MS = 5_000

/** A command that was done in part does not say why; the user may be logged in on the other HSMs. */
const MAY_DRAIN = ['USER_LOGGED_IN', 'PARTLY_DONE']

/**
 * Does `work`, and does it again as long as the user is logged in somewhere and the operator is willing to wait.
 * @throws {Pause} `USER_LOGGED_IN`, `PARTLY_DONE` once the time is over
 */
export const whenDrained = async <T>(run: RotationRun, work: () => Promise<T>): Promise<T> => {
  const { clock, options } = run.parts
  const deadline = clock.now().getTime() + options.drainMs
  for (let told = false; ; told = true) {
    try {
      return await work()
    } catch (error) {
      const left = deadline - clock.now().getTime()
      if (!(error instanceof Pause) || !MAY_DRAIN.includes(error.code) || left <= 0) throw error
      if (!told) run.notice(`${error.message}; asking again for up to ${Math.ceil(left / 1000)} s`)
      await clock.wait(Math.min(left, ASK_AGAIN_MS, options.drainMs / 10))
      run.stopIfAsked()
    }
  }
}
