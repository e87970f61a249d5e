import { usageError } from '../../../domain/errors.js'
import { sameUser, type UserKey } from '../../../domain/hsm-user.js'
import { parseUserRef } from '../../../domain/hsm-user-text.js'
import type { RotationPlan } from '../../../domain/rotation/plan.js'
import type { Secret } from '../../../domain/secret.js'

/** Passwords under the keys of the plan, however the operator wrote the users' names. */
export const byPlannedKey = (
  plan: RotationPlan,
  passwords: ReadonlyMap<UserKey, Secret>,
): ReadonlyMap<UserKey, Secret> => {
  const result = new Map<UserKey, Secret>()
  for (const [typed, secret] of passwords) {
    const user = plan.users.find((candidate) => sameUser(candidate, parseUserRef(typed)))
    if (user !== undefined) result.set(user.key, secret)
  }
  return result
}

/**
 * A rotation to the password that is in force would prove nothing.
 * @throws {OperatorError} `NEW_EQUALS_CURRENT` (exit 2)
 */
export const refuseEqual = (next: ReadonlyMap<UserKey, Secret>, current: ReadonlyMap<UserKey, Secret>): void => {
  for (const [user, secret] of next) {
    if (current.get(user)?.equals(secret) !== true) continue
    throw usageError('NEW_EQUALS_CURRENT', `the new password of ${user} is its current one`, [
      '--new-password generate',
    ])
  }
}
