import type { UserKey } from '../../../domain/hsm-user.js'
import { isLeftToDo } from '../../../domain/rotation/procedures/roll-back.js'
import { give } from '../cells/give.js'
import { leftToNewer } from '../cells/left-to-newer.js'
import type { RotationRun } from '../run/rotation-run.js'
import { isUnseen } from '../survey/aws-comparison.js'
import { onEach } from '../survey/unreachable.js'

/**
 * Gives HSMs that a rollback went on without what they held before, where they were seen in this invocation. One that is
 * still out of sight stays a debt; so does one whose Region does not answer: another one may have joined it unseen.
 * @throws {Pause} `DEBT_SUPERSEDED` for what is left to a newer run; why one that was seen cannot be given it, once the others are
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
    // What some users may be copied from, a newer run may have given others.
    const groups = left.every(({ key }) => isItsEverywhere(run, key)) ? [left] : left.map((user) => [user])
    for (const users of groups) await give(run, unitId, users, { credential: 'current', method })
    for (const server of owed) {
      const { hsmId, region } = server
      if (run.users.some(({ key }) => ledger.isOwedElsewhere(key, hsmId))) continue
      if (isUnseen(discovery, server)) {
        run.notice(`${hsmId} was given back what it is owed and stays a debt until ${region} answers`)
        continue
      }
      await run.record({ type: 'debt-settled', hsmId })
      run.notice(`${hsmId} (${region}) was given back what it is owed`)
    }
  })
  const left = leftToNewer(ledger)
  if (left !== null) throw left
}

const isItsEverywhere = ({ plan, ledger }: RotationRun, user: UserKey): boolean =>
  plan.roster.every(({ hsmId }) => ledger.supersededBy(user, hsmId) === null)
