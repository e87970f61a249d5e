import { deliver } from '../cell-work.js'
import type { RotationRun } from '../rotation-run.js'

/** The last unit follows. Until here it could give the old credential back. */
export const restorePoint = async (run: RotationRun): Promise<void> => {
  const { restorePoint: unitId } = run.plan.parts
  if (run.servers(unitId).length === 0 || run.notNew(unitId).length === 0) return
  const { bySync, byCurrent } = run.ledger.wayBack
  if (bySync && !byCurrent) run.notice(`point of no return: ${unitId} is the last to hold the old credential`)
  await deliver(run, unitId, run.ledger.propagation ?? 'change')
  run.parts.progress({ kind: 'step', stage: 'restore-point', unitId, text: 'followed' })
}
