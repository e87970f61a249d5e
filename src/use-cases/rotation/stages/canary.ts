import { findUser } from '../../../domain/hsm-user.js'
import { rosterEntry } from '../../../domain/rotation/plan.js'
import { deliver, newRefused, proveCells, type SyncReport, syncCells } from '../cell-work.js'
import { refusedPause } from '../hsm-work.js'
import { refuseOtherChanges } from '../listing-comparison.js'
import { Pause } from '../pause.js'
import type { RotationRun } from '../rotation-run.js'

/**
 * Gives one destination HSM the new credential and settles by a login there how the rest will get it: by syncUser if
 * that really overwrote the password, else by changePswd on each HSM.
 */
export const canary = async (run: RotationRun): Promise<void> => {
  const hsmId = run.plan.parts.canary
  if (run.ledger.propagation === 'change') {
    await deliver(run, hsmId, 'change')
    return
  }
  const pending = run.notNew(hsmId)
  if (pending.length === 0) return settleOnSync(run)
  const report = await syncCells(run, { from: () => run.origins.next(), to: hsmId, users: pending }, 'new', {
    compare: true,
  })
  refuseOtherChanges(run, hsmId, report, pending)
  const refusal = refusedAsExisting(run, report)
  if (refusal !== null) return settleOnChange(run, refusal)
  const refused = await proveCells(run, hsmId, pending, 'new')
  if (refused.length === 0) return settleOnSync(run)
  const listed = refused.every((user) => report.looks.some(({ after }) => findUser(after, user) !== undefined))
  if (!listed) throw newRefused(run, hsmId, refused)
  const names = refused.map((user) => user.key).join(', ')
  await settleOnChange(
    run,
    `syncUser reported success on ${hsmId}, but the new credential of ${names} was refused there`,
  )
}

/** The known refusal, where that is what syncUser answered; any other failure pauses. */
const refusedAsExisting = (run: RotationRun, report: SyncReport): string | null => {
  const { canary: hsmId } = run.plan.parts
  for (const [user, answer] of report.answers) {
    if (answer.kind === 'done') continue
    if (answer.kind === 'refused' && answer.reason === 'user-exists') {
      return `syncUser refused ${user} on ${hsmId}: "${answer.text}"`
    }
    throw refusedPause(`syncUser of ${user}`, rosterEntry(run.plan, hsmId), answer)
  }
  return null
}

const settleOnSync = async (run: RotationRun): Promise<void> => {
  if (run.ledger.propagation === 'sync') return
  const evidence = `the new credential logged in on ${run.plan.parts.canary} after syncUser`
  await run.record({ type: 'propagation', method: 'sync', evidence })
}

const settleOnChange = async (run: RotationRun, evidence: string): Promise<void> => {
  const { byCurrent } = run.ledger.wayBack
  await run.record({ type: 'way-back', bySync: false, byCurrent, evidence })
  if (run.parts.options.propagate === 'sync') {
    throw new Pause('SYNC_REFUSED', evidence, [
      'resume with --propagate auto to change the password on each HSM instead',
    ])
  }
  await run.record({ type: 'propagation', method: 'change', evidence })
  run.notice(`propagating by changePswd: ${evidence}`)
  // Stopping here would leave a new credential on the source and no way back either; forward is the only way that ends.
  if (!byCurrent) run.notice('there is no way back any more: syncUser does not return the old credential')
  await deliver(run, run.plan.parts.canary, 'change')
}
