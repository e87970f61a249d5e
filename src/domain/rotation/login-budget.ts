import type { HsmUser } from '../hsm-user.js'

/** What the product assumes unless told otherwise: the fifth failed login locks. */
export const DEFAULT_LOCKOUT_LIMIT = 5

/**
 * Whether one more failed login would come too near to a lock-out: a login is refused from two below the limit on,
 * so that a mistake of ours never locks anybody. An unknown count leaves the decision to the journal.
 * @param limit the failed login that locks the user
 */
export const budgetSpent = (user: HsmUser, limit: number): boolean =>
  user.locked === true || (user.loginFailureCount !== null && user.loginFailureCount >= limit - 2)

/** Whether the user is locked: as the listing says, or as far as its count tells. */
export const isLocked = (user: HsmUser, limit: number): boolean =>
  user.locked ?? (user.loginFailureCount !== null && user.loginFailureCount >= limit)

/**
 * How many refused logins across invocations are the last where no count can be read: as near to a lock-out as
 * `budgetSpent` lets one come.
 */
export const uncountedBudget = (limit: number): number => Math.max(1, limit - 3)

/** Failed logins of one user on one cluster that a rotation allows itself where no count can be read. */
export const UNCOUNTED_BUDGET = 2
