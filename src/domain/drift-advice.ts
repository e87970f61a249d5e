import { clusterFlags, refOf, showClusterRef } from './cluster.js'
import { OperatorError } from './errors.js'
import { findUser, type HsmUser, type HsmUserRef, officerType, type UserKey, userKey } from './hsm-user.js'
import type { HsmId, UnitId } from './ids.js'
import type { Roster } from './roster.js'
import type { MappedCluster } from './roster-map.js'
import { eligibleUsers, REPAIR_RULES } from './rotation/eligibility.js'
import { DEFAULT_LOCKOUT_LIMIT } from './rotation/login-budget.js'
import { unitsOf } from './rotation/plan.js'
import type { UserDifference } from './user-drift.js'
import { byHandWith } from './utility/by-hand.js'
import { capabilitiesOf } from './utility/capabilities.js'
import type { UtilityName } from './utility/utility.js'

/** What can be done about users that are not the same everywhere. */
export interface DriftAdvice {
  readonly users: readonly UserKey[]
  /** One after the other: commands to paste, or what is to be done by hand. */
  readonly steps: readonly string[]
}

/** What drift was found in. */
export interface DriftFacts {
  readonly differences: readonly UserDifference[]
  readonly matrix: ReadonlyMap<HsmId, readonly HsmUser[]>
  readonly roster: Roster
  readonly clusters: readonly MappedCluster[]
  readonly utility: UtilityName
  readonly lockoutLimit: number
  /** Whether the login budget allows a login there: a repair asks what it copies from first. */
  readonly mayLogIn: (user: HsmUser, unitId: UnitId) => boolean
}

/**
 * What can be done about each user that differs: officers first, then, as AWS orders it, role, coverage, lock, second factor. A
 * user that is only missing somewhere is brought there by a repair; one whose attributes differ is for a person to decide.
 */
export const driftAdvice = (facts: DriftFacts): readonly DriftAdvice[] => {
  const differing = [...new Set(facts.differences.map(({ user }) => user))]
    .flatMap((key) => userOf(key, facts) ?? [])
    // The user of the service belongs to AWS.
    .filter(({ type }) => type !== 'AU')
    .sort((a, b) => Number(b.type !== 'CU') - Number(a.type !== 'CU'))
  const stated = differing.map((user) => ({ user, fields: fieldsOf(user, facts) }))
  const isOnlyMissing = ({ user, fields }: (typeof stated)[number]) =>
    (fields.has('presence') || fields.has('coverage')) &&
    [...fields].every((field) => REPAIRED.includes(field)) &&
    isTaken(user, facts)
  const missing = stated.filter(isOnlyMissing).map(({ user }) => user)
  return [
    ...stated
      .filter((one) => !isOnlyMissing(one))
      .map(({ user, fields }) => ({ users: [userKey(user)], steps: stepsByHand(user, fields, facts) })),
    ...repairs(missing, facts),
  ].filter(({ steps }) => steps.length > 0)
}

type Field = UserDifference['field'] | 'coverage'

/** What a repair that brings a user over takes in its stride. */
const REPAIRED: readonly Field[] = ['presence', 'coverage', 'userId', 'loginFailureCount', 'locked']

/** Whether a repair would take the user on, as the HSMs list it. */
const isTaken = (user: HsmUserRef, { matrix, roster, clusters, lockoutLimit }: DriftFacts): boolean => {
  try {
    const rules = { ...REPAIR_RULES, lockoutLimit, allowKmsuser: true }
    eligibleUsers([user], matrix, [], rules, { roster, clusters, leftOut: [] })
    return true
  } catch (error) {
    if (error instanceof OperatorError) return false
    throw error
  }
}

/** What differs of a user; what the HSMs of one cluster disagree about counts as the field it is. */
const fieldsOf = (user: HsmUserRef, { differences }: DriftFacts): ReadonlySet<Field> => {
  const fields = new Set<Field>()
  for (const { user: key, field, actual } of differences) {
    if (nameOf(key) !== user.name.toLowerCase()) continue
    if (field !== 'inconsistent') fields.add(field)
    else for (const word of actual.split(', ')) fields.add(INCONSISTENT[word] ?? 'inconsistent')
  }
  return fields
}

/** The words of `user list` of cloudhsm-cli. */
const INCONSISTENT: Readonly<Record<string, Field>> = {
  role: 'type',
  locked: 'locked',
  mfa: 'twoFactor',
  quorum: 'mofnPubKey',
  'cluster-coverage': 'coverage',
}

const stepsByHand = (user: HsmUserRef, fields: ReadonlySet<Field>, facts: DriftFacts): readonly string[] => {
  const hand = byHandWith(facts.utility)
  // What has another role is made anew, and has nothing of the rest then.
  if (fields.has('type')) return [hand.role(user, otherTypeOf(user, facts))]
  const lacks = fields.has('presence') || fields.has('coverage')
  return [
    ...(lacks && isRegistered(user, facts)
      ? [`missing somewhere, and not brought there by this version: ${hand.copy(user)}`]
      : []),
    ...(fields.has('coverage') || (lacks && !isTaken(user, facts) && !isRegistered(user, facts))
      ? [hand.coverage(user)]
      : []),
    ...(fields.has('locked') ? [hand.lock(user)] : []),
    ...(fields.has('locked') && isTaken(user, facts) ? [`or, ${byStore(user, facts)}`] : []),
    ...(fields.has('twoFactor') ? [hand.secondFactor(user)] : []),
    ...(fields.has('mofnPubKey') ? [hand.quorumKey(user)] : []),
  ]
}

/**
 * As few repairs as there have to be: each takes along whoever is whole where it copies from, and may log in there. Where no
 * unit is that, the store may know the password.
 */
const repairs = (users: readonly HsmUser[], facts: DriftFacts): readonly DriftAdvice[] => {
  const { roster, utility, matrix, mayLogIn } = facts
  const origins = unitsOf(roster, utility).map(({ unitId, servers }) => ({
    from: unitId === servers[0].clusterId ? shownRef(facts, servers[0].clusterId) : unitId,
    has: (user: HsmUser) =>
      servers.every(({ hsmId }) => {
        const row = findUser(matrix.get(hsmId) ?? [], user)
        return row !== undefined && !row.inconsistent.includes('cluster-coverage')
      }),
    lets: (user: HsmUser) => mayLogIn(user, unitId),
  }))
  const isCopied = capabilitiesOf(utility).copy.between === 'hsms' || origins.length > 1
  let left = users
  const advice: DriftAdvice[] = []
  for (const { from, has, lets } of isCopied ? origins : []) {
    const together = left.filter((user) => has(user) && lets(user))
    if (together.length === 0) continue
    left = left.filter((user) => !together.includes(user))
    const command = repairCommand(together, `--from ${from} --password prompt`, facts)
    advice.push({ users: together.map(userKey), steps: [command] })
  }
  const hand = byHandWith(utility)
  const isWhole = (user: HsmUser) => isCopied && origins.some(({ has }) => has(user))
  const fromStore = left.filter(isWhole).map((user) => ({
    users: [userKey(user)],
    steps: [byStore(user, facts), `else ${hand.lock(user)}; then users drift once more`],
  }))
  const byHand = left.filter((user) => !isWhole(user))
  return [...advice, ...fromStore, ...byHand.map((user) => ({ users: [userKey(user)], steps: [hand.coverage(user)] }))]
}

const byStore = (user: HsmUserRef, facts: DriftFacts): string =>
  `where a store keeps its password: ${repairCommand([user], '--to-current --store STORE', facts)}`

/** @param what flags that say what the HSMs are to hold */
const repairCommand = (users: readonly HsmUserRef[], what: string, facts: DriftFacts): string => {
  return [
    `lockstep users repair ${clusterFlags(facts.clusters)}`,
    ...users.map((user) => `--user ${userKey({ ...user, type: officerType(user.type) })}`),
    ...(users.some(({ name }) => name.toLowerCase() === 'kmsuser') ? ['--allow-kmsuser'] : []),
    ...(facts.lockoutLimit === DEFAULT_LOCKOUT_LIMIT ? [] : [`--lockout-limit ${facts.lockoutLimit}`]),
    `${what} --officer NAME --officer-password prompt`,
  ].join(' ')
}

const shownRef = ({ clusters }: DriftFacts, clusterId: string): string => {
  const cluster = clusters.find((candidate) => candidate.clusterId === clusterId)
  return cluster === undefined ? clusterId : showClusterRef(refOf(cluster))
}

const nameOf = (key: string): string => key.slice(key.indexOf(':') + 1).toLowerCase()

/** The user as the first HSM that has it lists it. */
const userOf = (key: string, { matrix }: DriftFacts): HsmUser | undefined =>
  [...matrix.values()].flat().find(({ name }) => name.toLowerCase() === nameOf(key))

const rowsOf = (user: HsmUserRef, { matrix }: DriftFacts): readonly HsmUser[] =>
  [...matrix.values()].flat().filter(({ name }) => name.toLowerCase() === user.name.toLowerCase())

/** No repair of this version copies a user with a second factor or a quorum key. */
const isRegistered = (user: HsmUserRef, facts: DriftFacts): boolean =>
  rowsOf(user, facts).some(({ twoFactor, mofnPubKey }) => twoFactor || mofnPubKey)

const otherTypeOf = (user: HsmUserRef, facts: DriftFacts): string =>
  rowsOf(user, facts).find(({ type }) => type !== user.type)?.type ?? (user.type === 'CU' ? 'CO' : 'CU')
