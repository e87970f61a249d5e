import { give } from '../cells/give.js'
import { leftToNewer } from '../cells/left-to-newer.js'
import { proveAgain } from '../cells/prove-again.js'
import type { RotationRun } from '../run/rotation-run.js'
import { isUnseen } from '../survey/aws-comparison.js'
import { onEach } from '../survey/unreachable.js'

/**
 * Gives HSMs that were allowed to stay behind the credential that all others hold, where they were seen in this
 * invocation. One that is still out of sight stays a debt; so does one that cannot be given it, and one
 * whose Region does not answer: another one may have joined it unseen. What is stated of all others
 * is proved again: with the last debt the rotation is called complete.
 * @throws {Pause} `DEBT_SUPERSEDED` for what is left to a newer run; why one that was seen cannot be given it, once the others are
 */
export const payDebts = async (run: RotationRun): Promise<void> => {
  if (run.givesNothing !== null) throw run.givesNothing()
  run.takeAllInSight()
  const discovery = await run.parts.discover()
  const method = run.ledger.facts.newCredential === 'unknown' ? 'sync' : 'change'
  await onEach(run, run.units, async (unitId) => {
    const behind = run.servers(unitId).filter(({ hsmId }) => run.ledger.debts.has(hsmId))
    if (behind.length > 0) await give(run, unitId, run.notNew(unitId), { credential: 'new', method })
    await proveAgain(run, unitId)
    for (const server of behind) {
      const { hsmId, region } = server
      if (run.users.some(({ key }) => run.ledger.isOwedElsewhere(key, hsmId))) continue
      if (isUnseen(discovery, server)) {
        run.notice(`${hsmId} holds the credential now and stays a debt until ${region} answers`)
        continue
      }
      await run.record({ type: 'debt-settled', hsmId })
      run.notice(`${hsmId} (${region}) holds the credential now`)
    }
  })
  const left = leftToNewer(run.ledger)
  if (left !== null) throw left
}
