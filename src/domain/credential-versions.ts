import type { CredentialVersion, PendingCredentials } from './credential-store.js'
import { refusal } from './errors.js'
import type { UserKey } from './hsm-user.js'
import type { RotationId } from './ids.js'
import type { Secret } from './secret.js'

/**
 * All that a store keeps. CURRENT and PREVIOUS are kept user by user: rotating one user must not lose the credential
 * of another. CURRENT holds the newest proved credential of each user, PREVIOUS the one that user had before.
 */
export interface CredentialVersions {
  readonly pending: CredentialVersion | null
  readonly current: CredentialVersion | null
  readonly previous: CredentialVersion | null
  /** Whose PENDING became CURRENT last; tells a repeated promotion from one of a rotation that was discarded. */
  readonly promoted: RotationId | null
}

type Users = CredentialVersion['users']

/** What a store holds before its first rotation. */
export const NO_CREDENTIALS: CredentialVersions = { pending: null, current: null, previous: null, promoted: null }

/** @throws {OperatorError} `FOREIGN_PENDING`, `PENDING_DIFFERS` (exit 3) */
export const withPending = (
  versions: CredentialVersions,
  pending: PendingCredentials,
  provedCurrent: CredentialVersion | undefined,
): CredentialVersions => {
  refuseForeign(versions.pending, pending.rotationId)
  if (versions.pending !== null && !sameCredentials(versions.pending.users, pending.users)) {
    throw refusal('PENDING_DIFFERS', `the store already keeps other new credentials of ${pending.rotationId}`, [
      `lockstep rotate resume --rotation ${pending.rotationId}   uses those that are kept; an HSM may hold them already`,
    ])
  }
  if (provedCurrent === undefined) return { ...versions, pending }
  const { current } = versions
  const users = replaced(current?.users ?? new Map(), provedCurrent.users)
  return { ...versions, pending, current: { ...(current ?? { ...provedCurrent, rotationId: null }), users } }
}

/** @throws {OperatorError} `FOREIGN_PENDING`, `NOTHING_PENDING` (exit 3) */
export const promoted = (versions: CredentialVersions, rotationId: RotationId): CredentialVersions => {
  const { pending, current, previous } = versions
  if (versions.promoted === rotationId) return versions
  refuseForeign(pending, rotationId)
  if (pending === null) {
    throw refusal('NOTHING_PENDING', `the store keeps no new credential of ${rotationId}`, [
      'check --store: it must name the store the rotation was started with',
    ])
  }
  const touched = [...pending.users.keys()]
  const replacedNow = current === null ? new Map<UserKey, Secret>() : only(current.users, touched)
  const before = new Map([...without(previous?.users ?? new Map(), touched), ...replacedNow])
  return {
    pending: null,
    current: { ...pending, users: replaced(current?.users ?? new Map(), pending.users) },
    previous: before.size === 0 ? null : { ...(current ?? previous ?? pending), users: before },
    promoted: rotationId,
  }
}

/** @throws {OperatorError} `FOREIGN_PENDING` (exit 3) */
export const withoutPending = (versions: CredentialVersions, rotationId: RotationId): CredentialVersions => {
  refuseForeign(versions.pending, rotationId)
  return { ...versions, pending: null }
}

/** Whether both hold the same passwords for the same users. */
export const sameCredentials = (a: Users, b: Users): boolean =>
  a.size === b.size && [...a].every(([user, secret]) => b.get(user)?.equals(secret) === true)

const refuseForeign = (pending: CredentialVersion | null, rotationId: RotationId): void => {
  if (pending === null || pending.rotationId === rotationId) return
  throw refusal(
    'FOREIGN_PENDING',
    `the store keeps new credentials of ${pending.rotationId}, started ${pending.startedAt}, which is not finished`,
    [
      `lockstep rotate status --rotation ${pending.rotationId}`,
      `finish it first: lockstep rotate resume --rotation ${pending.rotationId}   or rollback`,
      'or give another --store',
    ],
  )
}

/** One user has one folded key, however its name was typed. */
const folded = (user: UserKey): string => user.replace(/^PCO:/, 'CO:').toLowerCase()

const only = (users: Users, wanted: readonly UserKey[]): Map<UserKey, Secret> => {
  const keys = new Set(wanted.map(folded))
  return new Map([...users].filter(([user]) => keys.has(folded(user))))
}

const without = (users: Users, unwanted: readonly UserKey[]): Map<UserKey, Secret> => {
  const keys = new Set(unwanted.map(folded))
  return new Map([...users].filter(([user]) => !keys.has(folded(user))))
}

const replaced = (users: Users, by: Users): Map<UserKey, Secret> => new Map([...without(users, [...by.keys()]), ...by])
