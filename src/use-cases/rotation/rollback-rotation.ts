import { refusal } from '../../domain/errors.js'
import type { HsmId, UnitId } from '../../domain/ids.js'
import type { CellState } from '../../domain/rotation/cell.js'
import { type PlannedUser, serversOf, unitOf } from '../../domain/rotation/plan.js'
import type { Rotation } from '../../domain/rotation/rotation.js'
import { UTILITY_WORDS } from '../../domain/utility.js'
import { changeCells, loginEach, onEach, proveCells, syncCells } from './cell-work.js'
import { refusedPause } from './hsm-work.js'
import { byConsent, refuseKept } from './other-cells.js'
import { asPause, Pause } from './pause.js'
import { copiesUntried, type ReopenPorts, type ReopenRequest, reopenRotation } from './reopen-rotation.js'
import type { RotationRun } from './rotation-run.js'
import { pauseAt } from './run-stages.js'

/**
 * Returns every cell to the old credential and removes PENDING. The first entry fixes the direction for good.
 * @throws {OperatorError} `ROLLBACK_TOO_LATE`, `NO_WAY_BACK` (exit 3), and those of `reopenRotation`; nothing has
 * changed then
 */
export const rollbackRotation = (request: ReopenRequest, ports: ReopenPorts): Promise<Rotation> =>
  reopenRotation(request, ports, rollBack, refuseRollback)

/** Goes back, or goes on going back. */
export const rollBack = async (run: RotationRun): Promise<Rotation> => {
  const stage = run.ledger.stage ?? 'finalize'
  try {
    const method = run.ledger.rollback ?? (await begin(run))
    const { copy, change, unit } = run.words
    const origin = unit === 'hsm' ? 'an HSM' : 'a cluster'
    run.notice(`rolling back by ${method === 'sync' ? `${copy} from ${origin} that was not written to` : change}`)
    run.settleDebts()
    await onEach(run, run.units, (unitId) => restore(run, unitId, method))
    await run.record({ type: 'store', act: 'discard', phase: 'intent' })
    await run.parts.store.discardPending(run.ledger.facts.rotationId)
    await run.record({ type: 'finished', outcome: 'rolled-back' })
  } catch (error) {
    if (asPause(error) === null) throw error
    return pauseAt(run, stage, error)
  }
  return run.ledger.rotation()
}

/** Whether going back is still possible, from the journal alone. */
const refuseRollback = (rotation: Rotation): void => {
  const { rotationId } = rotation.facts
  if (rotation.finished === 'rolled-back' || rotation.direction === 'back') return
  if (rotation.promoting || rotation.finished !== null) {
    throw refusal('ROLLBACK_TOO_LATE', `${rotationId} has begun to make the new credential the current one`, [
      rotation.finished === null
        ? `lockstep rotate resume --rotation ${rotationId}`
        : 'start a rotation that gives the old credential as the new one',
    ])
  }
  if (rotation.cells.every((cell) => cell.state === 'old' || cell.state === 'absent')) return
  if (rotation.wayBack.byCurrent) return
  if (rotation.wayBack.bySync && oldOrigin(rotation) !== undefined) return
  throw refusal(
    'NO_WAY_BACK',
    rotation.wayBack.bySync
      ? `nothing of ${rotationId} is left on the old credential untouched, and the current credential is not known`
      : `${UTILITY_WORDS[rotation.plan.utility].copy} does not return the old credential in ${rotationId}, and the current credential is not known`,
    [`forward is the only way: lockstep rotate resume --rotation ${rotationId}`],
  )
}

/** A unit to copy the old credential from: one that is in sight if there is any. */
const oldOrigin = ({ oldOrigins, cells, plan }: Rotation): UnitId | undefined => {
  const inSight = (unitId: UnitId) => {
    const hsmIds = serversOf(plan.roster, unitId).map(({ hsmId }) => hsmId)
    return cells.every((cell) => !hsmIds.includes(cell.hsmId) || cell.state === 'old')
  }
  return oldOrigins.find(inSight) ?? oldOrigins[0]
}

const begin = async (run: RotationRun): Promise<'sync' | 'change'> => {
  const rotation = run.ledger.rotation()
  // A login with the current credential is the better proof; a copy is the way where it is not known.
  const method = rotation.wayBack.byCurrent ? 'change' : 'sync'
  if (copiesUntried(rotation)) await tryCopies(run)
  await run.record({ type: 'rollback-started', method })
  return method
}

/**
 * Copies the old credential over cells that may hold the new one and asks for the new one there: it must be refused. One
 * unit that is new for certain is enough to show it; where none is, all are asked. A cluster refuses as soon as one of its
 * HSMs does, so it shows nothing unless each of them held the new one: it is given it first.
 * @throws {Pause} `NO_WAY_BACK`, while forward is still a way
 */
const tryCopies = async (run: RotationRun): Promise<void> => {
  const doubtful = writtenAs(run, (state) => state !== 'old' && state !== 'absent')
  const certain = doubtful.find(({ unitId, user }) =>
    run.servers(unitId).every(({ hsmId }) => run.ledger.cell(user.key, hsmId).state === 'new'),
  )
  const cluster = doubtful.find(({ unitId }) => run.servers(unitId).length > 1)
  const one = certain ?? cluster
  const asked = one === undefined ? doubtful : [one]
  if (asked.length > 0 && run.parts.credentials.new.size === 0) {
    throw new Pause('PENDING_LOST', `${run.parts.store.description} does not hold the new credential any more`)
  }
  if (one !== undefined && one !== certain) await changeCells(run, one.unitId, [one.user], 'new')
  for (const { unitId, user } of asked) {
    const refusedCopy = await refusalOfOld(run, unitId, user)
    if (refusedCopy !== null) await giveUpCopies(run, refusedCopy)
    const { refused, nearLockout } = await loginEach(run, unitId, [user], 'new')
    if (nearLockout.length > 0) {
      throw new Pause('NEAR_LOCKOUT', `${user.key} is near its lock-out on ${unitId}, so it is not asked what it holds`)
    }
    if (refused.length > 0) continue
    const evidence = `${run.words.copy} reported success on ${unitId}, but ${user.key} still holds the new credential there`
    await giveUpCopies(run, evidence)
  }
}

const giveUpCopies = async (run: RotationRun, evidence: string): Promise<never> => {
  await run.record({ type: 'way-back', bySync: false, byCurrent: false, evidence })
  await run.record({ type: 'propagation', method: 'change', evidence })
  throw new Pause('NO_WAY_BACK', `${evidence}; forward is the only way`)
}

/** Users and units that were meant to be written and have a cell in such a state. */
const writtenAs = (run: RotationRun, wanted: (state: CellState) => boolean) =>
  run.units.flatMap((unitId) =>
    run.users
      .filter((user) =>
        run
          .servers(unitId)
          .some(
            ({ hsmId }) => run.ledger.everWritten(user.key, hsmId) && wanted(run.ledger.cell(user.key, hsmId).state),
          ),
      )
      .map((user) => ({ unitId, user })),
  )

/** Brings one unit back. Users that are old for certain on all of it are left alone. */
const restore = async (run: RotationRun, unitId: UnitId, method: 'sync' | 'change'): Promise<void> => {
  const doubtful = run.users.filter((user) => run.servers(unitId).some(({ hsmId }) => !isOld(run, user, hsmId)))
  const { free, kept } = byConsent(run, unitId, doubtful)
  await restoreUsers(run, unitId, free, method)
  refuseKept(run, unitId, kept)
}

const restoreUsers = async (
  run: RotationRun,
  unitId: UnitId,
  pending: readonly PlannedUser[],
  method: 'sync' | 'change',
): Promise<void> => {
  if (pending.length === 0) return
  if (method === 'change') {
    await changeCells(run, unitId, pending, 'current')
    const refused = await proveCells(run, unitId, pending, 'current')
    if (refused.length === 0) return
    const names = refused.map((user) => user.key).join(', ')
    throw new Pause(
      'CURRENT_REFUSED',
      `${run.name(unitId)} refused the current credential of ${names} although it was written there`,
    )
  }
  await copyOld(run, unitId, pending)
}

/** Copies the old credential from where it is still held. */
const copyOld = async (run: RotationRun, unitId: UnitId, users: readonly PlannedUser[]): Promise<void> => {
  for (const [user, answer] of await answersOfOld(run, unitId, users)) {
    if (answer.kind !== 'done') throw refusedPause(`${run.words.copy} of ${user}`, run.name(unitId), answer)
  }
}

const answersOfOld = async (run: RotationRun, unitId: UnitId, users: readonly PlannedUser[]) => {
  const from = oldOrigin(run.ledger.rotation())
  if (from === undefined) throw new Pause('NO_WAY_BACK', 'nothing is left on the old credential untouched')
  return (await syncCells(run, { from: () => from, to: unitId, users }, 'current')).answers
}

/**
 * Copies the old credential of one user.
 * @returns the words of a copy that does not overwrite a password; any other failure pauses
 */
const refusalOfOld = async (run: RotationRun, unitId: UnitId, user: PlannedUser): Promise<string | null> => {
  const answer = (await answersOfOld(run, unitId, [user])).get(user.key) ?? { kind: 'done' }
  if (answer.kind === 'done') return null
  const what = `${run.words.copy} of ${user.key}`
  const keepsPassword =
    answer.kind === 'refused' && (answer.reason === 'user-exists' || answer.reason === 'replicate-refused')
  if (!keepsPassword) throw refusedPause(what, run.name(unitId), answer)
  return `${what} was refused on ${unitId}: "${answer.text}"`
}

const isOld = (run: RotationRun, user: PlannedUser, hsmId: HsmId): boolean => {
  const { state } = run.ledger.cell(user.key, hsmId)
  if (state === 'old' || state === 'absent') return true
  if (run.ledger.everWritten(user.key, hsmId)) return false
  // Out of sight perhaps, but never meant to be written. One that was added since was built from others, and they may have
  // held the new credential then.
  const { facts, oldOrigins, plan } = run.ledger.rotation()
  const isPlanned = facts.plan.roster.some((server) => server.hsmId === hsmId)
  return (
    isPlanned ||
    plan.roster.some((server) => server.hsmId === hsmId && oldOrigins.includes(unitOf(server, plan.utility)))
  )
}
