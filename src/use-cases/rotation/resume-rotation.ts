import type { Rotation } from '../../domain/rotation/rotation.js'
import { type ReopenPorts, type ReopenRequest, reopenRotation } from './reopen-rotation.js'
import { rollBack } from './rollback-rotation.js'
import type { RotationRun } from './rotation-run.js'
import { runStages } from './run-stages.js'
import { settleDebts } from './settle-debts.js'

/**
 * Goes on with a rotation in the direction it had. What is proved is not done again; what is not certain is repeated,
 * which is harmless, and proved by a login that should succeed. A rotation that is completed with debt settles what it
 * can.
 * @throws {OperatorError} when it cannot be taken up; nothing has changed then
 */
export const resumeRotation = (request: ReopenRequest, ports: ReopenPorts): Promise<Rotation> =>
  reopenRotation(request, ports, async (run) => {
    const indebted = run.ledger.rotation().finished === 'completed-with-debt'
    if (run.ledger.rollback !== null) return rollBack(run)
    noticeSettled(run)
    // HSMs that were added to a rotation with debts come first.
    const rotation = indebted && run.ledger.stage === null ? null : await runStages(run)
    return indebted && run.ledger.stage === null ? settleDebts(run) : (rotation ?? run.ledger.rotation())
  })

/** What the canary settled is kept: cells were proved that way. */
const noticeSettled = (run: RotationRun): void => {
  const { ledger, parts, words } = run
  const { propagate } = parts.options
  if (propagate === 'auto' || ledger.propagation === null || ledger.propagation === propagate) return
  const settled = ledger.propagation === 'sync' ? words.copy : words.change
  run.notice(`--propagate ${propagate} is not used: this rotation has settled on ${settled}`)
}
