import type { UnitId } from '../../../domain/ids.js'
import type { PlannedUser } from '../../../domain/rotation/plan.js'
import { isAskedFor } from '../../../domain/rotation/procedures/repair.js'
import { absentUsers } from '../cells/absent-users.js'
import { copyUsers, isRefusedAsExisting } from '../cells/copy.js'
import { give } from '../cells/give.js'
import { logInEach, prove } from '../cells/prove.js'
import { Pause, pauseAfter } from '../run/pause.js'
import type { RotationRun } from '../run/rotation-run.js'
import { inTwoConversations } from '../sessions/in-session.js'
import { onEach } from '../survey/unreachable.js'

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

/** Gives the credential to the HSMs that do not hold it. */
export const repairCells = async (run: RotationRun): Promise<void> => {
  await run.beforeChange()
  const units = run.units.filter((unitId) => run.notNew(unitId).length > 0)
  await onEach(run, units, (unitId) => repairUnit(run, unitId, run.notNew(unitId)))
}

const repairUnit = async (run: RotationRun, unitId: UnitId, users: readonly PlannedUser[]): Promise<void> => {
  const { from } = run.ledger.facts
  if (from === null || from === unitId) return give(run, unitId, users, { credential: 'new', method: 'change' })
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
 * Copies users from where the operator said, and says which have to be changed: those that a copy leaves as they are.
 * @throws {Pause} `COPY_REFUSED` where nobody knows the password that a change would need
 */
const copiedFrom = async (run: RotationRun, from: UnitId, to: UnitId, users: readonly PlannedUser[]) => {
  const absent = await absentUsers(run, to, users)
  const isNearLockout = ({ key }: PlannedUser) =>
    run
      .servers(to)
      .some(({ hsmId }) => run.ledger.cell(key, hsmId).state === 'locked' || run.ledger.mayNotBeAsked(key, hsmId))
  // A copy onto a locked user may leave it locked, and its failed logins counted.
  const changed = users.filter((user) => isNearLockout(user) && run.knows(user.key, 'new') && !absent.has(user))
  const wanted = users.filter((user) => !changed.includes(user))
  const { answers } =
    wanted.length === 0
      ? { answers: new Map() }
      : await copyUsers(run, { from: () => from, to, users: wanted, credential: 'new' })
  const refused = wanted.filter(({ key }) => isRefusedAsExisting(answers.get(key)))
  for (const user of wanted) {
    const answer = answers.get(user.key)
    if (answer.kind !== 'done' && !refused.includes(user)) {
      throw pauseAfter(`${run.words.copy} of ${user.key}`, run.name(to), answer)
    }
  }
  const stuck = refused.filter(({ key }) => !run.knows(key, 'new'))
  if (stuck.length > 0) throw copyRefused(run, to, stuck)
  return { changed: [...changed, ...refused], copied: wanted.filter((user) => !refused.includes(user)) }
}

const copyRefused = (run: RotationRun, unitId: UnitId, users: readonly PlannedUser[]): Pause =>
  new Pause(
    'COPY_REFUSED',
    `${run.words.copy} does not overwrite ${users.map(({ key }) => key).join(', ')} on ${run.name(unitId)}, and the password, which a change needs, is not known`,
    [
      `lockstep rotate rollback --rotation ${run.ledger.facts.rotationId}   closes this repair where it changed nothing`,
      'then the same lockstep users repair with --password SECRET, which goes on by changes',
    ],
  )
