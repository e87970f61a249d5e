import { printable } from '../../adapters/terminal/printable.js'
import { renderTable } from '../../adapters/terminal/table.js'
import type { DriftAdvice } from '../../domain/drift-advice.js'
import { findUser, type HsmUser, type UserKey, userKey } from '../../domain/hsm-user.js'
import type { HsmId } from '../../domain/ids.js'
import type { Roster } from '../../domain/roster.js'
import type { UserDifference } from '../../domain/user-drift.js'
import { capabilitiesOf } from '../../domain/utility/capabilities.js'
import type { UtilityName } from '../../domain/utility/utility.js'
import type { PasswordProof } from '../../use-cases/prove-password.js'
import { listUsers } from './words.js'

/** What was listed, and through which utility. */
interface Listed {
  readonly roster: Roster
  readonly utility: UtilityName
}

/** Users in rows, HSMs in columns; a cell holds the user's ID and what is unusual about it. */
export const renderUsers = ({ roster, utility }: Listed, matrix: ReadonlyMap<HsmId, readonly HsmUser[]>): string => {
  const users = new Map<UserKey, HsmUser>()
  for (const listed of matrix.values())
    for (const user of listed) users.set(userKey({ ...user, name: user.name.toLowerCase() }), user)
  const head = ['USER', ...roster.map(({ serverId, hsmId }) => `${serverId} ${hsmId}`)]
  const rows = [...users.values()].map((user) => [
    userKey(user),
    ...roster.map(({ hsmId }) => showUser(findUser(matrix.get(hsmId) ?? [], user))),
  ])
  const isOfOne = new Set(roster.map(({ clusterId }) => clusterId)).size === roster.length
  const isOfClusters = capabilitiesOf(utility).listingReach === 'cluster' && !isOfOne
  return [renderTable(head, rows), ...(isOfClusters ? ['', listedAsOne(utility)] : [])].join('\n')
}

/** Where a listing has one row for all HSMs of a cluster. */
const listedAsOne = (utility: UtilityName): string =>
  `${utility} lists a cluster as one: what is said of its HSMs may be so of one of them.`

/**
 * One line per difference, and what can be done about it; what the utility shows of a cluster as one is one line.
 * @param path the configuration, for a command that can be pasted
 */
export const renderDrift = (
  differences: readonly UserDifference[],
  advice: readonly DriftAdvice[],
  { roster, utility }: Listed,
  path: string,
): string => {
  const clusterOf = new Map(roster.map(({ hsmId, clusterId }) => [hsmId, clusterId]))
  const all = differences.map(({ user, hsmId, field, expected, actual, evidence }) => {
    const where = evidence === 'cluster' ? (clusterOf.get(hsmId) ?? hsmId) : hsmId
    return [user, where, field, expected, actual]
  })
  const rows = [...new Map(all.map((row) => [row.join(' '), row])).values()]
  const isOfClusters = differences.some(({ evidence }) => evidence === 'cluster')
  return [
    rows.length === 0
      ? 'Nothing differs that a listing shows.'
      : renderTable(['USER', isOfClusters ? 'HSM OR CLUSTER' : 'HSM', 'FIELD', 'EXPECTED', 'ACTUAL'], rows),
    ...(isOfClusters ? ['', listedAsOne(utility)] : []),
    ...advice.flatMap(({ users, steps }) => [
      '',
      `${printable(listUsers(users))}:`,
      ...steps.map((step) => `  * ${printable(step)}`),
    ]),
    '',
    `Passwords were not compared: no listing shows one. To compare that of a user, by one login on each HSM:`,
    `  lockstep users prove --config ${path} --user CU:NAME --password prompt`,
  ].join('\n')
}

/** One line per HSM: whether it holds the password, and how far the login reached that says so. */
export const renderProofs = (proofs: readonly PasswordProof[]): string => {
  const rows = proofs.map((proof) => [proof.region, proof.clusterId, proof.hsmId, showMatch(proof), proof.reason ?? ''])
  return renderTable(['REGION', 'CLUSTER', 'HSM', 'HOLDS IT', 'REASON'], rows)
}

/** What can be done, one line each. */
export const renderSteps = (steps: readonly string[]): string =>
  ['Try this:', ...steps.map((step) => `  * ${printable(step)}`)].join('\n')

const showMatch = ({ match, evidence }: PasswordProof): string => {
  if (match === null) return 'unknown'
  // A login on the HSM alone goes without saying.
  return `${match ? 'yes' : 'no'}${evidence === 'cluster' ? ' (cluster)' : ''}`
}

const showUser = (user: HsmUser | undefined): string => {
  if (user === undefined) return 'absent'
  const remarks = [
    ...(user.loginFailureCount ? [`${user.loginFailureCount} failed`] : []),
    ...(user.locked ? ['locked'] : []),
    ...(user.twoFactor ? ['2FA'] : []),
    ...(user.mofnPubKey ? ['quorum key'] : []),
    ...user.inconsistent.map((field) => `${field} inconsistent`),
  ]
  // CloudHSM CLI shows no ID.
  return [user.userId === null ? 'there' : `ID ${user.userId}`, ...remarks].join(', ')
}
