import { give } from '../cells/give.js'
import { proveAgain } from '../cells/prove-again.js'
import type { RotationRun } from '../run/rotation-run.js'
import { onEach } from '../survey/unreachable.js'

/**
 * Gives HSMs that were allowed to stay behind the credential that all others hold, where they were seen in this
 * invocation. One that is still out of sight stays a debt; so does one that cannot be given it. What is stated of all others
 * is proved again: with the last debt the rotation is called complete.
 * @throws {Pause} why one that was seen cannot be given it, once the others are
 */
export const payDebts = async (run: RotationRun): Promise<void> => {
  run.takeAllInSight()
  const method = run.ledger.facts.newCredential === 'unknown' ? 'sync' : 'change'
  await onEach(run, run.units, async (unitId) => {
    const behind = run.servers(unitId).filter(({ hsmId }) => run.ledger.debts.has(hsmId))
    if (behind.length > 0) await give(run, unitId, run.notNew(unitId), { credential: 'new', method })
    await proveAgain(run, unitId)
    for (const { hsmId, region } of behind) {
      await run.record({ type: 'debt-settled', hsmId })
      run.notice(`${hsmId} (${region}) holds the credential now`)
    }
  })
}
