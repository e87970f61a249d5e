import { OPERATIONS, type Operation } from '../hsm/requests.js'
import { keyOf } from '../hsm/user.js'
import { usage } from '../problem.js'
import type { FaultOptions } from './catalogue.js'

/** A whole number option; null when absent. */
export const numberOf = (
  options: FaultOptions,
  name: 'nth' | 'from' | 'ms' | 'count' | 'times',
  least = 1,
): number | null => {
  const text = options[name]
  if (text === undefined) return null
  const value = Number(text)
  if (!Number.isInteger(value) || value < least) {
    throw usage(`--${name} must be a whole number from ${least}, not "${text}"`)
  }
  return value
}

/** The operation a fault is aimed at; null when absent. */
export const operationOf = ({ operation }: FaultOptions): Operation | null => {
  if (operation === undefined) return null
  const known = OPERATIONS.find((name) => name === operation)
  if (!known) throw usage(`unknown operation "${operation}"`, `one of: ${OPERATIONS.join(', ')}`)
  return known
}

/** A user as it is typed: `CU:name`. */
export interface TypedUser {
  readonly type: string
  readonly name: string
  readonly key: string
}

/** @throws {Problem} it is not written `TYPE:name` */
export const typedUser = (text: string): TypedUser => {
  const [, type, name] = /^(CO|CU|AU|PCO|PRECO):(\w{1,31})$/.exec(text) ?? []
  if (!type || !name) throw usage(`"${text}" is no user`, 'write TYPE:name, e.g. CU:app_crypto')
  return { type, name, key: keyOf(type, name) }
}

/** Whose users an HSM that appears brings along. */
export const usersFrom = ({ users }: FaultOptions): 'sibling' | 'original' | null => {
  if (users === undefined || users === 'sibling' || users === 'original') return users ?? null
  throw usage(`--users must be "sibling" or "original", not "${users}"`)
}
