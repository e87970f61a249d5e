import type { UnitId } from '../../domain/ids.js'
import type { Rotation } from '../../domain/rotation/rotation.js'
import { changeCells, newRefused, onEach, proveCells } from './cell-work.js'
import { asPause } from './pause.js'
import type { RotationRun } from './rotation-run.js'

/**
 * Gives HSMs that were allowed to stay behind the credential that all others hold, where they can be reached now. The
 * rotation is completed once none is left.
 */
export const settleDebts = async (run: RotationRun): Promise<Rotation> => {
  try {
    run.settleDebts()
    const behind = (unitId: UnitId) => run.servers(unitId).filter(({ hsmId }) => run.ledger.debts.has(hsmId))
    const units = run.units.filter((unitId) => behind(unitId).length > 0)
    await onEach(run, units, async (unitId) => {
      await changeCells(run, unitId, run.users, 'new')
      const refused = await proveCells(run, unitId, run.users, 'new')
      if (refused.length > 0) throw newRefused(run, unitId, refused)
      for (const { hsmId, region } of behind(unitId)) {
        await run.record({ type: 'debt-settled', hsmId })
        run.notice(`${hsmId} (${region}) holds the new credential now`)
      }
    })
  } catch (error) {
    const pause = asPause(error)
    if (pause === null) throw error
    run.notice(`a debt remains: ${pause.message}`)
  }
  const outcome = run.ledger.debts.size === 0 ? 'completed' : 'completed-with-debt'
  await run.record({ type: 'finished', outcome })
  return run.ledger.rotation()
}
