import type { RefusalReason } from '../../../domain/hsm-console.js'
import { findUser } from '../../../domain/hsm-user.js'
import { deliver, newRefused, proveCells, type SyncReport, syncCells } from '../cell-work.js'
import { refusedPause } from '../hsm-work.js'
import { refuseOtherChanges } from '../listing-comparison.js'
import { Pause } from '../pause.js'
import type { RotationRun } from '../rotation-run.js'

/**
 * Gives one unit of a destination the new credential and settles by a login there how the rest will get it: by a copy
 * if that really overwrote the password, else by a change on each unit.
 */
export const canary = async (run: RotationRun): Promise<void> => {
  const unitId = run.plan.parts.canary
  if (run.ledger.propagation === 'change') {
    await deliver(run, unitId, 'change')
    return
  }
  const pending = run.notNew(unitId)
  if (pending.length === 0) return settleOnSync(run)
  const report = await syncCells(run, { from: () => run.origins.next(), to: unitId, users: pending }, 'new', {
    compare: true,
  })
  refuseOtherChanges(run, unitId, report, pending)
  const refusal = refusedAsExisting(run, report)
  if (refusal !== null) return settleOnChange(run, refusal)
  const refused = await proveCells(run, unitId, pending, 'new')
  if (refused.length === 0) return settleOnSync(run)
  const listed = refused.every((user) => report.looks.every(({ after }) => findUser(after, user) !== undefined))
  if (!listed) throw newRefused(run, unitId, refused)
  const names = refused.map((user) => user.key).join(', ')
  await settleOnChange(
    run,
    `${run.words.copy} reported success on ${unitId}, but the new credential of ${names} was refused there`,
  )
}

/**
 * The refusal to overwrite, where that is what the copy answered; any other failure pauses. `user replicate` does not
 * say why it refuses, but where it took the same user unchanged before, only the password is left.
 */
const refusedAsExisting = (run: RotationRun, report: SyncReport): string | null => {
  const { canary } = run.plan.parts
  for (const [user, answer] of report.answers) {
    if (answer.kind === 'done') continue
    const overwrite = answer.kind === 'refused' && (answer.reason === 'user-exists' || rehearsed(run, answer))
    if (overwrite) return `${run.words.copy} refused ${user} on ${canary}: "${answer.text}"`
    throw refusedPause(`${run.words.copy} of ${user}`, run.name(canary), answer)
  }
  return null
}

const rehearsed = (run: RotationRun, { reason }: { readonly reason: RefusalReason }): boolean =>
  reason === 'replicate-refused' && run.ledger.wayBack.bySync

const settleOnSync = async (run: RotationRun): Promise<void> => {
  if (run.ledger.propagation === 'sync') return
  const evidence = `the new credential logged in on ${run.plan.parts.canary} after ${run.words.copy}`
  await run.record({ type: 'propagation', method: 'sync', evidence })
}

const settleOnChange = async (run: RotationRun, evidence: string): Promise<void> => {
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
  await deliver(run, run.plan.parts.canary, 'change')
}
