import type { User } from '../../src/simulator/hsm/user.js'
import type { Invocation } from './invocation.js'

/** One user on one HSM, or an officer there. */
export type CellKey = string

/**
 * Failed logins, ours and others'. Invariant 4: no second one of one invocation in one cell, never nearer to a lock-out
 * than two below the limit, and nobody locked by us.
 */
export class Logins {
  readonly #limit: number
  /** Whether listings show how often logins failed. */
  readonly #counted: boolean
  readonly #accuse: (words: string) => void
  /** Not ours, or nobody told us of them, since everything worked last. */
  readonly #foreign = new Map<CellKey, number>()
  /** Ours in a row. */
  readonly #own = new Map<CellKey, number>()

  constructor(limit: number, counted: boolean, accuse: (words: string) => void) {
    this.#limit = limit
    this.#counted = counted
    this.#accuse = accuse
  }

  foreign(cell: CellKey): number {
    return this.#foreign.get(cell) ?? 0
  }

  addForeign(cell: CellKey, count = 1): void {
    this.#foreign.set(cell, this.foreign(cell) + count)
  }

  failed({ name, failedLogins, dead, lockoutLimit }: Invocation, cell: CellKey, user: Readonly<User>): void {
    // It came late, and nobody was there any more to hear of it.
    if (dead) {
      this.addForeign(cell)
      return
    }
    const count = (failedLogins.get(cell) ?? 0) + 1
    failedLogins.set(cell, count)
    if (count > 1) this.#accuse(`4: ${name} failed to log in ${count} times at ${cell}`)
    // A copy may have cleared the count, and a listing shows it.
    const own = Math.min((this.#own.get(cell) ?? 0) + 1, this.#counted ? user.failures : Number.POSITIVE_INFINITY)
    this.#own.set(cell, own)
    const most = Math.max(1, Math.max(lockoutLimit, this.#limit) - 2)
    if (own > most) this.#accuse(`4: ${own} logins in a row failed at ${cell}, and ${this.#limit} lock`)
    // Where no count can be read, what other clients did cannot be seen.
    const unseen = this.#counted ? 0 : this.foreign(cell)
    if (user.locked && user.failures - unseen >= this.#limit) this.#accuse(`4: ${name} locked ${cell}`)
  }

  /** The utility told of a success, so that nobody could learn of this failure. */
  wasHidden({ failedLogins }: Invocation, cell: CellKey): void {
    failedLogins.delete(cell)
    this.#own.set(cell, Math.max(0, (this.#own.get(cell) ?? 0) - 1))
    this.addForeign(cell)
  }

  succeeded(cell: CellKey): void {
    this.#own.delete(cell)
  }

  /** A change of the password clears the count. */
  changed(invocation: Invocation | null, cell: CellKey): void {
    invocation?.failedLogins.delete(cell)
    this.#own.delete(cell)
    this.#foreign.delete(cell)
  }

  /** The machine that remembered them is lost. Where they cannot be read, nobody knows of them any more. */
  forget(): void {
    if (!this.#counted) for (const [cell, own] of this.#own) this.#foreign.set(cell, this.foreign(cell) + own)
    this.#own.clear()
  }

  /** @param all our own failures have been forgiven as well */
  calm(all: boolean): void {
    this.#foreign.clear()
    if (all) this.#own.clear()
  }
}
