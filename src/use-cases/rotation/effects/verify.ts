import type { UnitId } from '../../../domain/ids.js'
import { copiesImpossible } from '../../../domain/rotation/way-back.js'
import { mayBeCreated, notCreated, toBeMade } from '../cells/absent-users.js'
import { attributesDiffer, giveMissing } from '../cells/give.js'
import { proveAgain } from '../cells/prove-again.js'
import type { RotationRun } from '../run/rotation-run.js'
import { inSession } from '../sessions/in-session.js'
import { askAws } from '../survey/aws-comparison.js'
import { onEach } from '../survey/unreachable.js'

/**
 * Reads everything again: AWS's view of the HSMs, the proof of each cell, the attributes of each user. A proof of an
 * earlier invocation does not count: each is made again by one login. HSMs that were added since the spread are given the
 * new credential here; the restore point has its turn in the next stage.
 */
export const verify = async (run: RotationRun): Promise<void> => {
  const { restorePoint } = run.plan.parts
  const isKept = (unitId: UnitId) =>
    run.ledger.facts.procedure === 'rotate' && unitId === restorePoint && run.notNew(unitId).length > 0
  const mayBeWritten = () => run.units.filter((unitId) => !isKept(unitId))
  await giveMissing(run, mayBeWritten(), run.propagation)
  await onEach(run, mayBeWritten(), (unitId) => proveAgain(run, unitId))
  const look = (unitId: UnitId) => lookAgain(run, unitId, isKept(unitId))
  await onEach(run, run.units, look)
  // A change of the password unlocks, whatever a copy does.
  await giveMissing(run, mayBeWritten(), 'change')
  await onEach(
    run,
    run.units.filter((unitId) => run.servers(unitId).some(({ hsmId }) => !run.ledger.isListed(hsmId))),
    look,
  )
  await askAws(run)
}

/**
 * @param isKept whether what is missing there is given in the next stage
 * @throws {Pause} `ATTRIBUTES_DIFFER`, `USER_MISSING`
 */
const lookAgain = async (run: RotationRun, unitId: UnitId, isKept: boolean): Promise<void> => {
  const servers = run.servers(unitId)
  await inSession(run.parts, servers, async (session) => run.look(await session.listUsers(run.users), servers))
  for (const server of servers) {
    const { hsmId } = server
    for (const user of run.users) {
      const { key } = user
      if (run.ledger.different(key, hsmId) !== null) throw attributesDiffer(run, hsmId, user)
      if (run.ledger.cell(key, hsmId).state !== 'absent' || run.ledger.missedFirst(key, hsmId)) continue
      if (copiesImpossible({ ...run.plan, users: [user] }) !== null) throw toBeMade(run, unitId, user)
      if (!isKept || !mayBeCreated(run, user, server)) throw notCreated(user, server)
    }
  }
  run.parts.progress({ kind: 'step', stage: 'verify', unitId, text: 'read' })
}
