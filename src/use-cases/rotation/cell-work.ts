import { type Answer, ConsoleFailure, type CopiedUser } from '../../domain/hsm-console.js'
import { findUser, type HsmUser, type UserKey } from '../../domain/hsm-user.js'
import type { HsmId, UnitId } from '../../domain/ids.js'
import type { RosterEntry } from '../../domain/roster.js'
import { nearLockout, refuseTakenId } from '../../domain/rotation/eligibility.js'
import type { CredentialName } from '../../domain/rotation/journal-entry.js'
import { budgetSpent, UNCOUNTED_BUDGET } from '../../domain/rotation/login-budget.js'
import type { PlannedUser } from '../../domain/rotation/plan.js'
import { absentUsers } from './absent-users.js'
import { whenDrained } from './draining.js'
import {
  inLanes,
  inSession,
  inSessionsOn,
  inTwoConversations,
  jointAnswer,
  loginOfficer,
  refusedPause,
  usersOf,
} from './hsm-work.js'
import { agreeToWrite, byConsent, refuseKept } from './other-cells.js'
import { asPause, Pause } from './pause.js'
import type { RotationRun } from './rotation-run.js'

/**
 * Gives users the credential on one unit by a change of their password.
 * @throws {Pause} when the unit refuses one of them
 */
export const changeCells = async (
  run: RotationRun,
  unitId: UnitId,
  users: readonly PlannedUser[],
  credential: CredentialName,
): Promise<void> => {
  if (users.length === 0) return
  await agreeToWrite(run, unitId, users)
  await inTwoConversations(users, (share) => {
    const waiting = new Set(share)
    return whenDrained(run, () => changeEach(run, unitId, waiting, credential))
  })
}

/** Changes those that wait, one after the other; who is changed waits no more. */
const changeEach = (
  run: RotationRun,
  unitId: UnitId,
  waiting: Set<PlannedUser>,
  credential: CredentialName,
): Promise<void> => {
  const servers = run.servers(unitId)
  const hsmIds = servers.map(({ hsmId }) => hsmId)
  return inSession(run.parts, servers, async (session) => {
    await loginOfficer(run.parts, session, servers, await session.listUsers())
    for (const user of waiting) {
      const answer = await run.ask(session, { act: 'change', user: user.key, hsmIds, credential }, async () =>
        jointAnswer(await session.changePassword(user, run.password(user.key, credential)), hsmIds),
      )
      if (answer.kind !== 'done') throw refusedPause(`${run.words.change} of ${user.key}`, run.name(unitId), answer)
      waiting.delete(user)
    }
    await session.logout()
  })
}

/**
 * Proves by one login per user which credential the HSMs of a unit hold. Each session logs out and ends before anything
 * else is written there: our own sessions count as logins too. A cell that clients brought near its lock-out after we
 * wrote it is written again first, which clears the count.
 * @returns the users whose login was refused; they were not asked on the HSMs that follow
 * @throws {Pause} instead of a login that could come near a lock-out, or a second refusal in one invocation
 */
export const proveCells = async (
  run: RotationRun,
  unitId: UnitId,
  users: readonly PlannedUser[],
  credential: CredentialName,
): Promise<readonly PlannedUser[]> => {
  if (users.length === 0) return []
  const refused = await inTwoConversations(users, (share) => proveShare(run, unitId, share, credential))
  return refused.flat()
}

const proveShare = async (
  run: RotationRun,
  unitId: UnitId,
  users: readonly PlannedUser[],
  credential: CredentialName,
): Promise<readonly PlannedUser[]> => {
  const first = await loginEach(run, unitId, users, credential)
  if (first.nearLockout.length === 0) return first.refused
  const names = first.nearLockout.map((user) => user.key).join(', ')
  run.notice(`${names} is near its lock-out on ${unitId}: written again to clear the count`)
  await changeCells(run, unitId, first.nearLockout, credential)
  return (await loginEach(run, unitId, users, credential)).refused
}

/** Logs in as each user, unless one of those we wrote is near its lock-out: then nobody logs in there. */
export const loginEach = async (
  run: RotationRun,
  unitId: UnitId,
  users: readonly PlannedUser[],
  credential: CredentialName,
): Promise<{ readonly refused: readonly PlannedUser[]; readonly nearLockout: readonly PlannedUser[] }> => {
  const refused = new Set<PlannedUser>()
  const nearLockout = new Set<PlannedUser>()
  await inSessionsOn(run.parts, run.servers(unitId), async (session, reached) => {
    const listing = await session.listUsers()
    for (const { hsmId } of reached) {
      const listed = usersOf(listing, hsmId)
      await run.noteLocks(hsmId, listed)
      for (const user of users) {
        const row = findUser(listed, user)
        const near = row !== undefined && budgetSpent(row, run.parts.lockoutLimit)
        if (near && run.ledger.everWritten(user.key, hsmId)) nearLockout.add(user)
      }
      if (nearLockout.size === 0) run.failureCounts.look(users, hsmId, listed)
    }
    if (nearLockout.size > 0) return
    const hsmIds = reached.map(({ hsmId }) => hsmId)
    for (const user of users) {
      if (refused.has(user)) continue
      for (const server of reached) allowLogin(run, server, user, usersOf(listing, server.hsmId))
      const answer = await run.ask(session, { act: 'login', user: user.key, hsmIds, credential }, async () =>
        jointAnswer(await session.login(user, run.password(user.key, credential), hsmIds), hsmIds),
      )
      if (answer.kind === 'done') await session.logout()
      else if (answer.kind === 'refused' && answer.reason === 'login-refused') refused.add(user)
      else throw refusedPause(`the login of ${user.key}`, run.name(unitId), answer)
    }
  })
  return { refused: [...refused], nearLockout: [...nearLockout] }
}

/** What copying users found. */
export interface SyncReport {
  readonly answers: ReadonlyMap<UserKey, Answer>
  /** What each conversation saw of the target. */
  readonly looks: readonly TargetLook[]
}

/** The whole listing of one HSM of the target, before and after. */
export interface TargetLook {
  readonly before: readonly HsmUser[]
  readonly after: readonly HsmUser[]
}

/**
 * Copies users with their password from one unit to another, in sessions on these two. The answers are the caller's to
 * judge, but for a user that is logged in.
 * @param credential what the origin was proved to hold
 */
export const syncCells = async (
  run: RotationRun,
  cells: SyncedCells,
  credential: CredentialName,
  options: SyncOptions = {},
): Promise<SyncReport> => {
  if (options.rehearsal !== true) await agreeToWrite(run, cells.to, cells.users)
  const reports = await inTwoConversations(cells.users, (users) =>
    whenDrained(run, async () => {
      const report = await syncShare(run, { ...cells, users }, credential, options)
      for (const [user, answer] of report.answers) {
        if (answer.kind !== 'refused' || answer.reason !== 'user-logged-in') continue
        throw refusedPause(`${run.words.copy} of ${user}`, run.name(cells.to), answer)
      }
      return report
    }),
  )
  return {
    answers: new Map(reports.flatMap(({ answers }) => [...answers])),
    looks: reports.flatMap(({ looks }) => looks),
  }
}

interface SyncedCells {
  /** A unit to copy from; asked for each conversation. */
  readonly from: () => UnitId | Promise<UnitId>
  readonly to: UnitId
  readonly users: readonly PlannedUser[]
}

interface SyncOptions {
  /** The origin's credential is the one the target holds already. */
  readonly rehearsal?: boolean
  /** The target is listed again afterwards. */
  readonly compare?: boolean
}

const syncShare = async (
  run: RotationRun,
  cells: SyncedCells,
  credential: CredentialName,
  options: SyncOptions,
): Promise<SyncReport> => {
  const { to, users } = cells
  const from = await cells.from()
  const targets = run.servers(to)
  const hsmIds = targets.map(({ hsmId }) => hsmId)
  const servers = [...run.servers(from), ...targets]
  return inSession(run.parts, servers, async (session) => {
    const listing = await session.listUsers()
    await loginOfficer(run.parts, session, servers, listing)
    const answers = new Map<UserKey, Answer>()
    for (const user of users) {
      const copied = asListed(run, user, listing, from)
      for (const hsmId of hsmIds) refuseTakenId(user, user.userId, hsmId, usersOf(listing, hsmId))
      const rehearsal = options.rehearsal === true
      const intent = { act: 'sync', user: user.key, from, hsmIds, credential, rehearsal } as const
      answers.set(user.key, await run.ask(session, intent, () => session.copyUser(copied, from, to)))
    }
    const after = options.compare === true ? await session.listUsers() : listing
    await session.logout()
    const looks = hsmIds.map((hsmId) => ({ before: usersOf(listing, hsmId), after: usersOf(after, hsmId) }))
    return { answers, looks }
  })
}

/** Gives one unit the new credential of every user that is not proved to hold it on each of its HSMs, and proves it. */
export const deliver = async (run: RotationRun, unitId: UnitId, method: 'sync' | 'change'): Promise<void> => {
  const { free: pending, kept } = byConsent(run, unitId, run.notNew(unitId))
  await deliverTo(run, unitId, pending, method)
  refuseKept(run, unitId, kept)
}

const deliverTo = async (
  run: RotationRun,
  unitId: UnitId,
  pending: readonly PlannedUser[],
  method: 'sync' | 'change',
): Promise<void> => {
  if (pending.length === 0) return
  // No change can create a user; where one is absent, a copy does it under every reading of its rules.
  const absent = method === 'sync' ? new Set(pending) : await absentUsers(run, unitId, pending)
  if (absent.size > 0) await run.origins.ensure()
  // Where there was no origin yet, this very unit may have become one.
  const synced = pending.filter((user) => absent.has(user) && !run.provedEverywhere(unitId, [user]))
  const changed = pending.filter((user) => !absent.has(user))
  if (synced.length > 0) {
    const { answers } = await syncCells(run, { from: () => run.origins.next(), to: unitId, users: synced }, 'new')
    for (const [user, answer] of answers) {
      if (answer.kind !== 'done') throw refusedPause(`${run.words.copy} of ${user}`, run.name(unitId), answer)
    }
  }
  await changeCells(run, unitId, changed, 'new')
  const refused = await proveCells(run, unitId, [...synced, ...changed], 'new')
  if (refused.length > 0) throw newRefused(run, unitId, refused)
}

/** The pause after a login that should have succeeded. */
export const newRefused = (run: RotationRun, unitId: UnitId, users: readonly PlannedUser[]): Pause => {
  const names = users.map((user) => user.key).join(', ')
  return new Pause(
    'NEW_CREDENTIAL_REFUSED',
    `${run.name(unitId)} refused the new credential of ${names} although it was written there`,
  )
}

/**
 * Does `work` on several units in parallel lanes. A lane that fails leaves the others running; then the run pauses and
 * names every unit that failed.
 */
export const onEach = async (
  run: RotationRun,
  units: readonly UnitId[],
  work: (unitId: UnitId) => Promise<void>,
): Promise<void> => pauseFor(await failuresOnEach(run, units, work))

/** As `onEach`, and leaves it to the caller what the failures mean. */
export const failuresOnEach = async (
  run: RotationRun,
  units: readonly UnitId[],
  work: (unitId: UnitId) => Promise<void>,
): Promise<readonly unknown[]> => {
  const failures: unknown[] = []
  await inLanes(units, run.parts.concurrency, async (unitId) => {
    try {
      await work(unitId)
    } catch (error) {
      failures.push(error)
      if (error instanceof ConsoleFailure && error.kind === 'unreachable') await noteUnreachable(run, error)
    }
  })
  return failures
}

/** Pauses for all of these at once, under their code where they share one; faults of the program pass through. */
export const pauseFor = (all: readonly unknown[]): void => {
  // A refused officer stops several lanes by one and the same error.
  const failures = [...new Set(all)]
  const [first, second] = failures
  if (first === undefined) return
  const pauses = failures.map((error) => asPause(error))
  const fault = pauses.indexOf(null)
  if (fault >= 0) throw failures[fault]
  if (second === undefined) throw pauses[0]
  const codes = new Set(pauses.flatMap((pause) => pause?.code ?? []))
  const [code] = codes
  throw new Pause(
    codes.size === 1 && code !== undefined ? code : 'SEVERAL_HSMS_FAILED',
    pauses.map((pause) => pause?.message).join('; '),
    [...new Set(pauses.flatMap((pause) => pause?.suggestions ?? []))],
  )
}

/** Writes down which HSMs could not be reached; what they hold is not known until they answer. */
export const noteUnreachable = async (run: RotationRun, failure: ConsoleFailure): Promise<void> => {
  for (const hsmId of failure.hsmIds) await run.record({ type: 'unreachable', hsmId, reason: failure.message })
}

const allowLogin = (
  run: RotationRun,
  { hsmId, clusterId }: RosterEntry,
  user: PlannedUser,
  listed: readonly HsmUser[],
): void => {
  const row = findUser(listed, user)
  if (row === undefined) throw new Pause('USER_MISSING', `${user.key} is not listed on ${hsmId}`)
  if (budgetSpent(row, run.parts.lockoutLimit)) throw nearLockout(user, hsmId, row, run.parts.lockoutLimit)
  if (run.refusedNow(user.key, hsmId)) {
    throw new Pause('LOGIN_BUDGET', `${hsmId} refused ${user.key} once in this run already; it is not asked again`)
  }
  if (row.loginFailureCount !== null || run.ledger.failedLoginsOf(user.key, clusterId) < UNCOUNTED_BUDGET) return
  throw new Pause(
    'LOGIN_BUDGET',
    `${clusterId} refused ${UNCOUNTED_BUDGET} logins of ${user.key} in this rotation, and its count cannot be read; it is not asked again`,
    ['an admin clears the count by changing the password'],
  )
}

/** The user as its origin lists it, which has to be the user that was planned. */
const asListed = (
  run: RotationRun,
  user: PlannedUser,
  listing: ReadonlyMap<HsmId, readonly HsmUser[]>,
  origin: UnitId,
): CopiedUser => {
  for (const { hsmId } of run.servers(origin)) {
    const row = findUser(usersOf(listing, hsmId), user)
    if (row !== undefined && row.userId === user.userId) continue
    throw new Pause(
      'USER_ID_CHANGED',
      row === undefined
        ? `${user.key} is not listed on ${hsmId} any more`
        : `${user.key} has the ID ${row.userId ?? 'none'} on ${hsmId}, planned was ${user.userId}`,
    )
  }
  return user
}
