import type { Discovery } from '../../../domain/clone-family.js'
import type { UserKey } from '../../../domain/hsm-user.js'
import type { UnitId } from '../../../domain/ids.js'
import type { RosterEntry } from '../../../domain/roster.js'
import { isBack, isLeftToDo } from '../../../domain/rotation/procedures/roll-back.js'
import { give } from '../cells/give.js'
import { leftToNewer } from '../cells/left-to-newer.js'
import { throwTogether } from '../run/pause.js'
import type { RotationRun } from '../run/rotation-run.js'
import { isUnseen } from '../survey/aws-comparison.js'
import { failuresOnEach } from '../survey/unreachable.js'
import { proveBackAgain } from './verify-back.js'

/**
 * Gives HSMs that a rollback went on without what they held before, where they were seen in this invocation. One that is
 * still out of sight stays a debt; so does one whose Region does not answer: another one may have joined it unseen. What is
 * stated of all others is proved again: with the last debt the rotation is called rolled back.
 * @throws {Pause} `DEBT_SUPERSEDED` for what is left to a newer run; why one that was seen cannot be given it, once the others are
 */
export const restoreOwed = async (run: RotationRun): Promise<void> => {
  run.takeAllInSight()
  const { ledger } = run
  const discovery = await run.parts.discover()
  const notGiven = await failuresOnEach(run, run.units, (unitId) => giveOwed(run, unitId))
  const notProved = await failuresOnEach(run, run.units, (unitId) => proveBackAgain(run, unitId))
  const areOthersBack = run.roster.every(
    ({ hsmId }) => ledger.owedBack.has(hsmId) || run.users.every(({ key: user }) => isBack(ledger, { user, hsmId })),
  )
  if (areOthersBack && notProved.length === 0) for (const server of run.roster) await settle(run, server, discovery)
  throwTogether([...notGiven, ...notProved], true)
  const left = leftToNewer(ledger)
  if (left !== null) throw left
}

/** Also what was given back before, where somebody else has changed it since: that needs the operator's consent. */
const giveOwed = async (run: RotationRun, unitId: UnitId): Promise<void> => {
  const { ledger } = run
  const left = run.users.filter(({ key: user }) =>
    run
      .servers(unitId)
      .some(({ hsmId }) =>
        ledger.owedBack.has(hsmId) ? isLeftToDo(ledger, { user, hsmId }) : !isBack(ledger, { user, hsmId }),
      ),
  )
  const method = ledger.rollback === 'change' ? 'change' : 'sync'
  // What some users may be copied from, a newer run may have given others.
  const groups = left.every(({ key }) => isItsEverywhere(run, key)) ? [left] : left.map((user) => [user])
  for (const users of groups) await give(run, unitId, users, { credential: 'current', method })
}

const settle = async (run: RotationRun, server: RosterEntry, discovery: Discovery): Promise<void> => {
  const { ledger } = run
  const { hsmId, region } = server
  if (!ledger.owedBack.has(hsmId)) return
  if (run.users.some(({ key: user }) => isLeftToDo(ledger, { user, hsmId }) || ledger.isOwedElsewhere(user, hsmId)))
    return
  if (isUnseen(discovery, server)) {
    run.notice(`${hsmId} was given back what it is owed and stays a debt until ${region} answers`)
    return
  }
  await run.record({ type: 'debt-settled', hsmId })
  run.notice(`${hsmId} (${region}) was given back what it is owed`)
}

const isItsEverywhere = ({ plan, ledger }: RotationRun, user: UserKey): boolean =>
  plan.roster.every(({ hsmId }) => ledger.supersededBy(user, hsmId) === null)
