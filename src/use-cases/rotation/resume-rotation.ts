import type { Rotation } from '../../domain/rotation/rotation.js'
import { STAGES } from '../../domain/rotation/stage.js'
import { changeCells, newRefused, proveCells } from './cell-work.js'
import { type ReopenPorts, type ReopenRequest, reopenRotation } from './reopen-rotation.js'
import { rollBack } from './rollback-rotation.js'
import type { RotationRun } from './rotation-run.js'
import { runStages } from './run-stages.js'

/**
 * Goes on with a rotation in the direction it had. What is proved is not done again; what is not certain is repeated,
 * which is harmless, and proved by a login that should succeed.
 * @throws {OperatorError} when it cannot be taken up; nothing has changed then
 */
export const resumeRotation = (request: ReopenRequest, ports: ReopenPorts): Promise<Rotation> =>
  reopenRotation(request, ports, async (run) => {
    if (run.ledger.rollback !== null) return rollBack(run)
    return runStages(run, proveOrigin)
  })

/**
 * Copies are made only from an HSM that was seen in this invocation to hold the new credential, so the one that was
 * changed first has to show it again.
 */
const proveOrigin = async (run: RotationRun): Promise<void> => {
  const { stage } = run.ledger
  const { first } = run.plan.parts
  const behind = stage === null ? 0 : STAGES.indexOf(stage)
  if (behind < STAGES.indexOf('canary') || behind > STAGES.indexOf('restore-point')) return
  if (run.plan.roster.every(({ hsmId }) => run.notNew(hsmId).length === 0)) return
  const refused = await proveCells(run, first, run.users, 'new')
  if (refused.length === 0) return
  // It was proved before; whatever has changed it since, writing the same credential again is harmless.
  await changeCells(run, first, refused, 'new')
  const again = await proveCells(run, first, refused, 'new')
  if (again.length > 0) throw newRefused(run, first, again)
}
