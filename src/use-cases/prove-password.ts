import { ConsoleFailure, type HsmConsole } from '../domain/hsm-console.js'
import { findUser, type HsmUserRef } from '../domain/hsm-user.js'
import type { ClusterId, HsmId, RegionName } from '../domain/ids.js'
import type { Roster, RosterEntry } from '../domain/roster.js'
import { budgetSpent } from '../domain/rotation/login-budget.js'
import type { Secret } from '../domain/secret.js'
import { answerOf, inLanes, inSession, usersOf } from './rotation/hsm-work.js'

/** Whether one HSM holds a password. */
export interface PasswordProof {
  readonly hsmId: HsmId
  readonly clusterId: ClusterId
  readonly region: RegionName
  /** Null where it was not asked, or gave no clear answer. */
  readonly match: boolean | null
  /** Why it is not known, or what the HSM said; null after a login that succeeded. */
  readonly reason: string | null
}

/**
 * Asks every HSM by one login each, and none that is near its lock-out. A wrong password costs one failed login on
 * each HSM that is asked.
 */
export const provePassword = (
  console: HsmConsole,
  roster: Roster,
  user: HsmUserRef,
  password: Secret,
  options: { readonly concurrency: number; readonly lockoutLimit: number },
): Promise<readonly PasswordProof[]> =>
  inLanes(roster, options.concurrency, async (server) => {
    const { hsmId, clusterId, region } = server
    const place = { hsmId, clusterId, region }
    try {
      return { ...place, ...(await ask(console, server, user, password, options.lockoutLimit)) }
    } catch (error) {
      if (!(error instanceof ConsoleFailure)) throw error
      return { ...place, match: null, reason: error.message }
    }
  })

const ask = (
  console: HsmConsole,
  server: RosterEntry,
  user: HsmUserRef,
  password: Secret,
  lockoutLimit: number,
): Promise<Pick<PasswordProof, 'match' | 'reason'>> =>
  inSession({ console }, [server], async (session) => {
    const row = findUser(usersOf(await session.listUsers(), server.hsmId), user)
    if (row === undefined) return { match: null, reason: 'there is no such user' }
    if (budgetSpent(row, lockoutLimit)) {
      return { match: null, reason: `not asked: ${row.loginFailureCount} failed logins, the limit is ${lockoutLimit}` }
    }
    const answer = answerOf(await session.login(row, password), server.hsmId)
    if (answer.kind === 'refused' && answer.reason === 'login-refused') return { match: false, reason: answer.text }
    if (answer.kind !== 'done') return { match: null, reason: answer.text }
    await session.logout()
    return { match: true, reason: null }
  })
