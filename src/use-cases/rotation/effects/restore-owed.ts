import { isLeftToDo } from '../../../domain/rotation/procedures/roll-back.js'
import { give } from '../cells/give.js'
import type { RotationRun } from '../run/rotation-run.js'
import { isUnseen } from '../survey/aws-comparison.js'
import { onEach } from '../survey/unreachable.js'

/**
 * Gives HSMs that a rollback went on without what they held before, where they were seen in this invocation. One that is
 * still out of sight stays a debt; so does one whose Region does not answer: another one may have joined it unseen.
 * @throws {Pause} why one that was seen cannot be given it, once the others are
 */
export const restoreOwed = async (run: RotationRun): Promise<void> => {
  run.takeAllInSight()
  const { ledger } = run
  const method = ledger.rollback === 'change' ? 'change' : 'sync'
  const discovery = await run.parts.discover()
  await onEach(run, run.units, async (unitId) => {
    const owed = run.servers(unitId).filter(({ hsmId }) => ledger.owedBack.has(hsmId))
    if (owed.length === 0) return
    const left = run.users.filter(({ key: user }) => owed.some(({ hsmId }) => isLeftToDo(ledger, { user, hsmId })))
    await give(run, unitId, left, { credential: 'current', method })
    for (const server of owed) {
      const { hsmId, region } = server
      if (isUnseen(discovery, server)) {
        run.notice(`${hsmId} is back on the old password and stays a debt until ${region} answers`)
        continue
      }
      await run.record({ type: 'debt-settled', hsmId })
      run.notice(`${hsmId} (${region}) is back on the old password`)
    }
  })
}
