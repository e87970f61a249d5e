import { type Answer, ConsoleFailure } from '../../domain/hsm-console.js'
import { findUser, type HsmUser, type UserKey } from '../../domain/hsm-user.js'
import type { HsmId } from '../../domain/ids.js'
import { nearLockout } from '../../domain/rotation/eligibility.js'
import type { CredentialName } from '../../domain/rotation/journal-entry.js'
import { budgetSpent } from '../../domain/rotation/login-budget.js'
import { type PlannedUser, rosterEntry } from '../../domain/rotation/plan.js'
import { whenDrained } from './draining.js'
import { answerOf, inLanes, inSession, inTwoConversations, loginOfficer, refusedPause, usersOf } from './hsm-work.js'
import { asPause, Pause } from './pause.js'
import type { RotationRun } from './rotation-run.js'

/**
 * Gives users the credential on one HSM by changePswd.
 * @throws {Pause} when the HSM refuses one of them
 */
export const changeCells = async (
  run: RotationRun,
  hsmId: HsmId,
  users: readonly PlannedUser[],
  credential: CredentialName,
): Promise<void> => {
  if (users.length === 0) return
  await inTwoConversations(users, (share) => {
    const waiting = new Set(share)
    return whenDrained(run, () => changeEach(run, hsmId, waiting, credential))
  })
}

/** Changes those that wait, one after the other; who is changed waits no more. */
const changeEach = (
  run: RotationRun,
  hsmId: HsmId,
  waiting: Set<PlannedUser>,
  credential: CredentialName,
): Promise<void> => {
  const server = rosterEntry(run.plan, hsmId)
  return inSession(run.parts, [server], async (session) => {
    await loginOfficer(run.parts, session, [server], await session.listUsers())
    for (const user of waiting) {
      const answer = await run.ask(session, { act: 'change', user: user.key, hsmId, credential }, async () =>
        answerOf(await session.changePassword(user, run.password(user.key, credential)), hsmId),
      )
      if (answer.kind !== 'done') throw refusedPause(`changePswd of ${user.key}`, server, answer)
      waiting.delete(user)
    }
    await session.logout()
  })
}

/**
 * Proves by one login per user which credential an HSM holds. The session logs out and ends before anything else is
 * written there: our own sessions count as logins too. A cell that clients brought near its lock-out after we wrote it
 * is written again first, which clears the count.
 * @returns the users whose login was refused
 * @throws {Pause} instead of a login that could come near a lock-out, or a second refusal in one invocation
 */
export const proveCells = async (
  run: RotationRun,
  hsmId: HsmId,
  users: readonly PlannedUser[],
  credential: CredentialName,
): Promise<readonly PlannedUser[]> => {
  if (users.length === 0) return []
  const refused = await inTwoConversations(users, (share) => proveShare(run, hsmId, share, credential))
  return refused.flat()
}

const proveShare = async (
  run: RotationRun,
  hsmId: HsmId,
  users: readonly PlannedUser[],
  credential: CredentialName,
): Promise<readonly PlannedUser[]> => {
  const first = await loginEach(run, hsmId, users, credential)
  if (first.nearLockout.length === 0) return first.refused
  const names = first.nearLockout.map((user) => user.key).join(', ')
  run.notice(`${names} is near its lock-out on ${hsmId}: written again to clear the count`)
  await changeCells(run, hsmId, first.nearLockout, credential)
  return (await loginEach(run, hsmId, users, credential)).refused
}

/** Logs in as each user, unless one of those we wrote is near its lock-out: then nobody logs in. */
const loginEach = async (
  run: RotationRun,
  hsmId: HsmId,
  users: readonly PlannedUser[],
  credential: CredentialName,
): Promise<{ readonly refused: readonly PlannedUser[]; readonly nearLockout: readonly PlannedUser[] }> => {
  const server = rosterEntry(run.plan, hsmId)
  return inSession(run.parts, [server], async (session) => {
    const listed = usersOf(await session.listUsers(), hsmId)
    const nearLockout = users.filter((user) => {
      const row = findUser(listed, user)
      return row !== undefined && budgetSpent(row, run.parts.lockoutLimit) && run.ledger.everWritten(user.key, hsmId)
    })
    if (nearLockout.length > 0) return { refused: [], nearLockout }
    run.failureCounts.look(users, hsmId, listed)
    const refused: PlannedUser[] = []
    for (const user of users) {
      allowLogin(run, hsmId, user, listed)
      const answer = await run.ask(session, { act: 'login', user: user.key, hsmId, credential }, async () =>
        answerOf(await session.login(user, run.password(user.key, credential)), hsmId),
      )
      if (answer.kind === 'done') await session.logout()
      else if (answer.kind === 'refused' && answer.reason === 'login-refused') refused.push(user)
      else throw refusedPause(`the login of ${user.key}`, server, answer)
    }
    return { refused, nearLockout: [] }
  })
}

/** What copying users found. */
export interface SyncReport {
  readonly answers: ReadonlyMap<UserKey, Answer>
  /** What each conversation saw of the target. */
  readonly looks: readonly TargetLook[]
}

/** The target's whole listing before and after. */
export interface TargetLook {
  readonly before: readonly HsmUser[]
  readonly after: readonly HsmUser[]
}

/**
 * Copies users with their password from one HSM to another by syncUser, in sessions on these two. The answers are the
 * caller's to judge, but for a user that is logged in.
 * @param credential what the origin was proved to hold
 */
export const syncCells = async (
  run: RotationRun,
  cells: SyncedCells,
  credential: CredentialName,
  options: SyncOptions = {},
): Promise<SyncReport> => {
  const reports = await inTwoConversations(cells.users, (users) =>
    whenDrained(run, async () => {
      const report = await syncShare(run, { ...cells, users }, credential, options)
      for (const [user, answer] of report.answers) {
        if (answer.kind !== 'refused' || answer.reason !== 'user-logged-in') continue
        throw refusedPause(`syncUser of ${user}`, rosterEntry(run.plan, cells.to), answer)
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
  /** An HSM to copy from; asked for each conversation. */
  readonly from: () => HsmId | Promise<HsmId>
  readonly to: HsmId
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
  const servers = [rosterEntry(run.plan, from), rosterEntry(run.plan, to)]
  return inSession(run.parts, servers, async (session) => {
    const listing = await session.listUsers()
    await loginOfficer(run.parts, session, servers, listing)
    const answers = new Map<UserKey, Answer>()
    for (const user of users) {
      const userId = idOnOrigin(user, usersOf(listing, from), from)
      const rehearsal = options.rehearsal === true
      const answer = await run.ask(
        session,
        { act: 'sync', user: user.key, from, hsmId: to, credential, rehearsal },
        () => session.syncUser(from, userId, to),
      )
      answers.set(user.key, answer)
    }
    const before = usersOf(listing, to)
    const after = options.compare === true ? usersOf(await session.listUsers(), to) : before
    await session.logout()
    return { answers, looks: [{ before, after }] }
  })
}

/** Gives one HSM the new credential of every user that is not proved to hold it there, and proves it. */
export const deliver = async (run: RotationRun, hsmId: HsmId, method: 'sync' | 'change'): Promise<void> => {
  const pending = run.notNew(hsmId)
  if (pending.length === 0) return
  // changePswd cannot create a user; where one is absent, syncUser does it under every reading of its rules.
  const absent = (user: PlannedUser) => run.ledger.cell(user.key, hsmId).state === 'absent'
  const synced = method === 'sync' ? pending : pending.filter(absent)
  const changed = method === 'sync' ? [] : pending.filter((user) => !absent(user))
  if (synced.length > 0) {
    const { answers } = await syncCells(run, { from: () => run.origins.next(), to: hsmId, users: synced }, 'new')
    for (const [user, answer] of answers) {
      if (answer.kind !== 'done') throw refusedPause(`syncUser of ${user}`, rosterEntry(run.plan, hsmId), answer)
    }
  }
  await changeCells(run, hsmId, changed, 'new')
  const refused = await proveCells(run, hsmId, pending, 'new')
  if (refused.length > 0) throw newRefused(run, hsmId, refused)
}

/** The pause after a login that should have succeeded. */
export const newRefused = (run: RotationRun, hsmId: HsmId, users: readonly PlannedUser[]): Pause => {
  const server = rosterEntry(run.plan, hsmId)
  const names = users.map((user) => user.key).join(', ')
  return new Pause(
    'NEW_CREDENTIAL_REFUSED',
    `${hsmId} (${server.region}, ${server.clusterId}) refused the new credential of ${names} although it was written there`,
  )
}

/**
 * Does `work` on several HSMs in parallel lanes. A lane that fails leaves the others running; then the run pauses and
 * names every HSM that failed.
 */
export const onEach = async (
  run: RotationRun,
  hsmIds: readonly HsmId[],
  work: (hsmId: HsmId) => Promise<void>,
): Promise<void> => pauseFor(await failuresOnEach(run, hsmIds, work))

/** As `onEach`, and leaves it to the caller what the failures mean. */
export const failuresOnEach = async (
  run: RotationRun,
  hsmIds: readonly HsmId[],
  work: (hsmId: HsmId) => Promise<void>,
): Promise<readonly unknown[]> => {
  const failures: unknown[] = []
  await inLanes(hsmIds, run.parts.concurrency, async (hsmId) => {
    try {
      await work(hsmId)
    } catch (error) {
      failures.push(error)
      if (error instanceof ConsoleFailure && error.kind === 'unreachable') await noteUnreachable(run, error)
    }
  })
  return failures
}

/** Pauses for all of these at once; faults of the program pass through. */
export const pauseFor = (failures: readonly unknown[]): void => {
  const [first, second] = failures
  if (first === undefined) return
  const pauses = failures.map((error) => asPause(error))
  const fault = pauses.indexOf(null)
  if (fault >= 0) throw failures[fault]
  if (second === undefined) throw pauses[0]
  throw new Pause(
    'SEVERAL_HSMS_FAILED',
    pauses.map((pause) => pause?.message).join('; '),
    pauses.flatMap((pause) => pause?.suggestions ?? []),
  )
}

/** Writes down which HSMs could not be reached; what they hold is not known until they answer. */
export const noteUnreachable = async (run: RotationRun, failure: ConsoleFailure): Promise<void> => {
  for (const hsmId of failure.hsmIds) await run.record({ type: 'unreachable', hsmId, reason: failure.message })
}

const allowLogin = (run: RotationRun, hsmId: HsmId, user: PlannedUser, listed: readonly HsmUser[]): void => {
  const row = findUser(listed, user)
  if (row === undefined) throw new Pause('USER_MISSING', `${user.key} is not listed on ${hsmId}`)
  if (budgetSpent(row, run.parts.lockoutLimit)) throw nearLockout(user, hsmId, row, run.parts.lockoutLimit)
  if (run.refusedNow(user.key, hsmId)) {
    throw new Pause('LOGIN_BUDGET', `${hsmId} refused ${user.key} once in this run already; it is not asked again`)
  }
}

const idOnOrigin = (user: PlannedUser, listed: readonly HsmUser[], origin: HsmId): number => {
  const userId = findUser(listed, user)?.userId
  if (userId === undefined || userId === null || userId !== user.userId) {
    throw new Pause(
      'USER_ID_CHANGED',
      `${user.key} has the ID ${userId ?? 'none'} on ${origin}, planned was ${user.userId}`,
    )
  }
  return userId
}
