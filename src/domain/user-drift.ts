import { type HsmUser, userKey } from './hsm-user.js'
import type { ClusterId, HsmId } from './ids.js'
import type { Roster } from './roster.js'
import type { Evidence } from './rotation/cell.js'
import { isLocked } from './rotation/login-budget.js'
import { capabilitiesOf } from './utility/capabilities.js'
import type { UtilityName } from './utility/utility.js'

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
  /** What it was seen of: with `cluster` the utility shows one row for all HSMs, and it may be so on one of them. */
  readonly evidence: Evidence
}

/** What listings are judged by. */
export interface DriftRules {
  readonly roster: Roster
  readonly utility: UtilityName
  /** The failed login that locks a user, where a count is shown and no lock. */
  readonly lockoutLimit: number
}

type Difference = Omit<UserDifference, 'evidence'>

/**
 * What differs between HSMs, as far as listings show it; two HSMs with different passwords look the same. The HSMs are
 * compared with the first one; failure counts with zero, because a count anywhere is worth knowing.
 * @param matrix users by HSM, in roster order
 */
export const userDrift = (
  matrix: ReadonlyMap<HsmId, readonly HsmUser[]>,
  rules: DriftRules,
): readonly UserDifference[] => {
  const evidence = evidenceBy(rules)
  return differencesIn(matrix, rules.lockoutLimit).map((one) => ({ ...one, evidence: evidence(one.hsmId) }))
}

/** A cluster of one HSM is listed as that HSM. */
const evidenceBy = ({ roster, utility }: DriftRules): ((hsmId: HsmId) => Evidence) => {
  const clusters = new Map<ClusterId, number>()
  for (const { clusterId } of roster) clusters.set(clusterId, (clusters.get(clusterId) ?? 0) + 1)
  const isShared = new Set(roster.flatMap((entry) => ((clusters.get(entry.clusterId) ?? 0) > 1 ? [entry.hsmId] : [])))
  const { listingReach } = capabilitiesOf(utility)
  return (hsmId) => (listingReach === 'cluster' && isShared.has(hsmId) ? 'cluster' : 'hsm')
}

const differencesIn = (matrix: ReadonlyMap<HsmId, readonly HsmUser[]>, lockoutLimit: number): readonly Difference[] => {
  const [reference] = matrix
  if (reference === undefined) return []
  const [referenceId, expectedUsers] = reference
  const expected = byName(expectedUsers)
  const differences: Difference[] = []
  for (const [hsmId, users] of matrix) {
    const actual = byName(users)
    for (const name of new Set([...expected.keys(), ...actual.keys()])) {
      const [mine, theirs] = [actual.get(name), expected.get(name)]
      if (hsmId !== referenceId) differences.push(...compare(hsmId, mine, theirs))
      if (mine !== undefined && (mine.loginFailureCount ?? 0) > 0) {
        const actualCount = String(mine.loginFailureCount)
        differences.push({ user: userKey(mine), hsmId, field: 'loginFailureCount', expected: '0', actual: actualCount })
      }
      if (mine !== undefined) differences.push(...wrongAnywhere(hsmId, mine, lockoutLimit))
    }
  }
  return differences
}

/** What is worth knowing wherever it stands: a lock, said or counted, and HSMs of one cluster that disagree. */
const wrongAnywhere = (hsmId: HsmId, user: HsmUser, lockoutLimit: number): Difference[] => {
  const found: Difference[] = []
  const key = userKey(user)
  if (isLocked(user, lockoutLimit)) found.push({ user: key, hsmId, field: 'locked', expected: 'false', actual: 'true' })
  if (user.inconsistent.length > 0) {
    const actual = user.inconsistent.join(', ')
    found.push({ user: key, hsmId, field: 'inconsistent', expected: 'nothing', actual })
  }
  return found
}

const byName = (users: readonly HsmUser[]): ReadonlyMap<string, HsmUser> =>
  new Map(users.map((user) => [user.name.toLowerCase(), user]))

const compare = (hsmId: HsmId, mine: HsmUser | undefined, theirs: HsmUser | undefined): Difference[] => {
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
