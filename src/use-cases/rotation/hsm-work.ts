import pLimit from 'p-limit'
import { type OperatorError, refusal } from '../../domain/errors.js'
import { type Answer, type Answers, ConsoleFailure, type HsmSession } from '../../domain/hsm-console.js'
import { findUser, type HsmUser, userKey } from '../../domain/hsm-user.js'
import type { HsmId } from '../../domain/ids.js'
import { nameServer, type RosterEntry } from '../../domain/roster.js'
import { nearLockout } from '../../domain/rotation/eligibility.js'
import { budgetSpent } from '../../domain/rotation/login-budget.js'
import { Pause } from './pause.js'
import type { HsmWork, OfficerLogin, OfficerOf } from './rotation-run.js'

/** Runs `work` in a session on these HSMs and ends the session, whatever happens. */
export const inSession = async <T>(
  { console }: Pick<HsmWork, 'console'>,
  servers: readonly RosterEntry[],
  work: (session: HsmSession) => Promise<T>,
): Promise<T> => {
  const session = await console.open(servers)
  try {
    return await work(session)
  } finally {
    await session.close()
  }
}

/**
 * Does `work` in sessions that together reach each of these HSMs once, one session after the other: a session on each
 * HSM alone, or a single one where the utility leads from one HSM to all of its cluster.
 * @param servers of one unit
 */
export const inSessionsOn = async (
  work: Pick<HsmWork, 'console'>,
  servers: readonly RosterEntry[],
  visit: (session: HsmSession, reached: readonly RosterEntry[]) => Promise<void>,
): Promise<void> => {
  const visited = new Set<HsmId>()
  for (const server of servers) {
    if (visited.has(server.hsmId)) continue
    await inSession(work, [server], async (session) => {
      refuseOthers(session, servers)
      const reached = servers.filter(({ hsmId }) => session.hsmIds.includes(hsmId))
      for (const { hsmId } of reached) visited.add(hsmId)
      await visit(session, reached)
    })
  }
}

/**
 * Where the utility leads from one HSM to all of its cluster, it also finds one that was out of reach a moment ago and was
 * left out. What is said then would reach an HSM that no journal names.
 * @throws {OperatorError} `HSM_BACK`
 */
const refuseOthers = (session: HsmSession, servers: readonly RosterEntry[]): void => {
  const others = session.hsmIds.filter((hsmId) => !servers.some((server) => server.hsmId === hsmId))
  if (others.length === 0) return
  throw refusal(
    'HSM_BACK',
    `${others.join(', ')} could not be reached and was left out, and is back: what its cluster is told would reach it too`,
    ['the same command again takes it along'],
  )
}

/** Does `work` for each item, in parallel lanes. All lanes end before this does; then the first failure is thrown. */
export const inLanes = async <T, R>(
  items: readonly T[],
  concurrency: number,
  work: (item: T) => Promise<R>,
): Promise<R[]> => {
  const limit = pLimit(concurrency)
  const results = await Promise.allSettled(items.map((item) => limit(() => work(item))))
  return results.map((result) => {
    if (result.status === 'rejected') throw result.reason
    return result.value
  })
}

/** Fewer users are not worth a second conversation: its own connection, listing and login take as long. */
const WORTH_TWO = 8

/**
 * Does `work` for users of one HSM in two conversations side by side, half of the users each: while one of them waits
 * for the terminal, the journal or the other HSM of a copy, the HSM works for the other.
 */
export const inTwoConversations = async <User, R>(
  users: readonly User[],
  work: (share: readonly User[]) => Promise<R>,
): Promise<R[]> => {
  if (users.length < WORTH_TWO) return [await work(users)]
  const half = Math.ceil(users.length / 2)
  return inLanes([users.slice(0, half), users.slice(half)], 2, work)
}

/** The users of one HSM of a session. */
export const usersOf = (listing: ReadonlyMap<HsmId, readonly HsmUser[]>, hsmId: HsmId): readonly HsmUser[] =>
  listing.get(hsmId) ?? []

/** The answer of one HSM. */
export const answerOf = (answers: Answers, hsmId: HsmId): Answer =>
  answers.get(hsmId) ?? { kind: 'unclear', text: 'the utility said nothing about this HSM' }

/** The answer of HSMs that one command reached together: done where all did it, else what the first other one said. */
export const jointAnswer = (answers: Answers, hsmIds: readonly HsmId[]): Answer => {
  const each = hsmIds.map((hsmId) => answerOf(answers, hsmId))
  return each.find(({ kind }) => kind === 'unclear') ?? each.find(({ kind }) => kind !== 'done') ?? { kind: 'done' }
}

/**
 * Logs the officers in on every HSM of the session, each on those of its clusters, after looking at its failure count
 * there. Waits for logins of other lanes on the same HSMs.
 * @param listing what `listUsers` said in this session
 * @throws {OperatorError} `OFFICER_REFUSED`, here or in another lane, and then the password is not tried again by itself;
 * `HSM_BACK`
 */
export const loginOfficer = async (
  work: HsmWork,
  session: HsmSession,
  servers: readonly RosterEntry[],
  listing: ReadonlyMap<HsmId, readonly HsmUser[]>,
): Promise<void> => {
  refuseOthers(session, servers)
  for (const [officer, its] of byOfficer(work.officerOf, servers)) {
    await work.officerLogins.login(
      officer,
      its,
      async (unanswered) => {
        const counts = unanswered.length === 0 ? listing : await session.listUsers()
        refuseUncertainCounts(work, officer, its, unanswered, counts)
      },
      () => tryOfficer(work, officer, session, its, listing),
    )
  }
}

/** The HSMs that each officer works on, in their order. */
const byOfficer = (
  officerOf: OfficerOf,
  servers: readonly RosterEntry[],
): ReadonlyMap<OfficerLogin, readonly RosterEntry[]> => {
  const groups = new Map<OfficerLogin, RosterEntry[]>()
  for (const server of servers) {
    const officer = officerOf(server.clusterId)
    const group = groups.get(officer)
    if (group === undefined) groups.set(officer, [server])
    else group.push(server)
  }
  return groups
}

/**
 * Looks at the officer's failure counts before its login.
 * @param unanswered HSMs that never answered a login of this invocation
 */
const refuseUncertainCounts = (
  { lockoutLimit }: HsmWork,
  { user }: OfficerLogin,
  servers: readonly RosterEntry[],
  unanswered: readonly HsmId[],
  listing: ReadonlyMap<HsmId, readonly HsmUser[]>,
): void => {
  for (const server of servers) {
    const { hsmId } = server
    const row = findUser(usersOf(listing, hsmId), user)
    if (row !== undefined && budgetSpent(row, lockoutLimit)) {
      throw nearLockout(user, nameServer(server), row, lockoutLimit)
    }
    if (!unanswered.includes(hsmId) || row?.loginFailureCount === 0) continue
    throw new Pause(
      'OFFICER_UNCERTAIN',
      `${nameServer(server)} did not answer a login of ${userKey(user)} and may have counted it as failed; it is not tried again there in this run`,
    )
  }
}

const tryOfficer = async (
  work: HsmWork,
  { user, password }: OfficerLogin,
  session: HsmSession,
  servers: readonly RosterEntry[],
  listing: ReadonlyMap<HsmId, readonly HsmUser[]>,
): Promise<OperatorError | null> => {
  const [first] = servers
  const listed = first === undefined ? undefined : findUser(usersOf(listing, first.hsmId), user)
  const answers = await session.login(
    { type: listed?.type ?? user.type, name: user.name },
    password,
    servers.map(({ hsmId }) => hsmId),
  )
  const refused = servers.flatMap((server) => {
    const answer = answerOf(answers, server.hsmId)
    return answer.kind === 'refused' ? [{ server, text: answer.text }] : []
  })
  const [where] = refused
  if (where !== undefined) {
    await work.refusedLogins.note(user, [...new Set(refused.map(({ server }) => server.clusterId))])
    return refusal(
      'OFFICER_REFUSED',
      `${nameServer(where.server)} refused the crypto officer ${userKey(user)}: ${where.text}`,
      [
        'compare the password with the one in your vault; it is not tried again by itself',
        'once it is right, add --retry-officer',
        `where this cluster has a password of its own: --officer-password ${where.server.clusterId}=SECRET`,
      ],
    )
  }
  for (const { hsmId } of servers) {
    const answer = answerOf(answers, hsmId)
    if (answer.kind !== 'unclear') continue
    throw new ConsoleFailure('not-understood', `the officer login was not understood: "${answer.text}"`, [hsmId])
  }
  return null
}

/** Words for a refused command, with what the operator can do. */
export const refusedPause = (what: string, where: string, answer: Exclude<Answer, { kind: 'done' }>): Pause => {
  if (answer.kind === 'unclear' && answer.partly === true) {
    return new Pause(
      'PARTLY_DONE',
      `${what} on ${where} was done on some of its HSMs and not on others: "${answer.text}"`,
      [
        'the user may be logged in on some of them: stop the applications that use it, or --wait-for-drain 10m',
        'resume does it again on all of them, which is harmless',
      ],
    )
  }
  if (answer.kind === 'unclear') {
    return new Pause('NOT_UNDERSTOOD', `${what} on ${where} gave no clear answer: "${answer.text}"`)
  }
  switch (answer.reason) {
    case 'user-logged-in':
      return new Pause('USER_LOGGED_IN', `${what} on ${where} was refused: the user is logged in there`, [
        'stop the applications that use this user, then resume',
      ])
    case 'quorum':
      return new Pause('QUORUM_REQUIRED', `${what} on ${where} needs the approval of several officers`, [
        'this version cannot carry a quorum approval through',
      ])
    case 'replicate-refused':
      return new Pause('HSM_REFUSED', `${what} on ${where} was refused: ${answer.text}`, [
        'the user may have another role, lock, quorum key or second factor there, or the clusters are no clones: lockstep users drift',
        'if neither is so: resume with --propagate change, and --current-password to keep a way back',
      ])
    case 'inconsistent':
      return new Pause('USER_INCONSISTENT', `${what} on ${where} was refused: ${answer.text}`, [
        'the HSMs of the source disagree about the user; repair it there first',
      ])
    default:
      return new Pause('HSM_REFUSED', `${what} on ${where} was refused: ${answer.text}`)
  }
}
