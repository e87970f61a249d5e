import type { HsmId, UnitId } from '../../../domain/ids.js'
import { allowUnreachable, nameServer } from '../../../domain/roster.js'
import type { CellState } from '../../../domain/rotation/cell.js'
import { type PlannedUser, serversOf } from '../../../domain/rotation/plan.js'
import { isBack, isLeftToDo, isNothingLeft } from '../../../domain/rotation/procedures/roll-back.js'
import { type Rotation, rotationOf } from '../../../domain/rotation/rotation.js'
import { nothingToUndo, oldOrigins } from '../../../domain/rotation/way-back.js'
import { changeUsers } from '../cells/change.js'
import { copyUsers, isRefusedAsExisting, verdictOf } from '../cells/copy.js'
import { isLocked, oldOrigin } from '../cells/give.js'
import { logInEach } from '../cells/prove.js'
import type { ReopenPorts } from '../ports.js'
import { Pause, pauseAfter } from '../run/pause.js'
import type { RotationRun } from '../run/rotation-run.js'
import { recordPause, runProcedure } from '../run/run-procedure.js'
import { awayWithWork, isClusterAway, leaveBehind } from '../survey/unreachable.js'
import { type ReopenRequest, reopenRotation } from './reopen.js'
import { refuseRollback } from './rollback-outlook.js'
import { RollbackRefused } from './rollback-refused.js'

/**
 * Returns every cell to what it held and removes PENDING. The first entry fixes the direction for good.
 * @throws {RollbackRefused} `ROLLBACK_TOO_LATE`, `NO_WAY_BACK` (exit 3), and those of `reopenRotation`
 */
export const rollbackRotation = (request: ReopenRequest, ports: ReopenPorts): Promise<Rotation> =>
  reopenRotation(request, ports, {
    direction: 'back',
    // A cluster that is left out may be back: AWS is asked first.
    refuse: (ledger) => refuseRollback(ledger, request, { lostMayBeBack: true }),
    work: async (run) => {
      const stage = run.rotation().stage ?? 'finalize'
      try {
        run.stopIfAsked()
        run.takeAllInSight()
        if (run.ledger.rollback === null) await begin(run, request)
        await abandonHopeless(run)
        await leaveBehindGoingBack(run)
      } catch (error) {
        if (error instanceof RollbackRefused) throw error
        return recordPause(run, stage, error)
      }
      return runProcedure(run)
    },
  })

/**
 * A rollback by copies of which nothing is left to copy from, and that has given nothing back yet, can only go forward: the
 * HSMs that held the old credential are gone, or out of sight and named as such that may stay behind. It does not turn round
 * by itself: the operator hears of it first.
 * @throws {Pause} `NO_WAY_BACK`, once the rollback is given up
 */
export const abandonHopeless = async (run: RotationRun): Promise<void> => {
  const { ledger } = run
  if (ledger.rollback !== 'sync' || ledger.discard !== null) return
  const { hsmIds } = run.parts.options.mayStayBehind
  const isGivenUp = (hsmId: HsmId) => hsmIds.includes(hsmId) && !ledger.isInSight(hsmId)
  const isLeft = (unitId: UnitId) => !serversOf(run.plan.roster, unitId).every(({ hsmId }) => isGivenUp(hsmId))
  if (oldOrigins(ledger).some(isLeft)) return
  const isBackAlready = ledger
    .cells()
    .every((cell) => isBack(ledger, cell) || isGivenUp(cell.hsmId) || ledger.owedBack.has(cell.hsmId))
  if (isBackAlready) return
  const evidence = 'no HSM is left that holds the old credential, so the rollback is given up'
  await run.record({ type: 'rollback-abandoned', evidence })
  throw new Pause('NO_WAY_BACK', `${evidence}; forward is the only way`)
}

/**
 * HSMs of clusters that are out of sight as a whole, and that the operator lets stay behind, once the rollback has begun: it
 * ends without them, and they are owed what they held before. PENDING goes with its end, so that nobody knows any more what
 * they hold meanwhile. A single HSM of a cluster that answers comes back or is replaced: until then the rollback is partial.
 */
export const leaveBehindGoingBack = async (run: RotationRun): Promise<void> => {
  const { ledger, parts, users } = run
  if (ledger.rollback === null || isNothingLeft(ledger)) return
  const { hsmIds } = parts.options.mayStayBehind
  for (const { hsmId, clusterId } of run.plan.roster) {
    if (!hsmIds.includes(hsmId) || !isClusterAway(run, clusterId) || ledger.owedBack.has(hsmId)) continue
    const isLeft = users.some(({ key: user }) => isLeftToDo(ledger, { user, hsmId }))
    if (isLeft) await leaveBehind(run, hsmId, 'may hold the new password and stays behind for now')
  }
}

const begin = async (run: RotationRun, request: ReopenRequest): Promise<void> => {
  const { ledger } = run
  // The HSMs that the survey found may be others than the journal knew of.
  refuseRollback(ledger, request)
  // A login with the current credential is the better proof; a copy is the way where it is not known.
  const { byCurrent } = rotationOf(ledger).wayBack
  if (ledger.facts.recovered && !byCurrent) {
    await askRefusedAgain(run)
    refuseRollback(ledger, request)
  }
  if (nothingToUndo(ledger) && !(ledger.facts.recovered && byCurrent)) {
    await run.record({ type: 'rollback-started', method: 'none' })
    return
  }
  // Once it has begun, nothing goes forward again while what is copied from is away.
  if (!byCurrent) for (const { unitId } of writtenAs(run, isNotBack)) oldOrigin(run, unitId)
  if (!byCurrent && ledger.copies?.verdict !== 'overwrites') {
    refuseUntried(run)
    await tryCopies(run)
  }
  await run.record({ type: 'rollback-started', method: byCurrent ? 'change' : 'sync' })
}

/**
 * After a lost journal nothing but refused logins says that nothing is new, and with PENDING the new password would be gone
 * for good: those of an earlier invocation are made again.
 * @throws {OperatorError} where the budget allows no login
 */
const askRefusedAgain = async (run: RotationRun): Promise<void> => {
  for (const unitId of run.units) {
    const refusedBefore = run.users.filter(
      ({ key }) =>
        run.knows(key, 'new') &&
        run
          .servers(unitId)
          .some(({ hsmId }) => run.ledger.refused(key, hsmId).includes('new') && !run.ledger.isFresh(key, hsmId)),
    )
    if (refusedBefore.length === 0) continue
    const { objections } = await logInEach(run, unitId, refusedBefore, 'new')
    // A single refusal may be an error, and forward is still a way.
    const [objection] = objections.values()
    if (objection !== undefined) throw objection
  }
}

/**
 * A copy shows whether it gives the old credential back only where the new one may be held. Where all of that is out of sight
 * nothing shows it, and once PENDING is gone nobody can ask for the new one any more.
 * @throws {Pause} `HSM_UNREACHABLE`, while forward is still a way
 */
const refuseUntried = (run: RotationRun): void => {
  const { ledger } = run
  if (writtenAs(run, isNotBack).length > 0) return
  const away = awayWithWork(
    run,
    ({ user, hsmId }) => ledger.mayBeWritten(user, hsmId) && isNotBack(ledger.cell(user, hsmId).state),
  )
  if (away.length === 0) return
  throw new Pause(
    'HSM_UNREACHABLE',
    `${away.map(nameServer).join(', ')} cannot be reached: whether ${run.words.copy} gives the old password back can be tried nowhere else`,
    [
      'once it is back, the same command again; nothing goes back until then',
      `where it stays away, go forward without it: lockstep rotate resume --rotation ${ledger.facts.rotationId} ${allowUnreachable(away)} --reason TEXT`,
    ],
  )
}

/**
 * Copies the old credential over a unit that holds the new one and asks for the new one there: it must be refused. One that
 * may hold it shows nothing unless it does, so where none is new for certain one is given it first.
 * @throws {Pause} `NO_WAY_BACK`, while forward is still a way
 */
const tryCopies = async (run: RotationRun): Promise<void> => {
  // A copy would miss one that somebody has made anew under another ID.
  const doubtful = writtenAs(run, isNotBack).filter(({ unitId, user }) => !run.hasOtherId(unitId, user.key))
  const unknown = doubtful.find(({ user }) => !run.knows(user.key, 'new'))
  if (unknown !== undefined) {
    // Nobody can ask for it: a copy that is refused says enough, and one that is not is the best there is.
    const refusedCopy = await refusalOfOld(run, unknown.unitId, unknown.user)
    if (refusedCopy !== null) await giveUpCopies(run, refusedCopy.verdict, refusedCopy.evidence)
    return
  }
  const certain = doubtful.find(({ unitId, user }) =>
    run.servers(unitId).every(({ hsmId }) => run.ledger.cell(user.key, hsmId).state === 'new'),
  )
  const one = certain ?? doubtful[0]
  if (one === undefined) return
  const { unitId, user } = one
  if (one !== certain || isLocked(run, unitId, user)) await changeUsers(run, unitId, [user], 'new')
  let tried = await copyAndAskTwice(run, unitId, user)
  if (tried.objection !== undefined) {
    // A copy may leave the failed logins that clients made; a change clears them.
    await changeUsers(run, unitId, [user], 'new')
    tried = await copyAndAskTwice(run, unitId, user)
  }
  if (tried.objection !== undefined) throw tried.objection
  if (tried.isRefused) return
  const evidence = `${run.words.copy} reported success on ${unitId}, but ${user.key} still holds the new credential there`
  await giveUpCopies(run, 'without-effect', evidence)
}

/**
 * As `copyAndAsk`, twice where the new one was refused: that an HSM refuses a password says less than that it takes one, and
 * everything else rests on this one answer. A change in between clears the failed login, so that none adds up.
 */
const copyAndAskTwice = async (run: RotationRun, unitId: UnitId, user: PlannedUser) => {
  const once = await copyAndAsk(run, unitId, user)
  if (!once.isRefused) return once
  await changeUsers(run, unitId, [user], 'new')
  return copyAndAsk(run, unitId, user)
}

/** Copies the old credential over one unit and asks for the new one, which has to be refused. */
const copyAndAsk = async (run: RotationRun, unitId: UnitId, user: PlannedUser) => {
  const refusedCopy = await refusalOfOld(run, unitId, user)
  if (refusedCopy !== null) await giveUpCopies(run, refusedCopy.verdict, refusedCopy.evidence)
  const { refused: refusedNew, objections } = await logInEach(run, unitId, [user], 'new')
  const [objection] = objections.values()
  return { isRefused: refusedNew.length > 0, objection }
}

const giveUpCopies = async (
  run: RotationRun,
  verdict: 'refused' | 'unsettled' | 'without-effect',
  evidence: string,
): Promise<never> => {
  await run.record({ type: 'copies', verdict, evidence })
  if (run.ledger.propagation !== 'change') await run.record({ type: 'propagation', method: 'change', evidence })
  throw new Pause('NO_WAY_BACK', `${evidence}; forward is the only way`)
}

const isNotBack = (state: CellState): boolean => state !== 'old' && state !== 'absent'

/** Users and units that were meant to be written and have a cell in such a state. */
const writtenAs = (run: RotationRun, wanted: (state: CellState) => boolean) =>
  run.units.flatMap((unitId) =>
    run.users
      .filter((user) =>
        run
          .servers(unitId)
          .some(
            ({ hsmId }) => run.ledger.mayBeWritten(user.key, hsmId) && wanted(run.ledger.cell(user.key, hsmId).state),
          ),
      )
      .map((user) => ({ unitId, user })),
  )

/**
 * Copies the old credential of one user.
 * @returns the words of a copy that does not overwrite a password; any other failure pauses
 */
const refusalOfOld = async (run: RotationRun, unitId: UnitId, user: PlannedUser) => {
  const from = oldOrigin(run, unitId)
  const { answers } = await copyUsers(run, { from: () => from, to: unitId, users: [user], credential: 'current' })
  const answer = answers.get(user.key) ?? { kind: 'done' }
  if (answer.kind === 'done') return null
  const what = `${run.words.copy} of ${user.key}`
  if (!isRefusedAsExisting(answer)) throw pauseAfter(what, run.name(unitId), answer)
  const evidence = `${what} was refused on ${unitId}: "${answer.kind === 'refused' ? answer.text : ''}"`
  return { verdict: verdictOf(answer), evidence }
}
