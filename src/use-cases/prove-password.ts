import { ConsoleFailure, type HsmConsole, type HsmSession } from '../domain/hsm-console.js'
import type { HsmUserRef } from '../domain/hsm-user.js'
import type { ClusterId, HsmId, RegionName } from '../domain/ids.js'
import type { Roster, RosterEntry } from '../domain/roster.js'
import type { Evidence } from '../domain/rotation/cell.js'
import { isUncounted, type LoginBudget } from '../domain/rotation/login-budget.js'
import { type Unit, unitsOf } from '../domain/rotation/plan.js'
import type { Secret } from '../domain/secret.js'
import { inLanes, inSessionsOn, rowsOf } from './rotation/sessions/in-session.js'
import { logIn } from './rotation/sessions/log-in.js'

/** Whether one HSM holds a password. */
export interface PasswordProof {
  readonly hsmId: HsmId
  readonly clusterId: ClusterId
  readonly region: RegionName
  /**
   * Null where it was not asked or gave no clear answer, and where one login stood for several HSMs and was refused:
   * one HSM that refuses is enough for that, and nothing says which.
   */
  readonly match: boolean | null
  /** Whether its own login or one on its whole cluster says so; null where there was no login. */
  readonly evidence: Evidence | null
  /** Why it is not known, or what the HSM said; null after a login that succeeded. */
  readonly reason: string | null
}

/**
 * Asks every HSM by one login each, and none that is near its lock-out; where the utility leads from one HSM to all of
 * its cluster, by one login for the cluster. A wrong password costs one failed login on each HSM that is asked; where
 * the utility shows no failure count, the first refusal is the last login on its cluster.
 */
export const provePassword = async (
  console: HsmConsole,
  roster: Roster,
  user: HsmUserRef,
  password: Secret,
  options: ProveOptions,
): Promise<readonly PasswordProof[]> => {
  const asked = await inLanes(unitsOf(roster, console.utility), options.concurrency, (unit) =>
    askUnit(console, unit, user, password, options),
  )
  return asked.flat()
}

interface ProveOptions {
  readonly concurrency: number
  readonly budget: LoginBudget
}

type Finding = Pick<PasswordProof, 'match' | 'evidence' | 'reason'>

const notAsked = (reason: string): Finding => ({ match: null, evidence: null, reason })

/** The `reason` of an HSM that does not list the user. */
export const NO_SUCH_USER = 'there is no such user'

const REFUSED_ELSEWHERE = notAsked('not asked: another HSM of this cluster refused it, and no failure count is shown')

const askUnit = async (
  console: HsmConsole,
  { servers }: Unit,
  user: HsmUserRef,
  password: Secret,
  { budget }: ProveOptions,
): Promise<readonly PasswordProof[]> => {
  const findings = new Map<HsmId, Finding>()
  let last: Finding | null = null as Finding | null
  try {
    await inSessionsOn({ console }, servers, async (session, reached) => {
      if (last !== null) return
      const { finding, lastLogin } = await ask(session, reached, user, password, budget)
      for (const { hsmId } of reached) findings.set(hsmId, finding)
      if (lastLogin) last = REFUSED_ELSEWHERE
    })
  } catch (error) {
    if (!(error instanceof ConsoleFailure)) throw error
    last = notAsked(error.message)
  }
  const rest: Finding = last ?? notAsked('not asked')
  return servers.map(({ hsmId, clusterId, region }) => ({
    hsmId,
    clusterId,
    region,
    ...(findings.get(hsmId) ?? rest),
  }))
}

/** @returns what a login on these HSMs says, and whether it has to be the last one on their cluster */
const ask = async (
  session: HsmSession,
  reached: readonly RosterEntry[],
  user: HsmUserRef,
  password: Secret,
  budget: LoginBudget,
): Promise<{ readonly finding: Finding; readonly lastLogin: boolean }> => {
  const listing = await session.listUsers()
  const rows = rowsOf(listing, reached, user)
  const [row] = rows.values()
  if (row === undefined) return { finding: notAsked(NO_SUCH_USER), lastLogin: false }
  const objection = await budget.objection({ user, reached, rows })
  if (objection !== null) return { finding: notAsked(`not asked: ${objection.message}`), lastLogin: false }
  const evidence: Evidence = reached.length > 1 ? 'cluster' : 'hsm'
  const answer = await logIn(budget, { session, user: row, reached, rows, password, credential: null })
  if (answer.kind === 'refused' && answer.reason === 'login-refused') {
    const finding: Finding =
      evidence === 'hsm'
        ? { match: false, evidence, reason: answer.text }
        : { match: null, evidence, reason: `${UNKNOWN_WHICH}: ${answer.text}` }
    return { finding, lastLogin: isUncounted(rows) }
  }
  if (answer.kind !== 'done') return { finding: { match: null, evidence, reason: answer.text }, lastLogin: false }
  return { finding: { match: true, evidence, reason: null }, lastLogin: false }
}

const UNKNOWN_WHICH = 'the cluster refused it; which of its HSMs is not known'
