import type { StoredPassword } from '../../src/simulator/hsm/password.js'
import { type Appliance, BY_HAND, DRIFTED, type RotatedUser } from './fleet.js'

/** What a cell holds, by the HSM itself. `by-hand`: what another person gave it. */
export type Held = 'absent' | 'old' | 'new' | 'drifted' | 'by-hand' | 'something-else'

/** Looks into the HSMs. No login is counted. */
export class Truth {
  /** By the password as the HSM keeps it, and by what it says: copies are the same. So each is hashed once. */
  readonly #held = new WeakMap<StoredPassword, Held>()
  readonly #heldByDigest = new Map<string, Held>()

  /** What the HSM holds for the user. */
  held({ hsm }: Appliance, user: RotatedUser): Held {
    const stored = hsm.find(user.type, user.name)?.password
    if (stored === undefined || stored === null) return 'absent'
    const known = this.#held.get(stored)
    if (known !== undefined) return known
    const digest = stored.digest.toString('latin1')
    const found = this.#heldByDigest.get(digest) ?? named(hsm, user)
    this.#held.set(stored, found)
    this.#heldByDigest.set(digest, found)
    return found
  }
}

const named = (hsm: Appliance['hsm'], user: RotatedUser): Held => {
  const passwords: readonly (readonly [Held, string])[] = [
    ['new', user.new.reveal()],
    ['old', user.old.reveal()],
    ['drifted', DRIFTED],
    ['by-hand', BY_HAND],
  ]
  const found = passwords.find(([, password]) => hsm.matches(user.type, user.name, password) === true)
  return found?.[0] ?? 'something-else'
}
