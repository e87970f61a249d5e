import { sameUser, type UserKey } from '../../domain/hsm-user.js'
import { parseUserRef } from '../../domain/hsm-user-text.js'
import type { RotationPlan } from '../../domain/rotation/plan.js'
import type { Secret } from '../../domain/secret.js'

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
