import type { Branded } from './ids.js'

/** The utility's codes. Source: AWS CloudHSM User Guide, `manage-hsm-users-cmu`. */
export type HsmUserType = 'CO' | 'CU' | 'AU' | 'PCO' | 'PRECO'

/** A user as an operator names it. Users are the same across HSMs when type and lower-cased name agree. */
export interface HsmUserRef {
  readonly type: HsmUserType
  readonly name: string
}

/** `CU:app_crypto`: how a user is written in every output, journal and store. */
export type UserKey = Branded<string, 'UserKey'>

/** One row of a user listing. */
export interface HsmUser extends HsmUserRef {
  /** Assigned per HSM; null where the utility does not show it. */
  readonly userId: number | null
  readonly mofnPubKey: boolean
  /** Failed logins in a row as this HSM counts them; null where the utility does not show it. */
  readonly loginFailureCount: number | null
  readonly twoFactor: boolean
  /** Whether the utility says that the user is locked; null where it shows a failure count instead. */
  readonly locked: boolean | null
  /** What the HSMs of a cluster disagree about, where the utility shows one merged row for all of them. */
  readonly inconsistent: readonly string[]
}

/** `type:name`, the name as typed. */
export const userKey = (user: HsmUserRef): UserKey => `${user.type}:${user.name}` as UserKey

/** Whether two references name one user: names fold case, types do not, a PCO counts as CO. */
export const sameUser = (a: HsmUserRef, b: HsmUserRef): boolean =>
  officerType(a.type) === officerType(b.type) && a.name.toLowerCase() === b.name.toLowerCase()

/** The row of `users` that is `ref`, if it is listed. */
export const findUser = (users: readonly HsmUser[], ref: HsmUserRef): HsmUser | undefined =>
  users.find((user) => sameUser(user, ref))

/** The type that counts: a PCO is a CO that has not changed its first password. */
export const officerType = (type: HsmUserType): HsmUserType => (type === 'PCO' ? 'CO' : type)
