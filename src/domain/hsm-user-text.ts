import { usageError } from './errors.js'
import type { HsmUserRef, HsmUserType } from './hsm-user.js'

/** The utility's codes and the words the CloudHSM CLI has for them. */
const TYPES: Readonly<Record<string, HsmUserType>> = {
  CO: 'CO',
  CU: 'CU',
  AU: 'AU',
  PCO: 'PCO',
  PRECO: 'PRECO',
  admin: 'CO',
  'crypto-user': 'CU',
}

/** At most 31 characters, `_` the only special one. Source: AWS CloudHSM User Guide, `createUser`. */
const NAME = /^\w{1,31}$/

/** Whether `text` has the form of a user: a type, `:` and a name. */
export const isUserText = (text: string): boolean => {
  const at = text.indexOf(':')
  return at > 0 && Object.hasOwn(TYPES, text.slice(0, at)) && NAME.test(text.slice(at + 1))
}

/**
 * Reads `CU:name`; `crypto-user:name` and `admin:name` are accepted as well.
 * @throws {OperatorError} `USER_MALFORMED` (exit 2)
 */
export const parseUserRef = (text: string): HsmUserRef => {
  const at = text.indexOf(':')
  const type = at < 0 ? undefined : TYPES[text.slice(0, at)]
  const name = text.slice(at + 1)
  if (type !== undefined && NAME.test(name)) return { type, name }
  const why = at < 0 ? 'has no user type' : type === undefined ? 'has an unknown user type' : 'has no valid user name'
  throw usageError('USER_MALFORMED', `the user "${text}" ${why}`, [
    'write it as CU:name (crypto user) or CO:name (crypto officer); a name has 1 to 31 letters, digits or "_"',
  ])
}

/**
 * Reads the name of the officer: `admin`, or with its type as `CO:admin`.
 * @throws {OperatorError} `OFFICER_MALFORMED` (exit 2)
 */
export const parseOfficer = (text: string): HsmUserRef => {
  const user = text.includes(':') ? parseUserRef(text) : { type: 'CO' as const, name: text }
  if (NAME.test(user.name) && (user.type === 'CO' || user.type === 'PCO')) return user
  throw usageError('OFFICER_MALFORMED', `"${text}" does not name a crypto officer`, ['--officer admin'])
}
