import { findUser, type HsmUser, type UserKey } from '../../../domain/hsm-user.js'
import type { HsmId } from '../../../domain/ids.js'
import type { ListedHsm } from '../../../domain/rotation/journal-entry.js'
import type { RotationLedger } from '../../../domain/rotation/ledger.js'
import { isLocked } from '../../../domain/rotation/login-budget.js'
import type { PlannedUser } from '../../../domain/rotation/plan.js'

/**
 * What a listing says of the users of a rotation on one HSM, as the journal keeps it.
 * @param limit the failed login that locks, where the listing does not show the lock itself
 * @param isNew the user came to the HSM, or with it, since: IDs are given by each HSM, and on this one nobody planned any; or
 * the one that was planned is given up
 */
export const observed = (
  users: readonly PlannedUser[],
  hsmId: HsmId,
  listed: readonly HsmUser[],
  limit: number,
  isNew: (user: PlannedUser) => boolean = () => false,
): ListedHsm => {
  const rows = users.map((user) => ({ user, row: findUser(listed, user) }))
  const keysOf = (is: (row: HsmUser, user: PlannedUser) => boolean): readonly UserKey[] =>
    rows.flatMap(({ user, row }) => (row !== undefined && is(row, user) ? [user.key] : []))
  const absent = rows.flatMap(({ user, row }) => (row === undefined ? [user.key] : []))
  const inPart = keysOf((row) => row.inconsistent.includes('cluster-coverage'))
  const locked = keysOf((row) => isLocked(row, limit))
  const registered = keysOf((row) => row.twoFactor || row.mofnPubKey)
  const failures = rows.flatMap(({ user, row }) =>
    row?.loginFailureCount ? [[user.key, row.loginFailureCount] as const] : [],
  )
  const otherId = keysOf((row, user) => user.idsAgree && row.userId !== user.userId)
  const different = rows.flatMap(({ user, row }) => {
    const words = row === undefined ? null : difference(user, row, isNew(user))
    return words === null ? [] : [[user.key, words] as const]
  })
  return {
    hsmId,
    counted: rows.every(({ row }) => row === undefined || row.loginFailureCount !== null),
    ...(absent.length === 0 ? {} : { absent }),
    ...(inPart.length === 0 ? {} : { inPart }),
    ...(locked.length === 0 ? {} : { locked }),
    ...(registered.length === 0 ? {} : { registered }),
    ...(failures.length === 0 ? {} : { failures }),
    ...(otherId.length === 0 ? {} : { otherId }),
    ...(different.length === 0 ? {} : { different }),
  }
}

/** All a listing shows of a user that a rotation must not change. */
export const attributes = (user: Pick<HsmUser, 'userId' | 'type' | 'mofnPubKey' | 'twoFactor'>): string =>
  `ID ${user.userId ?? 'unknown'}, ${user.type}, quorum key ${user.mofnPubKey ? 'yes' : 'no'}, 2FA ${user.twoFactor ? 'yes' : 'no'}`

/** A user that may be rotated has no quorum key and no second factor; an ID counts only where the HSMs agree on it. */
const difference = (user: PlannedUser, row: HsmUser, isNew: boolean): string | null => {
  const isIdPlanned = user.idsAgree && !isNew
  const userId = isIdPlanned ? row.userId : null
  const planned = { userId: isIdPlanned ? user.userId : null, type: user.type, mofnPubKey: false, twoFactor: false }
  const [now, then] = [attributes({ ...row, userId }), attributes(planned)]
  return now === then ? null : `${now}, planned was ${then}`
}

/** Users whose failed logins rose more than ours can have made them, with the counts before and now. */
export const risenCounts = (
  ledger: RotationLedger,
  { hsmId, failures = [], locked = [] }: ListedHsm,
): readonly { readonly user: UserKey; readonly known: number; readonly count: number }[] =>
  failures.flatMap(([user, count]) => {
    const known = ledger.failureCount(user, hsmId)
    if (known === undefined || count <= known) return []
    // A cell that clients locked after we wrote it is written again instead of being spoken of.
    if (locked.includes(user) && ledger.everWritten(user, hsmId)) return []
    return [{ user, known, count }]
  })
