import type { Clock } from '../../src/domain/clock.js'

interface Timer {
  readonly at: number
  readonly seq: number
  readonly run: () => void
}

/** Resolves once everything that can run now has run. */
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

/**
 * Time that passes only while everybody waits: an hour takes no longer than a moment, and the same waits end in the same
 * order every time.
 */
export class VirtualTime implements Clock {
  #now = Date.UTC(2026, 2, 1, 3, 15)
  #seq = 0
  /** By time, then in the order in which they were set; the next one last. */
  readonly #timers: Timer[] = []

  now(): Date {
    return new Date(this.#now)
  }

  /** How much is still to come. */
  get waiting(): number {
    return this.#timers.length
  }

  wait(ms: number): Promise<void> {
    return new Promise((resolve) => this.after(ms, resolve))
  }

  /** Runs something later. */
  after(ms: number, run: () => void): void {
    this.#seq += 1
    const timer = { at: this.#now + Math.max(0, ms), seq: this.#seq, run }
    let index = this.#timers.length
    while (index > 0 && isLater(timer, this.#timers[index - 1])) index -= 1
    this.#timers.splice(index, 0, timer)
  }

  /**
   * Lets time pass until `work` has ended.
   * @throws {Error} when it waits for something that will never happen
   */
  async passUntil<T>(work: Promise<T>): Promise<T> {
    let ended = false
    const end = () => {
      ended = true
    }
    work.then(end, end)
    for (;;) {
      await turn()
      if (ended) return work
      if (!this.#next()) throw new Error('it hangs: nothing is under way that could end it')
    }
  }

  /** Lets everything happen that is still to come. */
  async passAll(): Promise<void> {
    do await turn()
    while (this.#next())
  }

  #next(): boolean {
    const timer = this.#timers.pop()
    if (timer === undefined) return false
    this.#now = timer.at
    timer.run()
    return true
  }
}

const isLater = (a: Timer, b: Timer | undefined): boolean =>
  b !== undefined && (a.at > b.at || (a.at === b.at && a.seq > b.seq))

/** Numbers from 0 to 1 that are the same for the same seed. */
export const noiseFrom = (seed: number): (() => number) => {
  let state = seed | 0
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
}
