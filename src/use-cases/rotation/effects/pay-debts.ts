import type { UnitId } from '../../../domain/ids.js'
import { give } from '../cells/give.js'
import { toPause } from '../run/pause.js'
import type { RotationRun } from '../run/rotation-run.js'
import { onEach } from '../survey/unreachable.js'

/**
 * Gives HSMs that were allowed to stay behind the credential that all others hold, where they were seen in this
 * invocation. One that is still out of sight stays a debt; so does one that cannot be given it.
 */
export const payDebts = async (run: RotationRun): Promise<void> => {
  run.takeAllInSight()
  const behind = (unitId: UnitId) => run.servers(unitId).filter(({ hsmId }) => run.ledger.debts.has(hsmId))
  const units = run.units.filter((unitId) => behind(unitId).length > 0)
  try {
    await onEach(run, units, async (unitId) => {
      const { newCredential } = run.ledger.facts
      const method = newCredential === 'unknown' ? 'sync' : 'change'
      await give(run, unitId, run.notNew(unitId), { credential: 'new', method })
      for (const { hsmId, region } of behind(unitId)) {
        await run.record({ type: 'debt-settled', hsmId })
        run.notice(`${hsmId} (${region}) holds the credential now`)
      }
    })
  } catch (error) {
    const pause = toPause(error)
    if (pause === null) throw error
    run.notice(`a debt remains: ${pause.message}`)
  }
}
