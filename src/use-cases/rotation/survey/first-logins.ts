import { type OperatorError, refusal } from '../../../domain/errors.js'
import { type Answer, ConsoleFailure, type HsmSession } from '../../../domain/hsm-console.js'
import { type UserKey, userKey } from '../../../domain/hsm-user.js'
import { nameServer, type Roster, type RosterEntry } from '../../../domain/roster.js'
import type { Intent, Observation } from '../../../domain/rotation/journal-entry.js'
import { type PlannedUser, unitsOf } from '../../../domain/rotation/plan.js'
import type { Secret } from '../../../domain/secret.js'
import { isMissingIn } from '../cells/absent-users.js'
import type { HsmWork } from '../ports.js'
import { inLanes, inSessionsOn, type Listing, rowsOf, usersOf } from '../sessions/in-session.js'
import { logIn } from '../sessions/log-in.js'
import { loginOfficer } from '../sessions/officer.js'
import { refusedBy } from './read-users.js'

/** Credentials that are asked for before anything is written. */
export interface AskedCredentials {
  readonly passwords: ReadonlyMap<UserKey, Secret>
  /** Which of the two of a rotation it is. */
  readonly credential: 'new' | 'current'
  /** Where they come from, for messages. */
  readonly source: string
  /** How a refusal is remembered, so that no later start spends another login; null where it cannot be named. */
  readonly remembered: string | null
  /**
   * What a refusal means: `stop`: none may refuse; `first-may-refuse`: the first HSM may, and then no other one is asked;
   * `go-on`: it only says which HSMs do not hold it.
   */
  readonly refusals: 'stop' | 'first-may-refuse' | 'go-on'
  /** What to do about a refusal. */
  readonly advice: readonly string[]
}

/** Makes an attempt, with an intent before it and its answer behind it where there is a journal. */
type Ask = (
  session: HsmSession,
  intent: Intent & { readonly act: 'login' },
  attempt: () => Promise<Answer>,
) => Promise<Answer>

/** Told of each login once it was answered, also where that ends all of them; and of those that are remembered. */
type OnSeen = (seen: Extract<Observation, { type: 'login' }>) => Promise<void>

/** Told how many approvals a change to users needs on an HSM; null where the utility does not say. */
type OnQuorum = (server: RosterEntry, approvals: number | null) => void

/** What whoever makes the first logins adds to them. */
interface LoginHooks {
  readonly onQuorum: OnQuorum
  readonly onSeen: OnSeen
  readonly ask: Ask
  readonly isAbsent: (user: UserKey, hsmId: RosterEntry['hsmId']) => boolean
}

/** What the first logins found. */
export interface FirstLogins {
  /** Logins that were made, in their order. */
  readonly seen: readonly Extract<Observation, { type: 'login' }>[]
  /** Cells whose budget allows no login, where that stops nothing. */
  readonly notAsked: readonly Extract<Observation, { type: 'not-asked' }>[]
  /** Whether a credential that may be refused was, and then asked for nowhere else. */
  readonly refused: boolean
}

/**
 * An officer logs in on one HSM first, and on the others only after that succeeded. Where credentials are given, each
 * cell is asked by one login, in the same order.
 * @param isAbsent whether the plan found a user missing there; any other one has to be listed when it is asked for
 * @throws {OperatorError} `OFFICER_REFUSED`, `CURRENT_REFUSED`, or the first HSM that failed
 */
export const firstLogins = async (
  work: HsmWork,
  roster: Roster,
  users: readonly PlannedUser[],
  asked: AskedCredentials | null,
  {
    onQuorum = () => {},
    onSeen = async () => {},
    ask = (_session, _intent, attempt) => attempt(),
    isAbsent = () => true,
  }: Partial<LoginHooks> = {},
): Promise<FirstLogins> => {
  const [first, ...others] = unitsOf(roster, work.console.utility)
  const logins = new Logins(work, users, asked, { onQuorum, onSeen, ask, isAbsent })
  try {
    if (first !== undefined) await logins.on(first.servers, asked?.refusals === 'first-may-refuse')
    await inLanes(others, work.concurrency, ({ servers }) => logins.on(servers, false))
    return logins
  } catch (error) {
    throw error instanceof ConsoleFailure ? refusedBy([error], work.goesBack) : error
  }
}

const REFUSED_BEFORE = { kind: 'refused', reason: 'login-refused', text: 'refused before' } as const

/** The logins of preflight, unit by unit. */
class Logins implements FirstLogins {
  readonly seen: Extract<Observation, { type: 'login' }>[] = []
  readonly notAsked: Extract<Observation, { type: 'not-asked' }>[] = []
  refused = false
  readonly #work: HsmWork
  readonly #users: readonly PlannedUser[]
  readonly #asked: AskedCredentials | null
  readonly #how: LoginHooks

  constructor(work: HsmWork, users: readonly PlannedUser[], asked: AskedCredentials | null, how: LoginHooks) {
    this.#work = work
    this.#users = users
    this.#asked = asked
    this.#how = how
  }

  /** @throws {OperatorError} `CURRENT_REFUSED`, unless that is allowed */
  async on(servers: readonly RosterEntry[], mayRefuse: boolean): Promise<void> {
    await inSessionsOn(this.#work, servers, async (session, reached) => {
      const listing = await session.listUsers()
      await loginOfficer(this.#work, session, reached, listing)
      const approvals = await session.quorum()
      // Where a session reaches more than one HSM, they were asked as one.
      const [server] = reached
      if (server !== undefined) this.#how.onQuorum(server, approvals.get(server.hsmId) ?? null)
      await session.logout()
      if (this.#asked === null || this.refused) return
      const refusal = await this.#askUsers(this.#asked, session, reached, listing)
      if (refusal === null) return
      if (!mayRefuse) throw refusal
      this.refused = true
    })
  }

  /** @returns the refusal of a credential; nobody else is asked in this session then */
  async #askUsers(
    asked: AskedCredentials,
    session: HsmSession,
    reached: readonly RosterEntry[],
    listing: Listing,
  ): Promise<OperatorError | null> {
    const hsmIds = reached.map(({ hsmId }) => hsmId)
    const { budget, lock } = this.#work
    for (const user of this.#users) {
      const password = asked.passwords.get(user.key)
      if (password === undefined) continue
      const rows = rowsOf(listing, reached, user)
      const gone = hsmIds.find((hsmId) => !rows.has(hsmId) && !this.#how.isAbsent(user.key, hsmId))
      if (gone !== undefined) throw notListedAnyMore(user, gone)
      // Of a cluster that lacks the user on some HSM a login says nothing.
      if (hsmIds.some((hsmId) => isMissingIn(usersOf(listing, hsmId), user))) continue
      const { credential, remembered, refusals } = asked
      const before = remembered === null ? null : await this.#refusedBefore(user, reached, remembered)
      if (before !== null) {
        if (refusals !== 'go-on') return refusedCredential(asked, user, reached, `refused before, at ${before}`)
        await this.#note(user, reached, credential, REFUSED_BEFORE, true)
        continue
      }
      const objection = await budget.objection({ user, reached, rows })
      if (objection !== null) {
        if (refusals !== 'go-on') throw objection
        this.notAsked.push({ type: 'not-asked', user: user.key, hsmIds, reason: objection.message })
        continue
      }
      await lock.assertHeld()
      const login = { session, user, reached, rows, password, credential: remembered }
      const intent = { act: 'login', user: user.key, hsmIds, credential } as const
      const answer = await logIn(budget, login, (attempt) => this.#how.ask(session, intent, attempt))
      // The HSM may have counted it, and would be asked once more.
      if (answer.kind === 'unclear') throw notUnderstood(user, reached, answer.text)
      await this.#note(user, reached, credential, answer)
      if (answer.kind === 'done') continue
      if (refusals === 'go-on' && answer.kind === 'refused' && answer.reason === 'login-refused') continue
      return refusedCredential(asked, user, reached, answer.text)
    }
    return null
  }

  async #note(
    { key: user }: PlannedUser,
    reached: readonly RosterEntry[],
    credential: AskedCredentials['credential'],
    answer: Extract<Observation, { type: 'login' }>['answer'],
    isRemembered = false,
  ): Promise<void> {
    const hsmIds = reached.map(({ hsmId }) => hsmId)
    const remembered = isRemembered ? ({ remembered: true } as const) : {}
    const seen = { type: 'login', user, hsmIds, credential, answer, ...remembered } as const
    this.seen.push(seen)
    await this.#how.onSeen(seen)
  }

  /** When one of these HSMs, or their cluster, refused exactly this credential, where nothing was changed since. */
  async #refusedBefore(user: PlannedUser, reached: readonly RosterEntry[], remembered: string): Promise<string | null> {
    const noted = await this.#work.budget.remembered(
      user,
      reached.map(({ clusterId }) => clusterId),
    )
    const same = noted.find(
      ({ credential, hsmId }) =>
        credential === remembered && (hsmId === null || reached.some((server) => server.hsmId === hsmId)),
    )
    return same?.at ?? null
  }
}

const refusedCredential = (
  { source, credential, advice }: AskedCredentials,
  user: PlannedUser,
  reached: readonly RosterEntry[],
  text: string,
): OperatorError =>
  refusal(
    'CURRENT_REFUSED',
    `${nameReached(reached)} does not hold the ${credential === 'new' ? '' : 'current '}password of ${user.key} that ${source}: ${text}`,
    advice,
  )

const notUnderstood = (user: PlannedUser, reached: readonly RosterEntry[], text: string): OperatorError =>
  refusal('NOT_UNDERSTOOD', `the login of ${user.key} on ${nameReached(reached)} gave no clear answer: "${text}"`, [
    'the same command again, once every HSM answers',
  ])

const notListedAnyMore = (user: PlannedUser, hsmId: RosterEntry['hsmId']): OperatorError =>
  refusal('USER_MISSING', `${hsmId} listed ${userKey(user)} a moment ago and does not any more`, [
    'the same command again, with --create-missing where the user is to be created',
  ])

/** Who refused a login: one HSM, or a cluster that does not say which of its HSMs did. */
const nameReached = (reached: readonly RosterEntry[]): string => {
  const [first] = reached
  if (first === undefined) return 'nobody'
  return reached.length === 1 ? nameServer(first) : `${first.clusterId} (${first.region}; at least one of its HSMs)`
}
