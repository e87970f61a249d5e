import { refusal } from '../../../domain/errors.js'
import { type HsmUserRef, type HsmUserType, userKey } from '../../../domain/hsm-user.js'

/** Roles that can be typed. Source: AWS CloudHSM User Guide, `cloudhsm_cli-login`. */
export type CliRole = 'admin' | 'crypto-user'

/** The word in which roles are compared: one page prints `crypto_user` for `crypto-user`. */
const folded = (role: string): string => role.toLowerCase().replaceAll('_', '-')

const TYPES: ReadonlyMap<string, HsmUserType> = new Map([
  ['admin', 'CO'],
  ['crypto-user', 'CU'],
  ['unactivated-admin', 'PRECO'],
  ['internal(appliance-user)', 'AU'],
])

/** The type a listed role stands for, or null where it is none that is known. */
export const typeOf = (role: string): HsmUserType | null => TYPES.get(folded(role)) ?? null

/** Whether a role that was printed is the one that was typed. */
export const sameRole = (printed: string, typed: CliRole): boolean => folded(printed) === typed

/**
 * How a user is named to the program. Names that a shell-like line could take for something else are not typed.
 * @throws {OperatorError} `USER_NOT_TYPEABLE` (exit 3)
 */
export const typedUser = (user: HsmUserRef): { readonly name: string; readonly role: CliRole } => {
  const role = user.type === 'CU' ? 'crypto-user' : user.type === 'CO' || user.type === 'PCO' ? 'admin' : null
  if (role === null || !/^\w[\w.-]{0,30}$/.test(user.name)) {
    throw refusal('USER_NOT_TYPEABLE', `${userKey(user)} cannot be named to cloudhsm-cli`, [
      'it knows admins (CO) and crypto users (CU), with names of up to 31 letters, digits and "_"',
    ])
  }
  return { name: user.name, role }
}
