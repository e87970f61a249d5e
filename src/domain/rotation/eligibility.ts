import { askForDrift, type ListedClusters } from '../ask-for-drift.js'
import { type OperatorError, refusal } from '../errors.js'
import { findUser, type HsmUser, type HsmUserRef, sameUser, userKey } from '../hsm-user.js'
import type { ClusterId, HsmId } from '../ids.js'
import { nameServer, type Roster } from '../roster.js'
import { isNearLockout, nearLockout } from './login-budget.js'
import type { PlannedUser } from './plan.js'

/** Users of every HSM of the roster, as listed just now. */
export type UserMatrix = ReadonlyMap<HsmId, readonly HsmUser[]>

export interface EligibilityRules {
  readonly lockoutLimit: number
  /** Users that are missing on some HSM are created there. */
  readonly createMissing: boolean
  readonly allowKmsuser: boolean
  /** A lock, and what HSMs of a cluster disagree about where the utility shows one row for all, may be what is repaired. */
  readonly repairs?: boolean
}

/** An HSM that others brought near a lock-out, or that lacks a user, is what a repair is for. */
export const REPAIR_RULES = { createMissing: true, repairs: true } as const

/** What a repair makes alike on the HSMs of a cluster: a copy brings a user that is missing, a change unlocks one. */
const REPAIRED = ['cluster-coverage', 'locked']

/** Users as they can be rotated, and the cells where one does not exist yet. */
export interface Eligible {
  readonly users: readonly PlannedUser[]
  readonly absent: readonly { readonly user: PlannedUser['key']; readonly hsmId: HsmId }[]
}

/** Where HSMs are, and how they are found again. */
export interface Where extends ListedClusters {
  readonly roster: Roster
}

/**
 * Whether these users may be rotated, by what the HSMs list.
 * @param source HSMs of the source cluster, where every user must exist
 * @param where where the HSMs are, for messages
 * @throws {OperatorError} the first rule that forbids it, naming user and HSM
 */
export const eligibleUsers = (
  users: readonly HsmUserRef[],
  matrix: UserMatrix,
  source: readonly HsmId[],
  rules: EligibilityRules,
  where: Where,
): Eligible => {
  const absent: { user: PlannedUser['key']; hsmId: HsmId }[] = []
  const planned = users.map((ref) => {
    refuseByName(ref, rules)
    const rows = new Map<HsmId, HsmUser>()
    const missing: HsmId[] = []
    for (const [hsmId, listed] of matrix) {
      const row = findUser(listed, ref)
      if (row === undefined) missing.push(hsmId)
      else rows.set(hsmId, row)
    }
    refuseIfMissing(ref, missing, rows.size, matrix, source, rules)
    for (const [hsmId, row] of rows) refuseByRow(ref, hsmId, row, rules, where)
    const [first] = rows.values()
    const listed = { type: first?.type ?? ref.type, name: first?.name ?? ref.name }
    const key = userKey(listed)
    for (const hsmId of missing) absent.push({ user: key, hsmId })
    const ids = new Set([...rows.values()].map((row) => row.userId))
    if (missing.length > 0 && ids.size > 1) throw cannotBeCopied(ref, missing)
    for (const hsmId of missing) for (const userId of ids) refuseTakenId(ref, userId, hsmId, matrix.get(hsmId) ?? [])
    return { ...listed, key, userId: ids.size === 1 ? (first?.userId ?? null) : null, idsAgree: ids.size === 1 }
  })
  return { users: planned, absent }
}

/**
 * Whether the officer of each cluster can do it: not by rotating itself, and not from near its own lock-out.
 * @param officerOf who does the work on a cluster
 * @param roster where the HSMs are that were listed
 * @throws {OperatorError} `OFFICER_ROTATES_ITSELF`, `OFFICER_UNKNOWN`, `NEAR_LOCKOUT`, `USER_LOCKED`, `OFFICER_NEEDS_2FA`, `OFFICER_NEEDS_QUORUM`
 */
export const checkOfficers = (
  officerOf: (clusterId: ClusterId) => HsmUserRef,
  users: readonly HsmUserRef[],
  matrix: UserMatrix,
  lockoutLimit: number,
  roster: Roster,
): void => {
  for (const { clusterId, region } of roster) {
    const officer = officerOf(clusterId)
    if (!users.some((user) => sameUser(user, officer))) continue
    throw refusal(
      'OFFICER_ROTATES_ITSELF',
      `the officer "${officer.name}" of ${region}/${clusterId} cannot rotate its own password`,
      ['give another crypto officer with --officer'],
    )
  }
  for (const server of roster) {
    const { hsmId, clusterId } = server
    const listed = matrix.get(hsmId)
    if (listed === undefined) continue
    const officer = officerOf(clusterId)
    const row = findUser(listed, officer)
    if (row === undefined) {
      throw refusal('OFFICER_UNKNOWN', `there is no crypto officer "${officer.name}" on ${nameServer(server)}`, [
        `officers there: ${officersOf(listed)}`,
        `where this cluster has an officer of its own: --officer ${clusterId}=NAME --officer-password ${clusterId}=prompt`,
      ])
    }
    if (row.twoFactor || row.mofnPubKey) {
      throw refusal(
        row.twoFactor ? 'OFFICER_NEEDS_2FA' : 'OFFICER_NEEDS_QUORUM',
        `the officer "${officer.name}" has ${row.twoFactor ? 'a second factor' : 'a quorum key'} on ${nameServer(server)}, which this version cannot use`,
        [
          `give a crypto officer without it with --officer, or for this cluster alone: --officer ${clusterId}=NAME --officer-password ${clusterId}=prompt`,
          'or let a second officer take it off for the rotation: a change of the password without it drops it',
        ],
      )
    }
    if (isNearLockout(row, lockoutLimit)) throw nearLockout(officer, nameServer(server), row, lockoutLimit)
  }
}

/** A user with several IDs is never copied, and only a copy creates it. */
const cannotBeCopied = (ref: HsmUserRef, missing: readonly HsmId[]): OperatorError =>
  refusal(
    'USER_MISSING',
    `${userKey(ref)} does not exist on ${missing.join(', ')}, and cannot be copied there: it has different IDs on the other HSMs`,
    [`create ${userKey(ref)} there by hand`],
  )

/**
 * A copy to an HSM where another user has the ID: syncUser may match by ID, and would overwrite that one.
 * @throws {OperatorError} `ID_TAKEN`
 */
export const refuseTakenId = (
  ref: HsmUserRef,
  userId: number | null,
  hsmId: HsmId,
  listed: readonly HsmUser[],
): void => {
  const other = listed.find((row) => row.userId !== null && row.userId === userId && !sameUser(row, ref))
  if (other === undefined) return
  throw refusal(
    'ID_TAKEN',
    `${userKey(ref)} has the ID ${userId}, which belongs to ${userKey(other)} on ${hsmId}; a copy could overwrite that user`,
    [`create ${userKey(ref)} on ${hsmId} by hand, where it gets another ID`],
  )
}

const refuseByName = (ref: HsmUserRef, rules: EligibilityRules): void => {
  if (ref.type === 'AU' || ref.name.toLowerCase() === 'app_user') {
    throw refusal('USER_NOT_ROTATABLE', `${userKey(ref)} belongs to the service and is never rotated`, [
      `leave --user ${userKey(ref)} out; the crypto users and officers are in lockstep users list --config FILE`,
    ])
  }
  if (ref.name.toLowerCase() === 'kmsuser' && !rules.allowKmsuser) {
    throw refusal(
      'KMSUSER',
      `${userKey(ref)} belongs to an AWS KMS custom key store, which changes its password itself`,
      ['add --allow-kmsuser if the key store is disconnected and you mean it'],
    )
  }
}

const refuseIfMissing = (
  ref: HsmUserRef,
  missing: readonly HsmId[],
  found: number,
  matrix: UserMatrix,
  source: readonly HsmId[],
  rules: EligibilityRules,
): void => {
  const [first] = missing
  if (first === undefined) return
  if (found === 0) {
    const sameName = [...matrix.values()].flat().find((row) => row.name.toLowerCase() === ref.name.toLowerCase())
    if (sameName !== undefined) {
      throw refusal('USER_WRONG_TYPE', `"${ref.name}" is a ${sameName.type} on the HSMs, not a ${ref.type}`, [
        `--user ${userKey(sameName)}`,
      ])
    }
    throw refusal('USER_NOT_FOUND', `there is no user ${userKey(ref)} on any HSM`, [
      'lockstep users list --config FILE',
      ...(rules.repairs === true
        ? ['where somebody has deleted it: an officer makes it there by hand, with any password; then the same again']
        : []),
    ])
  }
  // There the source is a cluster like any other.
  const onSource = rules.repairs === true ? undefined : missing.find((hsmId) => source.includes(hsmId))
  if (onSource !== undefined) {
    throw refusal('USER_MISSING', `${userKey(ref)} does not exist on ${onSource} of the source cluster`, [
      'take a cluster as source on whose HSMs all the users exist',
    ])
  }
  if (!rules.createMissing) {
    throw refusal('USER_MISSING', `${userKey(ref)} does not exist on ${missing.join(', ')}`, [
      'add --create-missing to copy the user there',
    ])
  }
}

const refuseByRow = (ref: HsmUserRef, hsmId: HsmId, row: HsmUser, rules: EligibilityRules, place: Where): void => {
  const server = place.roster.find((candidate) => candidate.hsmId === hsmId)
  const where = server === undefined ? hsmId : nameServer(server)
  const inconsistent = row.inconsistent.filter((field) => rules.repairs !== true || !REPAIRED.includes(field))
  if (inconsistent.length > 0) {
    throw refusal(
      'USER_INCONSISTENT',
      `the HSMs of the cluster of ${where} disagree about ${userKey(ref)}: ${inconsistent.join(', ')}`,
      [
        ...(inconsistent.includes('cluster-coverage')
          ? [
              'where some HSM lacks the user, an officer makes it there by user create, with the password the others hold',
            ]
          : []),
        ...askForDrift(place, 'says what repairs it: AWS CloudHSM User Guide, "inconsistent" values in user list'),
      ],
    )
  }
  if (row.twoFactor || row.mofnPubKey) {
    throw refusal(
      'USER_HAS_REGISTRATION',
      `${userKey(ref)} has ${row.twoFactor ? 'a second factor' : 'a quorum key'} on ${where}, which a change of its password would drop`,
      ['rotate the other users; this one cannot be rotated by this version'],
    )
  }
  if (rules.repairs !== true && isNearLockout(row, rules.lockoutLimit))
    throw nearLockout(ref, where, row, rules.lockoutLimit)
}

const officersOf = (listed: readonly HsmUser[]): string =>
  listed
    .filter((row) => row.type === 'CO' || row.type === 'PCO')
    .map((row) => row.name)
    .join(', ')
