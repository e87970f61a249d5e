import { type OperatorError, refusal } from '../../domain/errors.js'
import { ConsoleFailure, type HsmConsole, type HsmSession } from '../../domain/hsm-console.js'
import { findUser, type HsmUser, type HsmUserRef, type UserKey, userKey } from '../../domain/hsm-user.js'
import type { ClusterId, HsmId } from '../../domain/ids.js'
import type { RefusedLogin } from '../../domain/refused-logins.js'
import { nameServer, type Roster, type RosterEntry } from '../../domain/roster.js'
import type { Evidence } from '../../domain/rotation/cell.js'
import { nearLockout, type UserMatrix } from '../../domain/rotation/eligibility.js'
import type { RotationFacts } from '../../domain/rotation/journal-entry.js'
import { budgetSpent, uncountedBudget } from '../../domain/rotation/login-budget.js'
import { type PlannedUser, unitsOf } from '../../domain/rotation/plan.js'
import type { Secret } from '../../domain/secret.js'
import { UTILITY_WORDS } from '../../domain/utility.js'
import { inLanes, inSession, inSessionsOn, jointAnswer, loginOfficer, usersOf } from './hsm-work.js'
import { describeFailure } from './pause.js'
import type { HsmPorts, HsmWork } from './rotation-run.js'

/** What a listing of every HSM found. */
export interface ReadUsers {
  readonly matrix: UserMatrix
  /** What the HSMs of each cluster said of themselves, where the utility cannot tell which HSM it speaks to. */
  readonly serials: RotationFacts['serials']
  /** Conversations that broke before anything was said. */
  readonly failures: readonly ConsoleFailure[]
}

/** Lists the users of every HSM, each unit in a session of its own that proves the roster. No login. */
export const readUsers = async (console: HsmConsole, roster: Roster, concurrency: number): Promise<ReadUsers> => {
  const failures: ConsoleFailure[] = []
  const read = await inLanes(unitsOf(roster, console.utility), concurrency, ({ servers }) =>
    readUnit(console, servers, failures),
  )
  const listings = new Map(read.flatMap(({ listing }) => [...listing]))
  return {
    matrix: new Map(roster.flatMap(({ hsmId }) => (listings.has(hsmId) ? [[hsmId, usersOf(listings, hsmId)]] : []))),
    serials: read.flatMap(({ serials }) => [...serials].map(([clusterId, found]) => ({ clusterId, serials: found }))),
    failures,
  }
}

/** Lists a unit, without those of its HSMs that do not answer. */
const readUnit = async (
  console: HsmConsole,
  servers: readonly RosterEntry[],
  failures: ConsoleFailure[],
): Promise<{ listing: Listing; serials: HsmSession['serials'] }> => {
  try {
    return await inSession({ console }, servers, async (session) => ({
      listing: await session.listUsers(),
      serials: session.serials,
    }))
  } catch (error) {
    if (!(error instanceof ConsoleFailure)) throw error
    failures.push(error)
    const rest = servers.filter(({ hsmId }) => !error.hsmIds.includes(hsmId))
    if (error.kind === 'unreachable' && rest.length > 0 && rest.length < servers.length) {
      return readUnit(console, rest, failures)
    }
    return { listing: new Map(), serials: new Map() }
  }
}

type Listing = ReadonlyMap<HsmId, readonly HsmUser[]>

/**
 * As `readUsers`, where every HSM has to answer.
 * @throws {OperatorError} naming every HSM that cannot be reached or is another one than AWS reported
 */
export const readAllUsers = async (console: HsmConsole, roster: Roster, concurrency: number): Promise<UserMatrix> => {
  const { matrix, failures } = await readUsers(console, roster, concurrency)
  if (failures.length > 0) throw refusedBy(failures)
  return matrix
}

/**
 * Whether the officer of some cluster was refused there before.
 * @throws {OperatorError} `OFFICER_REFUSED_BEFORE`, unless the operator wants another try
 */
export const refuseKnownOfficer = async (
  { officerOf, refusedLogins, lockoutLimit, console }: HsmPorts,
  clusterIds: readonly ClusterId[],
  retry: boolean,
): Promise<void> => {
  for (const clusterId of clusterIds) {
    const { user } = officerOf(clusterId)
    const known = await refusedLogins.find(user, [clusterId])
    if (known === null) continue
    if (UTILITY_WORDS[console.utility].unit === 'cluster') refuseUncounted(user, known, lockoutLimit)
    if (retry) continue
    const { name } = user
    throw refusal(
      'OFFICER_REFUSED_BEFORE',
      `the password of the officer "${name}" was refused on ${clusterId} at ${known.at} and is not tried again by itself`,
      ['compare the password with the one in your vault, then add --retry-officer'],
    )
  }
}

/**
 * Where no failure count can be read, what is remembered stands for it.
 * @throws {OperatorError} `LOGIN_BUDGET`
 */
const refuseUncounted = (user: HsmUserRef, known: RefusedLogin, limit: number): void => {
  if (known.count < uncountedBudget(limit)) return
  throw refusal(
    'LOGIN_BUDGET',
    `${known.clusterId} refused ${userKey(user)} ${known.count} times, last at ${known.at}, and its failure count cannot be read; it is not asked again`,
    [
      'an admin clears the count by changing the password there',
      `--lockout-limit ${limit + 1}   allows one more, where the cluster does`,
    ],
  )
}

/** Told how many approvals a change to users needs on an HSM; null where the utility does not say. */
type OnQuorum = (server: RosterEntry, approvals: number | null) => void

interface ProveOptions {
  /** The current credential may be refused by the first HSM; then no other one is asked. */
  readonly firstMayRefuse?: boolean
  /** Whether the plan found a user missing there. Any other user has to be listed when its credential is asked for. */
  readonly isAbsent?: (user: UserKey, hsmId: HsmId) => boolean
  readonly onQuorum?: OnQuorum
}

/** What the first logins found. */
export interface ProvedLogins {
  /** Whether the current credentials are proved, or were refused where they were asked first and then nowhere else. */
  readonly current: 'proved' | 'refused-by-first'
  /** Whether the utility lets each HSM be asked alone. */
  readonly evidence: Evidence
}

/**
 * An officer logs in on one HSM first, and on the others only after that succeeded. Where current credentials are
 * given, each cell proves them by one login, in the same order.
 * @throws {OperatorError} `OFFICER_REFUSED`, `CURRENT_REFUSED`, or the first HSM that failed
 */
export const proveLogins = async (
  work: HsmWork,
  roster: Roster,
  users: readonly PlannedUser[],
  current: ReadonlyMap<UserKey, Secret>,
  { firstMayRefuse = false, onQuorum = () => {}, isAbsent = () => true }: ProveOptions = {},
): Promise<ProvedLogins> => {
  const [first, ...others] = unitsOf(roster, work.console.utility)
  const proof = new LoginProof(work, users, current, { onQuorum, isAbsent })
  try {
    if (first !== undefined) await proof.on(first.servers, firstMayRefuse)
    await inLanes(others, work.concurrency, ({ servers }) => proof.on(servers, false))
    for (const clusterId of new Set(roster.map((server) => server.clusterId))) {
      await work.refusedLogins.clear(work.officerOf(clusterId).user, [clusterId])
    }
    return { current: proof.refused ? 'refused-by-first' : 'proved', evidence: proof.evidence }
  } catch (error) {
    throw error instanceof ConsoleFailure ? refusedBy([error]) : error
  }
}

/** The logins of preflight, unit by unit. */
class LoginProof {
  readonly #work: HsmWork
  readonly #users: readonly PlannedUser[]
  readonly #current: ReadonlyMap<UserKey, Secret>
  readonly #options: Required<Pick<ProveOptions, 'onQuorum' | 'isAbsent'>>
  /** A current credential was refused; from then on none is asked for. */
  refused = false
  evidence: Evidence = 'hsm'

  constructor(
    work: HsmWork,
    users: readonly PlannedUser[],
    current: ReadonlyMap<UserKey, Secret>,
    options: Required<Pick<ProveOptions, 'onQuorum' | 'isAbsent'>>,
  ) {
    this.#work = work
    this.#users = users
    this.#current = current
    this.#options = options
  }

  /** @throws {OperatorError} `CURRENT_REFUSED`, unless that is allowed */
  async on(servers: readonly RosterEntry[], mayRefuse: boolean): Promise<void> {
    await inSessionsOn(this.#work, servers, async (session, reached) => {
      if (reached.length > 1) this.evidence = 'cluster'
      const listing = await session.listUsers()
      await loginOfficer(this.#work, session, reached, listing)
      const approvals = await session.quorum()
      // Where a session reaches more than one HSM, they were asked as one.
      const [server] = reached
      if (server !== undefined) this.#options.onQuorum(server, approvals.get(server.hsmId) ?? null)
      await session.logout()
      if (this.refused) return
      const refusal = await this.#askUsers(session, reached, listing)
      if (refusal === null) return
      if (!mayRefuse) throw refusal
      this.refused = true
    })
  }

  /** @returns the refusal of a current credential; nobody else is asked in this session then */
  async #askUsers(
    session: HsmSession,
    reached: readonly RosterEntry[],
    listing: Listing,
  ): Promise<OperatorError | null> {
    const hsmIds = reached.map(({ hsmId }) => hsmId)
    const { lockoutLimit } = this.#work
    for (const user of this.#users) {
      const secret = this.#current.get(user.key)
      const rows = hsmIds.flatMap((hsmId) => {
        const row = findUser(usersOf(listing, hsmId), user)
        return row === undefined ? [] : [{ hsmId, row }]
      })
      if (secret === undefined) continue
      const gone = hsmIds.find(
        (hsmId) => !rows.some((row) => row.hsmId === hsmId) && !this.#options.isAbsent(user.key, hsmId),
      )
      if (gone !== undefined) throw notListedAnyMore(user, gone)
      if (rows.length === 0) continue
      for (const { hsmId, row } of rows) {
        if (budgetSpent(row, lockoutLimit)) throw nearLockout(user, hsmId, row, lockoutLimit)
      }
      const uncounted = rows.some(({ row }) => row.loginFailureCount === null)
      const clusterIds = [...new Set(reached.map(({ clusterId }) => clusterId))]
      const known = uncounted ? await this.#work.refusedLogins.find(user, clusterIds) : null
      if (known !== null) refuseUncounted(user, known, lockoutLimit)
      const answer = jointAnswer(await session.login(user, secret, hsmIds), hsmIds)
      if (answer.kind !== 'done') {
        if (uncounted) await this.#work.refusedLogins.note(user, clusterIds)
        return refusal(
          'CURRENT_REFUSED',
          `${nameReached(reached)} refused the current credential given for ${user.key}: ${answer.text}`,
          [
            `${reached.length > 1 ? 'this cluster' : 'this HSM'} may hold another password: compare with lockstep users prove`,
            'or leave --current-password out',
          ],
        )
      }
      if (known !== null) await this.#work.refusedLogins.clear(user, clusterIds)
      await session.logout()
    }
    return null
  }
}

const notListedAnyMore = (user: PlannedUser, hsmId: HsmId): OperatorError =>
  refusal('USER_MISSING', `${hsmId} listed ${user.key} a moment ago and does not any more`, [
    'the same command again, with --create-missing where the user is to be created',
  ])

/** Broken conversations before anything changed, as one refusal that names every HSM. */
export const refusedBy = (failures: readonly ConsoleFailure[]): OperatorError => {
  const described = failures.map(describeFailure)
  return refusal(
    described[0]?.code ?? 'HSM_UNREACHABLE',
    `${described.map(({ message }) => message).join('; ')}; nothing has changed`,
    described.find(({ suggestions }) => suggestions.length > 0)?.suggestions ?? [],
  )
}

/** Who refused a login: one HSM, or a cluster that does not say which of its HSMs did. */
const nameReached = (reached: readonly RosterEntry[]): string => {
  const [first] = reached
  if (first === undefined) return 'nobody'
  return reached.length === 1 ? nameServer(first) : `${first.clusterId} (${first.region}; at least one of its HSMs)`
}
