import { delay } from './delay.js'

/** Lets one operation of an HSM run at a time, in the order they arrived. */
export class OperationQueue {
  #last: Promise<void> = Promise.resolve()

  /** Runs `operation` once those before it are done and `ms` milliseconds more have passed. */
  run(ms: number, operation: () => void): void {
    this.#last = this.#last.then(async () => {
      if (ms > 0) await delay(ms)
      operation()
    })
  }
}
