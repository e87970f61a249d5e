import { type OperatorError, refusal } from '../../../domain/errors.js'
import type { UserKey } from '../../../domain/hsm-user.js'
import type { UnitId } from '../../../domain/ids.js'
import { allowUnreachable } from '../../../domain/roster.js'
import type { CurrentVersion } from '../../../domain/rotation/journal-entry.js'
import { type PlannedUser, serversOf } from '../../../domain/rotation/plan.js'
import { nothingToUndo } from '../../../domain/rotation/way-back.js'
import { logInEach } from '../cells/prove.js'
import { leavingAdvice } from '../cells/stuck-repair.js'
import { currentOfStore } from '../open/credentials.js'
import type { RotationRun } from '../run/rotation-run.js'
import { leaveBehind } from './unreachable.js'

/**
 * What a repair gives may be another password when it is taken up again: it was typed anew, or the store keeps another CURRENT
 * by now. Before anything is given it, a login of each user shows it where it was proved: on the unit that users are copied
 * from, as long as nobody wrote that. It costs one login of a user, also where it is wrong.
 * @throws {OperatorError} `CURRENT_REFUSED`; `ORIGIN_LOST` where nothing is left that could show it
 */
export const proveRepairPassword = async (run: RotationRun): Promise<void> => {
  const source = await sourceInDoubt(run)
  if (source === null) return
  const shown = new Set<PlannedUser>()
  const spent: OperatorError[] = []
  for (const unitId of inOrder(run)) {
    const asked = run.users.filter((user) => !shown.has(user) && isAskable(run, unitId, user))
    if (asked.length === 0 || (await isLeftBehind(run, unitId))) continue
    const { refused, objections } = await askAgain(run, unitId, asked, true)
    const [user] = refused
    if (user !== undefined) throw refusedWhereProved(run, unitId, user.key, source)
    for (const one of asked) if (!objections.has(one)) shown.add(one)
    spent.push(...objections.values())
  }
  if (run.users.some((user) => !shown.has(user) && !isLeftToNewer(run, user))) return leaveUnshown(run, source, spent)
  // Once another unit has shown it, what refuses it holds something else.
  for (const unitId of run.units) {
    await askAgain(
      run,
      unitId,
      run.users.filter((user) => hasRefusedTyped(run, unitId, user)),
      false,
    )
  }
}

/** A login of each user whose budget allows one. @returns who was refused, and why the others were not asked */
const askAgain = async (run: RotationRun, unitId: UnitId, users: readonly PlannedUser[], isTyped: boolean) => {
  const objections = new Map<PlannedUser, OperatorError>()
  const ask = (asked: readonly PlannedUser[]) =>
    logInEach(run, unitId, asked, 'new', {
      isTyped,
      onNotAsked: async (user, _reached, why) => {
        objections.set(user, why)
      },
    })
  if (users.length === 0) return { refused: [], objections }
  const first = await ask(users)
  for (const [user, why] of first.objections) objections.set(user, why)
  // Where some that we wrote may not be asked, nobody was.
  const rest = users.filter((user) => !objections.has(user))
  const { refused } = first.objections.size === 0 || rest.length === 0 ? first : await ask(rest)
  return { refused, objections }
}

/** Leaves the HSMs of a unit as they are where the operator names all of them. */
const isLeftBehind = async (run: RotationRun, unitId: UnitId): Promise<boolean> => {
  const { hsmIds } = run.parts.options.mayStayBehind
  const servers = run.servers(unitId)
  if (!servers.every(({ hsmId }) => hsmIds.includes(hsmId))) return false
  for (const { hsmId } of servers) if (!run.ledger.debts.has(hsmId)) await leaveBehind(run, hsmId, 'is left as it is')
  return true
}

/** Without a login that shows the password nothing is given it: HSMs that lack it stay behind, or the run stops. */
const leaveUnshown = async (run: RotationRun, source: string, spent: readonly OperatorError[]): Promise<void> => {
  const lacking = run.units.filter((unitId) => run.notNew(unitId).length > 0)
  const { hsmIds } = run.parts.options.mayStayBehind
  const areNamed = lacking.flatMap((unitId) => run.servers(unitId)).every(({ hsmId }) => hsmIds.includes(hsmId))
  if (!areNamed || run.ledger.applicationsTold) throw notShown(run, source, spent)
  for (const unitId of lacking) await isLeftBehind(run, unitId)
  run.givesNothing = () => notShown(run, source, spent)
}

/** Where the password of a repair comes from, in words, if it may be another one than before; else null. */
const sourceInDoubt = async ({ ledger, plan, parts, goesBack }: RotationRun): Promise<string | null> => {
  const { procedure, newCredential, kept } = ledger.facts
  if (procedure !== 'repair' || goesBack) return null
  if (newCredential === 'given') return '--new-password gives'
  if (newCredential !== 'kept' || kept === undefined) return null
  const now = await currentOfStore(parts.store, plan)
  if (now === null || (now.rotationId === kept.rotationId && now.startedAt === kept.startedAt)) return null
  return `${parts.store.description} keeps as CURRENT now, that of ${nameOf(now)} where it was that of ${nameOf(kept)}`
}

const nameOf = ({ rotationId, startedAt }: CurrentVersion): string => rotationId ?? startedAt

/** The unit that users are copied from is the first to be asked. */
const inOrder = ({ units, ledger }: RotationRun): readonly UnitId[] => {
  const isOrigin = (unitId: UnitId) => unitId === ledger.facts.from
  return [...units.filter(isOrigin), ...units.filter((unitId) => !isOrigin(unitId))]
}

/**
 * Whether a login has shown the password there, also if what was typed for it the last time was refused: on all that a login
 * reaches now, debts among them.
 */
const isAskable = ({ ledger, plan }: RotationRun, unitId: UnitId, { key }: PlannedUser): boolean =>
  serversOf(plan.roster, unitId)
    .filter(({ hsmId }) => ledger.isInSight(hsmId))
    .every(({ hsmId }) => {
      const isShown = ledger.cell(key, hsmId).proof === 'login-new' || ledger.hasRefusedTyped(key, hsmId)
      return isShown && ledger.supersededBy(key, hsmId) === null
    })

/** Whether a newer run has given the user something else everywhere. */
const isLeftToNewer = ({ ledger, plan }: RotationRun, { key }: PlannedUser): boolean =>
  plan.roster.every(({ hsmId }) => ledger.supersededBy(key, hsmId) !== null)

const hasRefusedTyped = (run: RotationRun, unitId: UnitId, { key }: PlannedUser): boolean =>
  run.servers(unitId).some(({ hsmId }) => run.ledger.hasRefusedTyped(key, hsmId))

/** Whether a rollback closes it. */
const isUntouched = ({ ledger }: RotationRun): boolean => nothingToUndo(ledger) && !ledger.applicationsTold

const refusedWhereProved = (run: RotationRun, unitId: UnitId, user: UserKey, source: string): OperatorError => {
  const { rotationId } = run.ledger.facts
  const flags = allowUnreachable(run.servers(unitId))
  return refusal(
    'CURRENT_REFUSED',
    `${run.name(unitId)} held what this repair gives, and refused for ${user} what ${source}; nothing is given it`,
    [
      'compare the password with the one in your vault, and give the right one',
      isUntouched(run)
        ? `where somebody has changed it there since: lockstep rotate rollback --rotation ${rotationId}   closes this repair, which has written nothing; then another one`
        : `where somebody has changed it there since, go on without: lockstep rotate resume --rotation ${rotationId} ${flags} --reason TEXT`,
    ],
  )
}

const notShown = (run: RotationRun, source: string, [spent]: readonly OperatorError[]): OperatorError => {
  const nothing = `nothing is left that could show whether it is right what ${source}, and nothing is given it`
  return refusal(spent?.code ?? 'ORIGIN_LOST', spent === undefined ? nothing : `${spent.message}: ${nothing}`, [
    ...(spent?.suggestions.slice(0, 1) ?? []),
    ...(isUntouched(run)
      ? [`nothing has changed yet, to close it: lockstep rotate rollback --rotation ${run.ledger.facts.rotationId}`]
      : []),
    ...leavingAdvice(run),
  ])
}
