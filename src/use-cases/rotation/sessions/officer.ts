import { type OperatorError, refusal } from '../../../domain/errors.js'
import { ConsoleFailure, type HsmSession } from '../../../domain/hsm-console.js'
import { findUser, type HsmUser, userKey } from '../../../domain/hsm-user.js'
import type { ClusterId, HsmId } from '../../../domain/ids.js'
import { type RefusedLogin, UNANSWERED } from '../../../domain/refused-logins.js'
import { nameServer, type RosterEntry } from '../../../domain/roster.js'
import { anotherOfficer, mostRefusals, officerAdvice, uncountedLimit } from '../../../domain/rotation/login-budget.js'
import type { HsmPorts, HsmWork, OfficerLogin, OfficerOf } from '../ports.js'
import { Pause } from '../run/pause.js'
import { answerOf, type Listing, refuseOthers, rowsOf, usersOf } from './in-session.js'

/**
 * Whether the officer of some cluster was refused there before.
 * @throws {OperatorError} `OFFICER_REFUSED_BEFORE`, unless the operator wants another try
 */
export const refuseKnownOfficer = async (
  {
    officerOf,
    refusedLogins,
    lockoutLimit,
  }: Pick<HsmPorts, 'officerOf' | 'refusedLogins'> & { readonly lockoutLimit: number },
  clusterIds: readonly ClusterId[],
  retry: boolean,
): Promise<void> => {
  if (retry) return
  for (const clusterId of clusterIds) {
    const { user } = officerOf(clusterId)
    const noted = await refusedLogins.of(user, [clusterId])
    const known = noted.find(({ credential }) => credential !== UNANSWERED)
    if (known === undefined) continue
    throw refusal(
      'OFFICER_REFUSED_BEFORE',
      `a password of the officer "${user.name}" was refused on ${clusterId} at ${known.at}, and none is tried again by itself`,
      ['compare the password with the one in your vault', ...retryAdvice(clusterId, noted, lockoutLimit)],
    )
  }
}

/** How another try is allowed: where it may be refused as too near a lock-out, or will be, another officer does the work. */
const retryAdvice = (clusterId: ClusterId, noted: readonly RefusedLogin[], limit: number): readonly string[] => {
  const count = mostRefusals(
    noted,
    noted.flatMap(({ hsmId }) => (hsmId === null ? [] : [hsmId])),
  )
  const retry = 'once it is right, add --retry-officer'
  if (count >= limit - 2) return [...officerAdvice(clusterId, count), `where a failure count is shown: ${CLEARED}`]
  if (count < uncountedLimit(limit)) return [retry]
  return [retry, ...officerAdvice(clusterId, count).map((one) => `where no failure count is shown: ${one}`)]
}

/**
 * Logs the officers in on every HSM of the session, each on those of its clusters, after looking at its failure count
 * there. Waits for logins of other lanes on the same HSMs.
 * @param listing what `listUsers` said in this session
 * @throws {OperatorError} `OFFICER_REFUSED`, here or in another lane, and then the password is not tried again by itself;
 * `OFFICER_NOT_LOGGED_IN`, for anything but the password; `HSM_BACK`, `LOCK_LOST`, and those of the login budget
 */
export const loginOfficer = async (
  work: HsmWork,
  session: HsmSession,
  servers: readonly RosterEntry[],
  listing: Listing,
): Promise<void> => {
  refuseOthers(session, servers)
  for (const [officer, its] of byOfficer(work.officerOf, servers)) {
    await work.officerLogins.login(
      officer,
      its,
      async (unanswered) => {
        const counts = unanswered.length === 0 ? listing : await session.listUsers()
        await refuseOfficer(work, officer, its, unanswered, counts)
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
 * What forbids the officer's login now.
 * @param unanswered HSMs that never answered a login of this invocation
 */
const refuseOfficer = async (
  { budget }: HsmWork,
  { user }: OfficerLogin,
  servers: readonly RosterEntry[],
  unanswered: readonly HsmId[],
  listing: Listing,
): Promise<void> => {
  const rows = rowsOf(listing, servers, user)
  const objection = await budget.objection({ user, reached: servers, rows, isOfficer: true })
  if (objection !== null) throw objection
  for (const server of servers) {
    if (!unanswered.includes(server.hsmId) || rows.get(server.hsmId)?.loginFailureCount === 0) continue
    throw new Pause(
      'OFFICER_UNCERTAIN',
      `${nameServer(server)} did not answer a login of ${userKey(user)} and may have counted it as failed; it is not tried again there in this run`,
    )
  }
}

const CLEARED = "another admin clears the count by changing the officer's password there; then --retry-officer"

/** Whether one more failed login is one too many for another. */
const leavesNone = (row: HsmUser | undefined, limit: number): boolean =>
  row !== undefined && row.loginFailureCount !== null && row.loginFailureCount + 1 >= limit - 2

const tryOfficer = async (
  work: HsmWork,
  { user, password }: OfficerLogin,
  session: HsmSession,
  servers: readonly RosterEntry[],
  listing: Listing,
): Promise<OperatorError | null> => {
  const [first] = servers
  const listed = first === undefined ? undefined : findUser(usersOf(listing, first.hsmId), user)
  await work.lock.assertHeld()
  const rows = rowsOf(listing, servers, user)
  await work.budget.noteBegun({ user, reached: servers, rows })
  const answers = await session.login(
    { type: listed?.type ?? user.type, name: user.name },
    password,
    servers.map(({ hsmId }) => hsmId),
  )
  const refused = servers.flatMap((server) => {
    const answer = answerOf(answers, server.hsmId)
    return answer.kind === 'refused' ? [{ server, ...answer }] : []
  })
  const [where] = refused.filter(({ reason }) => reason === 'login-refused')
  if (where !== undefined) {
    const reached = refused.flatMap(({ server, reason }) => (reason === 'login-refused' ? [server] : []))
    await work.budget.noteRefused({ user, reached, rows })
    const isLast = reached.some(({ hsmId }) => leavesNone(rows.get(hsmId), work.budget.limit))
    return refusal(
      'OFFICER_REFUSED',
      `${nameServer(where.server)} refused the crypto officer ${userKey(user)}: ${where.text}`,
      [
        'compare the password with the one in your vault; it is not tried again by itself',
        ...(isLast
          ? [anotherOfficer(where.server.clusterId), `or ${CLEARED}`]
          : ['once it is right, add --retry-officer']),
        `where this cluster has a password of its own: --officer-password ${where.server.clusterId}=SECRET --retry-officer`,
      ],
    )
  }
  const [otherwise] = refused
  if (otherwise !== undefined) {
    return refusal(
      'OFFICER_NOT_LOGGED_IN',
      `${nameServer(otherwise.server)} did not let the crypto officer ${userKey(user)} in, and not for the password: ${otherwise.text}`,
      ['put right what it says there, or wait until it is over; then the same command again'],
    )
  }
  for (const { hsmId } of servers) {
    const answer = answerOf(answers, hsmId)
    if (answer.kind !== 'unclear') continue
    throw new ConsoleFailure('not-understood', `the officer login was not understood: "${answer.text}"`, [hsmId])
  }
  await work.budget.noteGood(user, servers)
  return null
}
