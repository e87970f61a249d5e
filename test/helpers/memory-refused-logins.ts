import { type HsmUserRef, officerType } from '../../src/domain/hsm-user.js'
import type { ClusterId, HsmId } from '../../src/domain/ids.js'
import type { LoginPlace, RefusedLogin, RefusedLogins } from '../../src/domain/refused-logins.js'

/** Refused logins that are kept no longer than the test. */
export class MemoryRefusedLogins implements RefusedLogins {
  readonly #noted = new Map<string, RefusedLogin>()
  readonly #now: () => Date

  constructor(now: () => Date = () => new Date('2026-03-01T03:15:00Z')) {
    this.#now = now
  }

  async of(user: HsmUserRef, clusterIds: readonly ClusterId[]): Promise<readonly RefusedLogin[]> {
    return [...this.#noted].flatMap(([key, noted]) =>
      key === keyOf(user, noted) && clusterIds.includes(noted.clusterId) ? [noted] : [],
    )
  }

  async note(
    user: HsmUserRef,
    places: readonly LoginPlace[],
    credential: string | null,
    isCounted = false,
  ): Promise<void> {
    for (const { clusterId, hsmId } of places) {
      const key = keyOf(user, { clusterId, hsmId })
      const known = this.#noted.get(key)?.count ?? 0
      const count = isCounted ? Math.max(1, known) : known + 1
      this.#noted.set(key, { clusterId, hsmId, at: this.#now().toISOString(), count, credential })
    }
  }

  async clear(user: HsmUserRef, places: readonly LoginPlace[]): Promise<void> {
    for (const place of places) this.#noted.delete(keyOf(user, place))
  }

  /** Every place with its count, for comparing. */
  get counts(): readonly (readonly [ClusterId | HsmId, number])[] {
    return [...this.#noted.values()].map(({ clusterId, hsmId, count }) => [hsmId ?? clusterId, count])
  }
}

const keyOf = ({ type, name }: HsmUserRef, { clusterId, hsmId }: LoginPlace): string =>
  `${clusterId} ${hsmId ?? ''} ${officerType(type)}:${name.toLowerCase()}`
