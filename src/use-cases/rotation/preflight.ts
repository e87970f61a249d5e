import { type OperatorError, refusal } from '../../domain/errors.js'
import { ConsoleFailure, type HsmConsole } from '../../domain/hsm-console.js'
import { findUser, type HsmUser, type UserKey } from '../../domain/hsm-user.js'
import type { ClusterId, HsmId } from '../../domain/ids.js'
import type { Roster, RosterEntry } from '../../domain/roster.js'
import { nearLockout, type UserMatrix } from '../../domain/rotation/eligibility.js'
import { budgetSpent } from '../../domain/rotation/login-budget.js'
import type { PlannedUser } from '../../domain/rotation/plan.js'
import type { Secret } from '../../domain/secret.js'
import { answerOf, inLanes, inSession, loginOfficer, usersOf } from './hsm-work.js'
import { describeFailure } from './pause.js'
import type { HsmWork } from './rotation-run.js'

/** What a listing of every HSM found. */
export interface ReadUsers {
  readonly matrix: UserMatrix
  /** Conversations that broke before anything was said. */
  readonly failures: readonly ConsoleFailure[]
}

/** Lists the users of every HSM, each in a session of its own that proves the roster. No login. */
export const readUsers = async (console: HsmConsole, roster: Roster, concurrency: number): Promise<ReadUsers> => {
  const failures: ConsoleFailure[] = []
  const matrix = new Map<HsmId, readonly HsmUser[]>()
  const listings = await inLanes(roster, concurrency, async (server) => {
    try {
      return await inSession({ console }, [server], async (session) => usersOf(await session.listUsers(), server.hsmId))
    } catch (error) {
      if (!(error instanceof ConsoleFailure)) throw error
      failures.push(error)
      return null
    }
  })
  for (const [index, { hsmId }] of roster.entries()) {
    const listing = listings[index] ?? null
    if (listing !== null) matrix.set(hsmId, listing)
  }
  return { matrix, failures }
}

/**
 * As `readUsers`, where every HSM has to answer.
 * @throws {OperatorError} naming every HSM that cannot be reached or is another one than AWS reported
 */
export const readAllUsers = async (console: HsmConsole, roster: Roster, concurrency: number): Promise<UserMatrix> => {
  const { matrix, failures } = await readUsers(console, roster, concurrency)
  if (failures.length > 0) throw refusedBy(failures)
  return matrix
}

/** @throws {OperatorError} `OFFICER_REFUSED_BEFORE`, unless the operator wants another try */
export const refuseKnownOfficer = async (
  { officer, officerRefusals }: HsmWork,
  clusterIds: readonly ClusterId[],
  retry: boolean,
): Promise<void> => {
  const known = await officerRefusals.find(officer.user.name, clusterIds)
  if (known === null || retry) return
  throw refusal(
    'OFFICER_REFUSED_BEFORE',
    `the password of the officer "${officer.user.name}" was refused on ${known.clusterId} at ${known.at} and is not tried again by itself`,
    ['compare the password with the one in your vault, then add --retry-officer'],
  )
}

/**
 * The officer logs in on one HSM first, and on the others only after that succeeded. Where current credentials are
 * given, each cell proves them by one login, in the same order.
 * @returns whether the current credentials are proved, or were refused by the first HSM and then asked of no other
 * @throws {OperatorError} `OFFICER_REFUSED`, `CURRENT_REFUSED`, or the first HSM that failed
 */
export const proveLogins = async (
  work: HsmWork,
  roster: Roster,
  users: readonly PlannedUser[],
  current: ReadonlyMap<UserKey, Secret>,
  { firstMayRefuse = false } = {},
): Promise<'proved' | 'refused-by-first'> => {
  const [first, ...others] = roster
  if (first === undefined) return 'proved'
  try {
    const refused = await proveOn(work, first, users, current)
    if (refused !== null && !firstMayRefuse) throw refused
    const asked = refused === null ? current : new Map()
    await inLanes(others, work.concurrency, async (server) => {
      const elsewhere = await proveOn(work, server, users, asked)
      if (elsewhere !== null) throw elsewhere
    })
    await work.officerRefusals.clear(
      work.officer.user.name,
      roster.map((server) => server.clusterId),
    )
    return refused === null ? 'proved' : 'refused-by-first'
  } catch (error) {
    throw error instanceof ConsoleFailure ? refusedBy([error]) : error
  }
}

/** @returns the refusal of a current credential; nobody else is asked on this HSM then */
const proveOn = (
  work: HsmWork,
  server: RosterEntry,
  users: readonly PlannedUser[],
  current: ReadonlyMap<UserKey, Secret>,
): Promise<OperatorError | null> =>
  inSession(work, [server], async (session) => {
    const listing = await session.listUsers()
    await loginOfficer(work, session, [server], listing)
    await session.logout()
    for (const user of users) {
      const secret = current.get(user.key)
      const row = findUser(usersOf(listing, server.hsmId), user)
      if (secret === undefined || row === undefined) continue
      if (budgetSpent(row, work.lockoutLimit)) throw nearLockout(user, server.hsmId, row, work.lockoutLimit)
      const answer = answerOf(await session.login(user, secret), server.hsmId)
      if (answer.kind !== 'done') {
        return refusal(
          'CURRENT_REFUSED',
          `${server.hsmId} (${server.region}, ${server.clusterId}) refused the current credential given for ${user.key}: ${answer.text}`,
          ['this HSM may hold another password: compare with lockstep users prove', 'or leave --current-password out'],
        )
      }
      await session.logout()
    }
    return null
  })

/** Broken conversations before anything changed, as one refusal that names every HSM. */
export const refusedBy = (failures: readonly ConsoleFailure[]): OperatorError => {
  const described = failures.map(describeFailure)
  return refusal(
    described[0]?.code ?? 'HSM_UNREACHABLE',
    `${described.map(({ message }) => message).join('; ')}; nothing has changed`,
    described.flatMap(({ suggestions }) => suggestions).slice(0, 1),
  )
}
