import type { HsmUser, HsmUserRef } from '../../domain/hsm-user.js'
import { findUser } from '../../domain/hsm-user.js'
import type { HsmId } from '../../domain/ids.js'
import type { PlannedUser } from '../../domain/rotation/plan.js'
import { Pause } from './pause.js'

/**
 * Failed logins as the HSMs count them, against those we made. A count that rises without us shows a client that
 * still uses another password, and will lock the user sooner or later.
 */
export class FailureCounts {
  readonly #known = new Map<string, number>()

  /** One of our logins was refused. */
  ours(user: PlannedUser['key'], hsmId: HsmId): void {
    const cell = `${hsmId} ${user}`
    this.#known.set(cell, (this.#known.get(cell) ?? 0) + 1)
  }

  /**
   * What a listing shows now. The first look at a cell is taken as it is.
   * @throws {Pause} `CLIENT_USES_OTHER_PASSWORD`
   */
  look(users: readonly PlannedUser[], hsmId: HsmId, listed: readonly HsmUser[]): void {
    const risen: string[] = []
    for (const user of users) {
      const count = countOf(user, listed)
      if (count === null) continue
      const cell = `${hsmId} ${user.key}`
      const known = this.#known.get(cell)
      if (known !== undefined && count > known) risen.push(`${user.key} from ${known} to ${count}`)
      this.#known.set(cell, count)
    }
    if (risen.length === 0) return
    throw new Pause(
      'CLIENT_USES_OTHER_PASSWORD',
      `a client is still using another password on ${hsmId}: the failed logins of ${risen.join(', ')} rose without us`,
      ['find the client and give it the new password, or stop it, then resume'],
    )
  }
}

const countOf = (user: HsmUserRef, listed: readonly HsmUser[]): number | null =>
  findUser(listed, user)?.loginFailureCount ?? null
