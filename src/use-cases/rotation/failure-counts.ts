import { findUser, type HsmUser } from '../../domain/hsm-user.js'
import type { HsmId } from '../../domain/ids.js'
import type { RotationFacts } from '../../domain/rotation/journal-entry.js'
import { isLocked } from '../../domain/rotation/login-budget.js'
import type { PlannedUser } from '../../domain/rotation/plan.js'
import type { RotationLedger } from '../../domain/rotation/rotation.js'

/** What a listing says of the failed logins of one cell that the journal does not know yet. */
export interface CountChange {
  readonly user: PlannedUser['key']
  readonly hsmId: HsmId
  readonly known: number | undefined
  readonly count: number
  /**
   * More than we made: a client still uses another password. A cell that such clients locked after we wrote it is
   * written again instead of being spoken of.
   */
  readonly risen: boolean
}

/**
 * Failed logins as an HSM counts them, against those the journal knows. The first look at a cell is taken as it is.
 * @param limit the failed login that locks
 */
export const countChanges = (
  ledger: RotationLedger,
  users: readonly PlannedUser[],
  hsmId: HsmId,
  listed: readonly HsmUser[],
  limit: number,
): CountChange[] =>
  users.flatMap((user) => {
    const row = findUser(listed, user)
    const count = row?.loginFailureCount ?? null
    const known = ledger.failureCount(user.key, hsmId)
    if (row === undefined || count === null || count === known) return []
    const repaired = isLocked(row, limit) && ledger.everWritten(user.key, hsmId)
    return [{ user: user.key, hsmId, known, count, risen: known !== undefined && count > known && !repaired }]
  })

/** The failed logins that the journal of a rotation begins with. */
export const failureCountsOf = (
  users: readonly PlannedUser[],
  matrix: ReadonlyMap<HsmId, readonly HsmUser[]>,
): RotationFacts['failureCounts'] =>
  [...matrix].flatMap(([hsmId, listed]) =>
    users.flatMap((user) => {
      const count = findUser(listed, user)?.loginFailureCount ?? null
      return count === null ? [] : [{ user: user.key, hsmId, count }]
    }),
  )
