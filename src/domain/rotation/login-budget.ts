import { type OperatorError, refusal } from '../errors.js'
import { type HsmUser, type HsmUserRef, userKey } from '../hsm-user.js'
import type { ClusterId, HsmId } from '../ids.js'
import { type LoginPlace, type RefusedLogin, type RefusedLogins, UNANSWERED } from '../refused-logins.js'
import { nameServer, type RosterEntry } from '../roster.js'

/** What the product assumes unless told otherwise: the fifth failed login locks. */
export const DEFAULT_LOCKOUT_LIMIT = 5

/**
 * Whether one more failed login would come too near to a lock-out, as far as a listing shows it: a login is refused from
 * two below the limit on, so that a mistake of ours never locks anybody.
 * @param limit the failed login that locks the user
 */
export const isNearLockout = (user: HsmUser, limit: number): boolean =>
  user.locked === true || (user.loginFailureCount !== null && user.loginFailureCount >= limit - 2)

/** Whether the user is locked: as the listing says, or as far as its count tells. */
export const isLocked = (user: HsmUser, limit: number): boolean =>
  user.locked ?? (user.loginFailureCount !== null && user.loginFailureCount >= limit)

/** A login that somebody wants to make. */
export interface WantedLogin {
  readonly user: HsmUserRef
  /** The HSMs it reaches: one of them, or all that answer of one cluster. */
  readonly reached: readonly RosterEntry[]
  /** The user as these HSMs listed it just now; HSMs that do not have it are left out. */
  readonly rows: ReadonlyMap<HsmId, HsmUser>
  /** Whether it is the officer's who does the work; what to do about a refusal is something else then. */
  readonly isOfficer?: boolean
}

/**
 * Decides every login of every command, of users and of officers. Where a listing shows the failed logins in a row the
 * HSM's own count decides; where it shows none, those that are remembered, of all who share the state. A good login and
 * a change of the password clear what is remembered, as they clear the count. No cell that refused a login is asked again
 * by the same invocation before its password was changed: a copy may have changed nothing. Nor is one that gave no clear
 * answer, unless it shows that it counted nothing.
 */
export class LoginBudget {
  readonly limit: number
  readonly #memory: RefusedLogins
  readonly #refusedNow = new Set<string>()
  /** Logins of this invocation that nobody knows the answer of: they may have failed. */
  readonly #unansweredNow = new Set<string>()

  constructor(limit: number, memory: RefusedLogins) {
    this.limit = limit
    this.#memory = memory
  }

  /** Why nobody may log in there now; null where somebody may. A change of the password makes it possible again. */
  async objection({ user, reached, rows, isOfficer = false }: WantedLogin): Promise<OperatorError | null> {
    for (const server of reached) {
      const row = rows.get(server.hsmId)
      if (row !== undefined && isNearLockout(row, this.limit))
        return nearLockout(user, nameServer(server), row, this.limit)
    }
    const again = reached.find(({ hsmId }) => this.#refusedNow.has(keyOf(user, hsmId)))
    if (again !== undefined) {
      return refusal(
        'LOGIN_BUDGET',
        `${nameServer(again)} refused ${userKey(user)} once in this run already; it is not asked again`,
      )
    }
    const unanswered = reached.find(
      ({ hsmId }) =>
        this.#unansweredNow.has(keyOf(user, hsmId)) && rows.has(hsmId) && rows.get(hsmId)?.loginFailureCount !== 0,
    )
    if (unanswered !== undefined) {
      return refusal(
        'LOGIN_BUDGET',
        `${nameServer(unanswered)} gave no clear answer to a login of ${userKey(user)} in this run and may have counted it as failed; it is not asked again`,
      )
    }
    if (!isUncounted(rows)) return null
    for (const clusterId of clustersOf(reached)) {
      const hsmIds = reached.filter((server) => server.clusterId === clusterId).map(({ hsmId }) => hsmId)
      const noted = await this.#memory.of(user, [clusterId])
      const count = mostRefusals(noted, hsmIds)
      if (count < uncountedLimit(this.limit)) continue
      const last = noted
        .map(({ at }) => at)
        .sort()
        .at(-1)
      return refusal(
        'LOGIN_BUDGET',
        `${clusterId} refused ${userKey(user)} ${count === 1 ? 'once' : `${count} times`}, last at ${last}, and its failure count cannot be read; it is not asked again`,
        isOfficer
          ? officerAdvice(clusterId, count)
          : [
              `an admin clears the count by changing the password there, which is not seen here: then --lockout-limit ${limitFor(count)} allows one more`,
              'or leave --current-password out: what is written is not asked before',
            ],
      )
    }
    return null
  }

  /** What is remembered of this user on these clusters. */
  remembered(user: HsmUserRef, clusterIds: readonly ClusterId[]): Promise<readonly RefusedLogin[]> {
    return this.#memory.of(user, clusterIds)
  }

  /**
   * Before a login whose failure no count would show: it is remembered before an HSM hears of it, because nobody may live
   * to tell what came of it.
   */
  async noteBegun({ user, reached, rows }: WantedLogin): Promise<void> {
    if (isUncounted(rows)) await this.#memory.note(user, placesOf(reached), UNANSWERED)
  }

  /** A login that was begun and of which nobody heard whether it failed. */
  noteUnanswered({ user, reached }: WantedLogin): void {
    for (const { hsmId } of reached) this.#unansweredNow.add(keyOf(user, hsmId))
  }

  async noteRefused({ user, reached, rows }: WantedLogin, credential: string | null = null): Promise<void> {
    for (const { hsmId } of reached) this.#refusedNow.add(keyOf(user, hsmId))
    await this.#memory.note(user, placesOf(reached), credential, isUncounted(rows))
  }

  noteGood(user: HsmUserRef, reached: readonly RosterEntry[]): Promise<void> {
    return this.#clear(user, reached)
  }

  noteChanged(user: HsmUserRef, reached: readonly RosterEntry[]): Promise<void> {
    return this.#clear(user, reached)
  }

  async #clear(user: HsmUserRef, reached: readonly RosterEntry[]): Promise<void> {
    for (const { hsmId } of reached) {
      this.#refusedNow.delete(keyOf(user, hsmId))
      this.#unansweredNow.delete(keyOf(user, hsmId))
    }
    const alone = reached.map(({ clusterId, hsmId }): LoginPlace => ({ clusterId, hsmId }))
    await this.#memory.clear(user, [...placesOf(reached), ...alone])
  }
}

/**
 * How many refused logins in a row are the last where no count can be read: as near to a lock-out as a count that is shown
 * lets one come, less one, because failed logins of others are not seen.
 */
export const uncountedLimit = (limit: number): number => Math.max(1, limit - 3)

/** Whether some of these HSMs do not show how many logins in a row failed. */
export const isUncounted = (rows: WantedLogin['rows']): boolean =>
  [...rows.values()].some((row) => row.loginFailureCount === null)

/** The limit that allows one more login after so many refusals, where no count can be read. */
const limitFor = (count: number): number => count + 4

/** Who does the work where an officer may not be asked again. */
export const anotherOfficer = (clusterId: ClusterId): string =>
  `another officer does the work there: --officer ${clusterId}=NAME --officer-password ${clusterId}=SECRET`

/** What to do where an officer was refused so often, and no count can be read, that it is not asked again. */
export const officerAdvice = (clusterId: ClusterId, count: number): readonly string[] => [
  anotherOfficer(clusterId),
  `or another admin clears the count by changing the officer's password there, which is not seen here: then --lockout-limit ${limitFor(count)} --retry-officer allows one more; so do these flags alone where the cluster locks later`,
]

/** The most refusals that one of these HSMs may have counted: those at itself, and those of its whole cluster. */
export const mostRefusals = (noted: readonly RefusedLogin[], hsmIds: readonly HsmId[]): number => {
  const at = (wanted: HsmId | null) =>
    noted.filter(({ hsmId }) => hsmId === wanted).reduce((sum, { count }) => sum + count, 0)
  return at(null) + Math.max(0, ...hsmIds.map(at))
}

const clustersOf = (reached: readonly RosterEntry[]): ReadonlySet<ClusterId> =>
  new Set(reached.map(({ clusterId }) => clusterId))

/** A login on several HSMs of a cluster is one on the cluster: which of them refused is not known. */
const placesOf = (reached: readonly RosterEntry[]): readonly LoginPlace[] =>
  [...clustersOf(reached)].map((clusterId) => {
    const [first, ...others] = reached.filter((server) => server.clusterId === clusterId)
    return { clusterId, hsmId: first !== undefined && others.length === 0 ? first.hsmId : null }
  })

const keyOf = ({ type, name }: HsmUserRef, hsmId: HsmId): string =>
  `${hsmId} ${type === 'PCO' ? 'CO' : type}:${name.toLowerCase()}`

/**
 * The refusal to log in as a user that is near its lock-out.
 * @param where the HSM, as messages name it
 */
export const nearLockout = (user: HsmUserRef, where: string, row: HsmUser, limit: number): OperatorError =>
  refusal(
    isLocked(row, limit) ? 'USER_LOCKED' : 'NEAR_LOCKOUT',
    row.loginFailureCount === null
      ? `${userKey(user)} is locked on ${where}`
      : isLocked(row, limit)
        ? `${userKey(user)} is locked on ${where}: ${row.loginFailureCount} failed logins; the limit is ${limit}`
        : `${where} counts ${row.loginFailureCount} failed logins of ${userKey(user)}; the limit is ${limit}`,
    [
      'find out which client uses a wrong password; a crypto officer clears the count and the lock by changing the password',
    ],
  )
