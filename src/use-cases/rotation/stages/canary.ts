import type { RefusalReason } from '../../../domain/hsm-console.js'
import { findUser } from '../../../domain/hsm-user.js'
import type { UnitId } from '../../../domain/ids.js'
import type { PlannedUser } from '../../../domain/rotation/plan.js'
import { deliver, loginEach, newRefused, proveCells, type SyncReport, syncCells } from '../cell-work.js'
import { inTwoConversations, refusedPause } from '../hsm-work.js'
import { refuseOtherChanges } from '../listing-comparison.js'
import { Pause } from '../pause.js'
import type { RotationRun } from '../rotation-run.js'

/**
 * Gives one unit of a destination the new credential and settles by a login there how the rest will get it: by a copy
 * if that really overwrote the password, else by a change on each unit.
 */
export const canary = async (run: RotationRun): Promise<void> => {
  const { canary: planned } = run.plan.parts
  const { facts, wayBack, propagation } = run.ledger
  if (propagation === null && (facts.recovered || !wayBack.bySync)) await settleWithoutCopy(run)
  if (run.ledger.propagation === 'change') return deliver(run, planned, 'change')
  if (run.notNew(planned).length === 0 && neverChanged(run, planned, run.users)) return settleOnSync(run, planned)
  for (let unitId = untried(run); unitId !== undefined; unitId = untried(run)) {
    await tryOn(run, unitId)
    if (run.ledger.propagation !== null) return
    run.notice(
      `${unitId} was written by ${run.words.change} and does not show what ${run.words.copy} does; another has to`,
    )
  }
}

/** Copies the users to one unit. Nothing is settled where they had to be written again to clear their failed logins. */
const tryOn = async (run: RotationRun, unitId: UnitId): Promise<void> => {
  const pending = run.notNew(unitId)
  const seen = pending.filter((user) => copiedInVain(run, unitId, user))
  // Another copy would show the same, at the price of another refused login.
  if (seen.length > 0) return settleOnChange(run, unitId, inVain(run, unitId, seen))
  const report = await syncCells(run, { from: () => run.origins.next(), to: unitId, users: pending }, 'new', {
    compare: true,
  })
  refuseOtherChanges(run, unitId, report, pending)
  const refusal = refusedAsExisting(run, unitId, report)
  if (refusal !== null) return settleOnChange(run, unitId, refusal)
  const shares = await inTwoConversations(pending, (share) => loginEach(run, unitId, share, 'new'))
  const refused = shares.flatMap((share) => share.refused)
  if (shares.some(({ nearLockout }) => nearLockout.length > 0)) {
    const unproved = pending.filter((user) => !refused.includes(user) && !run.provedEverywhere(unitId, [user]))
    const still = [...refused, ...(await proveCells(run, unitId, unproved, 'new'))]
    if (still.length > 0) throw newRefused(run, unitId, still)
    return
  }
  if (refused.length === 0) return settleOnSync(run, unitId)
  const listed = refused.every((user) => report.looks.every(({ after }) => findUser(after, user) !== undefined))
  if (!listed) throw newRefused(run, unitId, refused)
  await settleOnChange(run, unitId, inVain(run, unitId, refused))
}

/** Whether an earlier invocation copied the user to this unit, which was never changed, and was refused there then. */
const copiedInVain = (run: RotationRun, unitId: UnitId, { key }: PlannedUser): boolean =>
  run
    .servers(unitId)
    .some(({ hsmId }) => run.ledger.everWritten(key, hsmId) && run.ledger.refused(key, hsmId).has('new'))

const inVain = (run: RotationRun, unitId: UnitId, users: readonly PlannedUser[]): string =>
  `${run.words.copy} reported success on ${unitId}, but the new credential of ${users.map(({ key }) => key).join(', ')} was refused there`

/**
 * Settles on a change without another copy: that none brings the credential was seen before, by an invocation that was
 * stopped or told to pause there; or the journal was lost, and nobody knows how an HSM came to the new credential.
 */
const settleWithoutCopy = async (run: RotationRun): Promise<void> => {
  const { copy } = run.words
  const evidence = run.ledger.facts.recovered
    ? `the journal was lost, and with it what ${copy} did`
    : `${copy} was seen before not to overwrite the password`
  if (run.parts.options.propagate === 'sync') {
    throw new Pause(run.ledger.facts.recovered ? 'SYNC_UNTRIED' : 'SYNC_REFUSED', evidence, [
      'resume with --propagate auto to change the password everywhere instead',
    ])
  }
  await run.record({ type: 'propagation', method: 'change', evidence })
  run.notice(`propagating by ${run.words.change}: ${evidence}`)
}

/** A unit that can show whether a copy overwrites, because no change was ever meant for it. The canary if it can. */
const untried = (run: RotationRun): UnitId | undefined => {
  const { canary: planned, restorePoint } = run.plan.parts
  const others = run.units.filter((unitId) => unitId !== restorePoint)
  return [planned, ...others].find((unitId) => {
    const pending = run.notNew(unitId)
    return pending.length > 0 && neverChanged(run, unitId, pending)
  })
}

const neverChanged = (run: RotationRun, unitId: UnitId, users: readonly PlannedUser[]): boolean =>
  run.servers(unitId).every(({ hsmId }) => users.every(({ key }) => !run.ledger.everChanged(key, hsmId)))

/**
 * The refusal to overwrite, where that is what the copy answered; any other failure pauses. `user replicate` does not
 * say why it refuses, but where it took the same user unchanged before, only the password is left.
 */
const refusedAsExisting = (run: RotationRun, unitId: UnitId, report: SyncReport): string | null => {
  for (const [user, answer] of report.answers) {
    if (answer.kind === 'done') continue
    const overwrite = answer.kind === 'refused' && (answer.reason === 'user-exists' || rehearsed(run, answer))
    if (overwrite) return `${run.words.copy} refused ${user} on ${unitId}: "${answer.text}"`
    throw refusedPause(`${run.words.copy} of ${user}`, run.name(unitId), answer)
  }
  return null
}

const rehearsed = (run: RotationRun, { reason }: { readonly reason: RefusalReason }): boolean =>
  reason === 'replicate-refused' && run.ledger.wayBack.bySync

const settleOnSync = async (run: RotationRun, unitId: UnitId): Promise<void> => {
  if (run.ledger.propagation === 'sync') return
  const evidence = `the new credential logged in on ${unitId} after ${run.words.copy}`
  await run.record({ type: 'propagation', method: 'sync', evidence })
}

const settleOnChange = async (run: RotationRun, unitId: UnitId, evidence: string): Promise<void> => {
  const { byCurrent } = run.ledger.wayBack
  await run.record({ type: 'way-back', bySync: false, byCurrent, evidence })
  if (run.parts.options.propagate === 'sync') {
    throw new Pause('SYNC_REFUSED', evidence, [
      'resume with --propagate auto to change the password everywhere instead',
    ])
  }
  await run.record({ type: 'propagation', method: 'change', evidence })
  run.notice(`propagating by ${run.words.change}: ${evidence}`)
  // Stopping here would leave a new credential on the source and no way back either; forward is the only way that ends.
  if (!byCurrent) run.notice(`there is no way back any more: ${run.words.copy} does not return the old credential`)
  await deliver(run, unitId, 'change')
}
