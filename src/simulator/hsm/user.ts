import type { StoredPassword } from './password.js'

/** The utility's codes: crypto officer, crypto user, appliance user, and the two officers of the first days. */
export type UserType = 'CO' | 'CU' | 'AU' | 'PCO' | 'PRECO'

/** One user as one HSM keeps it. Changed in place, by the HSM alone. */
export interface User {
  id: number
  type: UserType
  name: string
  /** Null for users nobody logs in as, such as the service's own `app_user`. */
  password: StoredPassword | null
  mofnPubKey: boolean
  twoFactor: boolean
  /** Refused logins in a row. */
  failures: number
  locked: boolean
}

/** Key under which a user is found: types are case sensitive, names are not. */
export const keyOf = (type: string, name: string): string => `${type}:${name.toLowerCase()}`

/** Whether the user may manage others. */
export const isOfficer = (user: User | null): boolean =>
  user !== null && (user.type === 'CO' || user.type === 'PCO' || user.type === 'PRECO')
