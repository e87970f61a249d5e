import pLimit from 'p-limit'
import { refusal } from '../../../domain/errors.js'
import type { Answer, Answers, HsmConsole, HsmSession } from '../../../domain/hsm-console.js'
import { findUser, type HsmUser, type HsmUserRef } from '../../../domain/hsm-user.js'
import type { HsmId } from '../../../domain/ids.js'
import type { RosterEntry } from '../../../domain/roster.js'

/** Users by HSM, as a session listed them. */
export type Listing = ReadonlyMap<HsmId, readonly HsmUser[]>

/** Runs `work` in a session on these HSMs and ends the session, whatever happens. */
export const inSession = async <T>(
  { console }: { readonly console: HsmConsole },
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
  work: { readonly console: HsmConsole },
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
export const refuseOthers = (session: HsmSession, servers: readonly RosterEntry[]): void => {
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
export const usersOf = (listing: Listing, hsmId: HsmId): readonly HsmUser[] => listing.get(hsmId) ?? []

/** The answer of one HSM. */
export const answerOf = (answers: Answers, hsmId: HsmId): Answer =>
  answers.get(hsmId) ?? { kind: 'unclear', text: 'the utility said nothing about this HSM' }

/** The answer of HSMs that one command reached together: done where all did it, else what the first other one said. */
export const jointAnswer = (answers: Answers, hsmIds: readonly HsmId[]): Answer => {
  const each = hsmIds.map((hsmId) => answerOf(answers, hsmId))
  return each.find(({ kind }) => kind === 'unclear') ?? each.find(({ kind }) => kind !== 'done') ?? { kind: 'done' }
}

/** The rows of one user on HSMs that have it. */
export const rowsOf = (
  listing: Listing,
  reached: readonly RosterEntry[],
  user: HsmUserRef,
): ReadonlyMap<HsmId, HsmUser> =>
  new Map(
    reached.flatMap(({ hsmId }) => {
      const row = findUser(usersOf(listing, hsmId), user)
      return row === undefined ? [] : [[hsmId, row] as const]
    }),
  )
