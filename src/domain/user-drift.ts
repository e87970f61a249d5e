import { type HsmUser, userKey } from './hsm-user.js'
import type { HsmId } from './ids.js'

/** One way in which an HSM differs from the first one of the roster. */
export interface UserDifference {
  /** `CU:name`. */
  readonly user: string
  readonly hsmId: HsmId
  readonly field:
    | 'presence'
    | 'userId'
    | 'type'
    | 'mofnPubKey'
    | 'twoFactor'
    | 'loginFailureCount'
    | 'locked'
    | 'inconsistent'
  readonly expected: string
  readonly actual: string
}

/**
 * What differs between HSMs, as far as listings show it; two HSMs with different passwords look the same. The HSMs are
 * compared with the first one; failure counts with zero, because a count anywhere is worth knowing.
 * @param matrix users by HSM, in roster order
 */
export const userDrift = (matrix: ReadonlyMap<HsmId, readonly HsmUser[]>): readonly UserDifference[] => {
  const [reference] = matrix
  if (reference === undefined) return []
  const [referenceId, expectedUsers] = reference
  const expected = byName(expectedUsers)
  const differences: UserDifference[] = []
  for (const [hsmId, users] of matrix) {
    const actual = byName(users)
    for (const name of new Set([...expected.keys(), ...actual.keys()])) {
      const [mine, theirs] = [actual.get(name), expected.get(name)]
      if (hsmId !== referenceId) differences.push(...compare(hsmId, mine, theirs))
      if (mine !== undefined && (mine.loginFailureCount ?? 0) > 0) {
        const actualCount = String(mine.loginFailureCount)
        differences.push({ user: userKey(mine), hsmId, field: 'loginFailureCount', expected: '0', actual: actualCount })
      }
      if (mine !== undefined) differences.push(...wrongAnywhere(hsmId, mine))
    }
  }
  return differences
}

/** What is worth knowing wherever it stands, where the utility says it: a lock, and HSMs of one cluster that disagree. */
const wrongAnywhere = (hsmId: HsmId, user: HsmUser): UserDifference[] => {
  const found: UserDifference[] = []
  const key = userKey(user)
  if (user.locked === true) found.push({ user: key, hsmId, field: 'locked', expected: 'false', actual: 'true' })
  if (user.inconsistent.length > 0) {
    const actual = user.inconsistent.join(', ')
    found.push({ user: key, hsmId, field: 'inconsistent', expected: 'nothing', actual })
  }
  return found
}

const byName = (users: readonly HsmUser[]): ReadonlyMap<string, HsmUser> =>
  new Map(users.map((user) => [user.name.toLowerCase(), user]))

const compare = (hsmId: HsmId, mine: HsmUser | undefined, theirs: HsmUser | undefined): UserDifference[] => {
  if (mine === undefined || theirs === undefined) {
    const known = mine ?? theirs
    if (known === undefined) return []
    const [expected, actual] = theirs === undefined ? ['absent', 'present'] : ['present', 'absent']
    return [{ user: userKey(known), hsmId, field: 'presence', expected, actual }]
  }
  const fields = ['userId', 'type', 'mofnPubKey', 'twoFactor'] as const
  return fields
    .filter((field) => mine[field] !== theirs[field])
    .map((field) => ({
      user: userKey(theirs),
      hsmId,
      field,
      expected: String(theirs[field]),
      actual: String(mine[field]),
    }))
}
