import { findUser, type UserKey } from '../../../domain/hsm-user.js'
import type { UnitId } from '../../../domain/ids.js'
import type { PlannedUser } from '../../../domain/rotation/plan.js'
import { wayBackOf } from '../../../domain/rotation/way-back.js'
import { isBarred } from '../cells/barred.js'
import { type CopyReport, copyUsers, isRefusedAsExisting, verdictOf } from '../cells/copy.js'
import { give, isLocked, refusedAfterWrite } from '../cells/give.js'
import { logInEach, prove } from '../cells/prove.js'
import { Pause, pauseAfter } from '../run/pause.js'
import type { RotationRun } from '../run/rotation-run.js'
import { inTwoConversations } from '../sessions/in-session.js'
import { refuseOtherChanges } from '../survey/listing-comparison.js'
import { advising } from '../survey/unreachable.js'
import { refuseChange, settlePropagation } from './rehearse.js'

/**
 * Gives one unit of a destination the new credential and settles by a login there how the rest will get it: by a copy
 * if that really overwrote the password, else by a change on each unit.
 */
export const canary = (run: RotationRun): Promise<void> => advising(run, () => settleAtCanary(run))

const settleAtCanary = async (run: RotationRun): Promise<void> => {
  const { canary: planned } = run.plan.parts
  const { facts, propagation } = run.ledger
  if (propagation === null && (facts.recovered || !wayBackOf(run.ledger).bySync)) await settleWithoutCopy(run)
  if (run.ledger.propagation === null && run.parts.options.propagate === 'change') {
    await settlePropagation(run, 'change', 'asked for')
  }
  if (run.ledger.propagation !== null) return giveIt(run, planned, run.ledger.propagation)
  if (run.notNew(planned).length === 0 && neverChanged(run, planned, run.users)) return settleOnSync(run, planned)
  const seen = refusedAfterCopy(run)
  if (seen !== undefined)
    return settleOnChange(run, seen.unitId, 'without-effect', copiedInVain(run, seen.unitId, seen.users))
  for (let unitId = untried(run); unitId !== undefined; unitId = untried(run)) {
    await tryOn(run, unitId)
    if (run.ledger.propagation !== null) return giveIt(run, planned, run.ledger.propagation)
    run.notice(`${unitId} does not show whether ${run.words.copy} overwrites a password; another has to`)
  }
  // Every unit was changed at some time, so that none can show any more what a copy does; a change always works.
  await settlePropagation(run, 'change', `no HSM is left that could show what ${run.words.copy} does`)
  await giveIt(run, planned, 'change')
}

const giveIt = (run: RotationRun, unitId: UnitId, method: 'sync' | 'change'): Promise<void> =>
  give(run, unitId, run.notNew(unitId), { credential: 'new', method })

/**
 * Copies users to one unit. Nothing is settled where they had to be written again to clear their failed logins. Those that
 * could show nothing there are given it afterwards.
 */
const tryOn = async (run: RotationRun, unitId: UnitId): Promise<void> => {
  const pending = triable(run, unitId)
  const from = () => run.origins.next(pending, unitId)
  const report = await copyUsers(run, { from, to: unitId, users: pending, credential: 'new', compare: true })
  refuseOtherChanges(run, unitId, report.looks, pending)
  const refusal = refusedAsExisting(run, unitId, report)
  if (refusal !== null) return settleOnChange(run, unitId, refusal.verdict, refusal.evidence)
  const shares = await inTwoConversations(pending, (share) => logInEach(run, unitId, share, 'new'))
  const refused = shares.flatMap((share) => share.refused)
  if (shares.some(({ objections }) => objections.size > 0)) {
    const unproved = pending.filter((user) => !refused.includes(user) && !run.isProvedNow(unitId, [user]))
    const still = [...refused, ...(await prove(run, unitId, unproved, 'new'))]
    if (still.length > 0) throw refusedAfterWrite(run, unitId, still, 'new')
    return
  }
  if (refused.length === 0) {
    // A copy that made the user does not show whether it overwrites one.
    const wasThere = (user: PlannedUser) => report.looks.every(({ before }) => findUser(before, user) !== undefined)
    return pending.some(wasThere) ? settleOnSync(run, unitId) : undefined
  }
  const listed = refused.every((user) => report.looks.every(({ after }) => findUser(after, user) !== undefined))
  if (!listed) throw refusedAfterWrite(run, unitId, refused, 'new')
  await settleOnChange(run, unitId, 'without-effect', copiedInVain(run, unitId, refused))
}

const copiedInVain = (run: RotationRun, unitId: UnitId, users: readonly PlannedUser[]): string => {
  const names = users.map((user) => user.key).join(', ')
  return `${run.words.copy} reported success on ${unitId}, but the new credential of ${names} was refused there`
}

/**
 * Where an earlier invocation saw the new credential refused after a copy, and died before it could settle anything:
 * another copy would cost another failed login.
 */
const refusedAfterCopy = (run: RotationRun) =>
  run.units
    .map((unitId) => ({ unitId, users: run.notNew(unitId).filter(({ key }) => inVainOn(run, unitId, key)) }))
    .find(({ unitId, users }) => users.length > 0 && neverChanged(run, unitId, users))

const inVainOn = (run: RotationRun, unitId: UnitId, user: UserKey): boolean =>
  run.servers(unitId).some(({ hsmId }) => run.ledger.copiedInVain(user, hsmId))

/**
 * Settles on a change without another copy: that none brings the credential was seen before, by an invocation that was
 * stopped or told to pause there; or the journal was lost, and nobody knows how an HSM came to the new credential.
 */
const settleWithoutCopy = async (run: RotationRun): Promise<void> => {
  const { copy } = run.words
  const { facts, copies } = run.ledger
  const evidence = facts.recovered
    ? `the journal was lost, and with it what ${copy} did`
    : (copies?.evidence ?? `${copy} was seen before not to overwrite the password`)
  if (run.parts.options.propagate === 'sync') {
    throw new Pause(facts.recovered ? 'SYNC_UNTRIED' : 'SYNC_REFUSED', evidence, [
      'resume with --propagate auto to change the password everywhere instead',
    ])
  }
  await settlePropagation(run, 'change', evidence)
}

/** A unit that can show whether a copy overwrites, because no change was ever meant for it. The canary if it can. */
const untried = (run: RotationRun): UnitId | undefined => {
  const { canary: planned, restorePoint } = run.plan.parts
  const others = run.units.filter((unitId) => unitId !== restorePoint)
  return [planned, ...others].find((unitId) => {
    const pending = triable(run, unitId)
    return pending.length > 0 && neverChanged(run, unitId, pending)
  })
}

/**
 * Users whose copy can show there whether it overwrites: not one that may be missing, which it would make; one that is
 * locked, which it may leave so; or one that has another ID, there or where it would come from, which it may miss.
 */
const triable = (run: RotationRun, unitId: UnitId): readonly PlannedUser[] =>
  run
    .notNew(unitId)
    .filter(
      (user) =>
        !isLocked(run, unitId, user) &&
        !isBarred(run, unitId, user) &&
        run
          .servers(unitId)
          .every(({ hsmId }) => !run.ledger.mayBeAbsent(user.key, hsmId) && !run.ledger.hasOtherId(user.key, hsmId)),
    )

/** Whether nothing but a copy can have brought the new credential there: no change, nor the HSM that a joined one was built from. */
const neverChanged = (run: RotationRun, unitId: UnitId, users: readonly PlannedUser[]): boolean =>
  run
    .servers(unitId)
    .every(({ hsmId }) => !run.ledger.isJoined(hsmId) && users.every(({ key }) => !run.ledger.everChanged(key, hsmId)))

/**
 * The refusal to overwrite, where that is what the copy answered; any other failure pauses. Where the utility does not
 * say why it refuses, the rehearsal, without which nobody comes here, took the same user unchanged: only the password is
 * left.
 */
const refusedAsExisting = (run: RotationRun, unitId: UnitId, report: CopyReport) => {
  for (const [user, answer] of report.answers) {
    if (answer.kind === 'done') continue
    if (isRefusedAsExisting(answer)) {
      const evidence = `${run.words.copy} refused ${user} on ${unitId}: "${answer.text}"`
      return { verdict: verdictOf(answer), evidence }
    }
    throw pauseAfter(`${run.words.copy} of ${user}`, run.name(unitId), answer)
  }
  return null
}

const settleOnSync = async (run: RotationRun, unitId: UnitId): Promise<void> => {
  const evidence = `the new credential logged in on ${unitId} after ${run.words.copy}`
  await run.record({ type: 'copies', verdict: 'overwrites', evidence })
  await run.record({ type: 'propagation', method: 'sync', evidence })
}

const settleOnChange = async (
  run: RotationRun,
  unitId: UnitId,
  verdict: 'refused' | 'unsettled' | 'without-effect',
  evidence: string,
): Promise<void> => {
  await run.record({ type: 'copies', verdict, evidence })
  if (run.parts.options.propagate === 'sync') refuseChange(evidence)
  await settlePropagation(run, 'change', evidence)
  // Stopping here would leave a new credential on the source and no way back either; forward is the only way that ends.
  if (!wayBackOf(run.ledger).byCurrent) {
    run.notice(`there is no way back any more: ${run.words.copy} does not return the old credential`)
  }
  await giveIt(run, unitId, 'change')
}
