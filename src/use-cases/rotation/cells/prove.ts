import type { OperatorError } from '../../../domain/errors.js'
import type { UnitId } from '../../../domain/ids.js'
import type { RosterEntry } from '../../../domain/roster.js'
import type { CredentialName } from '../../../domain/rotation/journal-entry.js'
import type { PlannedUser } from '../../../domain/rotation/plan.js'
import { Pause, pauseAfter } from '../run/pause.js'
import type { RotationRun } from '../run/rotation-run.js'
import { inSessionsOn, inTwoConversations, rowsOf } from '../sessions/in-session.js'
import { logIn } from '../sessions/log-in.js'
import { madeByHand } from './absent-users.js'
import { changeUsers } from './change.js'

/**
 * Proves by one login per user which credential the HSMs of a unit hold. Each session logs out and ends before anything
 * else is written there: our own sessions count as logins too. A cell that was written by us and has no login left in its
 * budget is written again first, which clears the count.
 * @returns the users whose login was refused; they were not asked on the HSMs that follow
 * @throws {Pause} instead of a login that the budget does not allow
 */
export const prove = async (
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
  const first = await logInEach(run, unitId, users, credential)
  if (first.objections.size === 0) return first.refused
  const ours = [...first.objections.keys()]
  run.notice(
    `no login is left for ${ours.map(({ key }) => key).join(', ')} on ${unitId}: written again to clear the count`,
  )
  await changeUsers(run, unitId, ours, credential)
  const second = await logInEach(run, unitId, users, credential)
  const [objection] = second.objections.values()
  if (objection !== undefined) throw objection
  return second.refused
}

/** What logging in as each user came to. */
export interface LoginsOnUnit {
  readonly refused: readonly PlannedUser[]
  /** Users that we wrote there and that the budget allows no login; then nobody logged in there. */
  readonly objections: ReadonlyMap<PlannedUser, OperatorError>
}

/**
 * Logs in as each user on each HSM of a unit.
 * @param onNotAsked told where the budget allows no login to a cell that was never written, instead of an error
 * @throws {OperatorError} where the budget allows no login to a cell that was never written
 * @throws {Pause} `USER_MISSING`, `CLIENT_USES_OTHER_PASSWORD`
 */
export const logInEach = async (
  run: RotationRun,
  unitId: UnitId,
  users: readonly PlannedUser[],
  credential: CredentialName,
  {
    onNotAsked = refuseLogin,
    isTyped = false,
  }: {
    readonly onNotAsked?: (user: PlannedUser, reached: readonly RosterEntry[], why: OperatorError) => Promise<void>
    /** It was typed once more, perhaps wrongly. */
    readonly isTyped?: boolean
  } = {},
): Promise<LoginsOnUnit> => {
  const refused = new Set<PlannedUser>()
  const objections = new Map<PlannedUser, OperatorError>()
  const { budget } = run.parts
  await inSessionsOn(run.parts, run.servers(unitId), async (session, reached) => {
    const listing = await session.listUsers(users)
    const risen = await run.observe(listing, reached)
    const rowsOfUser = new Map(users.map((user) => [user, rowsOf(listing, reached, user)]))
    for (const [user, rows] of rowsOfUser) {
      if (refused.has(user)) continue
      const objection = await budget.objection({ user, reached, rows })
      if (objection === null) continue
      if (reached.some(({ hsmId }) => run.ledger.everWritten(user.key, hsmId))) {
        objections.set(user, objection)
        continue
      }
      await onNotAsked(user, reached, objection)
      rowsOfUser.delete(user)
    }
    if (objections.size > 0) return
    if (risen !== null) throw risen
    for (const [user, rows] of rowsOfUser) {
      if (refused.has(user)) continue
      const missing = reached.find(({ hsmId }) => !rows.has(hsmId))
      if (missing !== undefined) {
        throw new Pause('USER_MISSING', `${user.key} is not listed on ${missing.hsmId}`, [madeByHand(run)])
      }
      const password = run.password(user.key, credential)
      const hsmIds = reached.map(({ hsmId }) => hsmId)
      const typed = isTyped ? ({ typed: true } as const) : {}
      const intent = { act: 'login', user: user.key, hsmIds, credential, ...typed } as const
      const answer = await logIn(budget, { session, user, reached, rows, password, credential: null }, (attempt) =>
        run.ask(session, intent, attempt),
      )
      if (answer.kind === 'refused' && answer.reason === 'login-refused') refused.add(user)
      else if (answer.kind !== 'done') throw pauseAfter(`the login of ${user.key}`, run.name(unitId), answer)
    }
  })
  return { refused: [...refused], objections }
}

const refuseLogin = async (
  _user: PlannedUser,
  _reached: readonly RosterEntry[],
  why: OperatorError,
): Promise<never> => {
  throw why
}
