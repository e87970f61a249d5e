import { showClusterRef } from './cluster.js'
import { findUser, type HsmUser, type HsmUserRef, officerType, type UserKey, userKey } from './hsm-user.js'
import type { HsmId } from './ids.js'
import type { Roster } from './roster.js'
import type { MappedCluster } from './roster-map.js'
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
    [...fields].every((field) => ['presence', 'coverage', 'userId', 'loginFailureCount'].includes(field)) &&
    !isRegistered(user, facts)
  const missing = stated.filter(isOnlyMissing).map(({ user }) => user)
  return [
    ...stated
      .filter((one) => !isOnlyMissing(one))
      .map(({ user, fields }) => ({ users: [userKey(user)], steps: stepsByHand(user, fields, facts) })),
    ...repairs(missing, facts),
  ].filter(({ steps }) => steps.length > 0)
}

type Field = UserDifference['field'] | 'coverage'

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
    ...(lacks ? [`missing somewhere, and not brought there by this version: ${hand.copy(user)}`] : []),
    ...(fields.has('coverage') ? [hand.coverage(user)] : []),
    ...(fields.has('locked') ? [hand.lock(user)] : []),
    ...(fields.has('twoFactor') ? [hand.secondFactor(user)] : []),
    ...(fields.has('mofnPubKey') ? [hand.quorumKey(user)] : []),
  ]
}

/** As few repairs as there have to be: each takes along whoever is whole where it copies from. */
const repairs = (users: readonly HsmUser[], facts: DriftFacts): readonly DriftAdvice[] => {
  const { roster, utility, matrix } = facts
  const origins = unitsOf(roster, utility).map(({ unitId, servers }) => ({
    from: servers.length > 1 || unitId === servers[0].clusterId ? refOf(facts, servers[0].clusterId) : unitId,
    has: (user: HsmUser) =>
      servers.every(({ hsmId }) => {
        const row = findUser(matrix.get(hsmId) ?? [], user)
        return row !== undefined && row.inconsistent.length === 0
      }),
  }))
  const isCopied = capabilitiesOf(utility).copy.between === 'hsms' || origins.length > 1
  let left = users
  const advice: DriftAdvice[] = []
  for (const { from, has } of isCopied ? origins : []) {
    const together = left.filter(has)
    if (together.length === 0) continue
    left = left.filter((user) => !together.includes(user))
    advice.push({ users: together.map(userKey), steps: [repairCommand(together, from, facts)] })
  }
  const hand = byHandWith(utility)
  return [...advice, ...left.map((user) => ({ users: [userKey(user)], steps: [hand.coverage(user)] }))]
}

const repairCommand = (users: readonly HsmUser[], from: string, facts: DriftFacts): string => {
  const [source, ...destinations] = facts.clusters.map(({ clusterId }) => refOf(facts, clusterId))
  return [
    `lockstep users repair --source ${source}`,
    ...destinations.map((ref) => `--destination ${ref}`),
    ...users.map((user) => `--user ${userKey({ ...user, type: officerType(user.type) })}`),
    ...(users.some(({ name }) => name.toLowerCase() === 'kmsuser') ? ['--allow-kmsuser'] : []),
    `--from ${from} --password prompt --officer NAME --officer-password prompt`,
  ].join(' ')
}

const refOf = ({ clusters }: DriftFacts, clusterId: string): string => {
  const cluster = clusters.find((candidate) => candidate.clusterId === clusterId)
  if (cluster === undefined) return clusterId
  const { region, profile } = cluster
  return showClusterRef({ clusterId: cluster.clusterId, region, ...(profile === null ? {} : { profile }) })
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
