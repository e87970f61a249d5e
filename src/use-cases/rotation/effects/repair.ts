import type { UnitId } from '../../../domain/ids.js'
import type { RosterEntry } from '../../../domain/roster.js'
import { type PlannedUser, serversOf } from '../../../domain/rotation/plan.js'
import { isAskedFor } from '../../../domain/rotation/procedures/repair.js'
import { absentUsers } from '../cells/absent-users.js'
import { copyWhereTaken, isRefusedAsExisting } from '../cells/copy.js'
import { failedAndLocked, give, isLocked, refuseLocked } from '../cells/give.js'
import { hasOrigin } from '../cells/origins.js'
import { logInEach, prove } from '../cells/prove.js'
import { proveAgain } from '../cells/prove-again.js'
import { copyRefused, originLost, withWaysOut } from '../cells/stuck-repair.js'
import { Pause, pauseAfter, throwTogether } from '../run/pause.js'
import type { RotationRun } from '../run/rotation-run.js'
import { inTwoConversations } from '../sessions/in-session.js'
import { failuresOnEach, leaveBehind, onEach } from '../survey/unreachable.js'

/**
 * Asks the HSMs that nobody asked yet, by one login per user, whether they hold the credential already. Where the budget
 * allows none, they are written without being asked, which clears it.
 */
export const askCells = (run: RotationRun): Promise<void> =>
  onEach(run, run.units, async (unitId) => {
    const hsmIds = run.servers(unitId).map(({ hsmId }) => hsmId)
    const open = run.users.filter(({ key }) => !isAskedFor(run.ledger, key, hsmIds))
    if (open.length === 0) return
    await inTwoConversations(open, (share) =>
      logInEach(run, unitId, share, 'new', {
        onNotAsked: async ({ key: user }, reached, { message: reason }) => {
          await run.record({ type: 'not-asked', user, hsmIds: reached.map(({ hsmId }) => hsmId), reason })
        },
      }),
    )
  })

/**
 * Gives the credential to the HSMs that do not hold it. Where that can only be copied and its origin is lost, HSMs that may
 * stay behind are left as they are.
 * @throws {Pause} `ORIGIN_LOST`
 */
export const repairCells = async (run: RotationRun): Promise<void> => {
  const { from, newCredential } = run.ledger.facts
  if (from !== null) await takeOriginAlong(run, from)
  const lost = () =>
    from !== null && newCredential === 'unknown' && !hasOrigin(run, from) ? originLost(run, from) : null
  const wanting = () => run.units.filter((unitId) => run.notNew(unitId).length > 0)
  if (lost() !== null) for (const unitId of wanting()) await leaveAsTheyAre(run, run.servers(unitId))
  if (wanting().length === 0) return
  const before = lost()
  if (before !== null) throw before
  await run.beforeChange()
  try {
    const isHeld = run.units.some((unitId) => run.notNew(unitId).length === 0)
    // Where nothing holds it yet, those that lack a user follow: something was made to hold it by then, once and not twice.
    const failures = isHeld
      ? await repairEach(run, () => true)
      : [
          ...(await repairEach(run, (unitId, user) => !mayLack(run, unitId, user))),
          ...(await repairEach(run, (unitId, user) => mayLack(run, unitId, user))),
        ]
    throwTogether(failures, run.goesBack)
  } catch (error) {
    if (!(error instanceof Pause)) throw error
    const since = lost()
    // To go on without it is no way out.
    if (since !== null && error.code === 'HSM_UNREACHABLE') throw since
    throw error.code === 'COPY_REFUSED' ? withWaysOut(run, error) : error
  }
  // With its last debt a repair that was through is called complete, and no other row proves the others again.
  if (run.ledger.applicationsTold) await onEach(run, run.units, (unitId) => proveAgain(run, unitId))
}

/** Repairs users of each unit that are chosen, in parallel lanes. @returns why it failed where it did */
const repairEach = (
  run: RotationRun,
  isChosen: (unitId: UnitId, user: PlannedUser) => boolean,
): Promise<readonly unknown[]> => {
  const chosen = (unitId: UnitId) => run.notNew(unitId).filter((user) => isChosen(unitId, user))
  const units = run.units.filter((unitId) => chosen(unitId).length > 0)
  return failuresOnEach(run, units, (unitId) => repairUnit(run, unitId, chosen(unitId)))
}

const mayLack = (run: RotationRun, unitId: UnitId, { key }: PlannedUser): boolean =>
  run.servers(unitId).some(({ hsmId }) => run.ledger.mayBeAbsent(key, hsmId))

/**
 * An origin that was allowed to stay behind takes part again as soon as it is seen to hold what it did: without it nothing
 * can be copied.
 */
const takeOriginAlong = async (run: RotationRun, from: UnitId): Promise<void> => {
  const { ledger, plan } = run
  for (const { hsmId } of serversOf(plan.roster, from)) {
    const isRight = run.users.every(({ key }) => ledger.cell(key, hsmId).state === 'new')
    if (!ledger.debts.has(hsmId) || !ledger.isInSight(hsmId) || !isRight) continue
    await run.record({ type: 'debt-settled', hsmId })
    run.notice(`${hsmId} is back and takes part again`)
  }
}

/** Makes debts of those of these HSMs that the operator lets stay behind: nothing can give them what they lack. */
const leaveAsTheyAre = async (run: RotationRun, servers: readonly RosterEntry[]): Promise<void> => {
  const { hsmIds } = run.parts.options.mayStayBehind
  for (const { hsmId } of servers) {
    if (hsmIds.includes(hsmId)) await leaveBehind(run, hsmId, 'is left as it is')
  }
}

const repairUnit = async (run: RotationRun, unitId: UnitId, users: readonly PlannedUser[]): Promise<void> => {
  const { from } = run.ledger.facts
  // Where the password is known, a repair does without what it copies from.
  const isCopied = from !== null && from !== unitId && hasOrigin(run, from)
  if (!isCopied) return give(run, unitId, users, { credential: 'new', method: 'change' })
  const { changed, copied } = await copiedFrom(run, from, unitId, users)
  const inVain = await prove(
    run,
    unitId,
    copied.filter(({ key }) => run.knows(key, 'new')),
    'new',
  )
  await give(run, unitId, [...changed, ...inVain], { credential: 'new', method: 'change' })
}

/**
 * Copies users from where the operator said, and says which have to be changed: those that a copy leaves as they are, and
 * those that could not be asked after a copy.
 * @throws {Pause} `COPY_REFUSED`, `USER_LOCKED` where nobody knows the password that a change would need
 */
const copiedFrom = async (run: RotationRun, from: UnitId, to: UnitId, users: readonly PlannedUser[]) => {
  const absent = await absentUsers(run, to, users)
  const servers = run.servers(to)
  const locked = users.filter((user) => !absent.has(user) && isLocked(run, to, user))
  // A copy may leave the user locked, and its failed logins counted: one that refused it has no login left in this run.
  const hasNoLogin = ({ key }: PlannedUser) =>
    servers.some(({ hsmId }) => run.ledger.mayNotBeAsked(key, hsmId) || run.ledger.refused(key, hsmId).includes('new'))
  const changed = users.filter(
    (user) => run.knows(user.key, 'new') && !absent.has(user) && (locked.includes(user) || hasNoLogin(user)),
  )
  const wanted = users.filter((user) => !changed.includes(user))
  const answers =
    wanted.length === 0
      ? new Map()
      : await copyWhereTaken(run, { from: () => from, to, users: wanted, credential: 'new' })
  const refused = wanted.filter(({ key }) => isRefusedAsExisting(answers.get(key)))
  const stuck = refused.filter(({ key }) => !run.knows(key, 'new'))
  if (stuck.length > 0) {
    await leaveAsTheyAre(run, servers)
    if (run.servers(to).length === 0) return { changed: [], copied: [] }
  }
  await refuseLocked(run, to, failedAndLocked(run, to, wanted, answers))
  for (const user of wanted) {
    const answer = answers.get(user.key)
    if (answer.kind !== 'done' && !refused.includes(user)) {
      throw pauseAfter(`${run.words.copy} of ${user.key}`, run.name(to), answer)
    }
  }
  if (stuck.length > 0) throw copyRefused(run, to, stuck)
  const wereLocked = locked.filter((user) => wanted.includes(user))
  await give(run, to, await refuseLocked(run, to, wereLocked), { credential: 'new', method: 'sync' })
  return { changed: [...changed, ...refused], copied: wanted.filter((user) => !refused.includes(user)) }
}
