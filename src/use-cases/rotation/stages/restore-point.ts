import { deliver } from '../cell-work.js'
import type { RotationRun } from '../rotation-run.js'

/** The last HSM follows. Until here it could give the old credential back. */
export const restorePoint = async (run: RotationRun): Promise<void> => {
  const { restorePoint: hsmId } = run.plan.parts
  if (run.ledger.debts.has(hsmId) || run.notNew(hsmId).length === 0) return
  const { bySync, byCurrent } = run.ledger.wayBack
  if (bySync && !byCurrent) run.notice(`point of no return: ${hsmId} is the last HSM that holds the old credential`)
  await deliver(run, hsmId, run.ledger.propagation ?? 'change')
  run.parts.progress({ kind: 'step', stage: 'restore-point', hsmId, text: 'followed' })
}
