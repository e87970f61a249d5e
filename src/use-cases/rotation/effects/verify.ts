import type { UnitId } from '../../../domain/ids.js'
import { giveMissing } from '../cells/give.js'
import { proveAgain } from '../cells/prove-again.js'
import { Pause } from '../run/pause.js'
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
  await giveMissing(run, mayBeWritten(), run.ledger.propagation ?? 'change')
  await onEach(run, mayBeWritten(), (unitId) => proveAgain(run, unitId))
  await onEach(run, run.units, (unitId) => lookAgain(run, unitId))
  // A change of the password unlocks, whatever a copy does.
  await giveMissing(run, mayBeWritten(), 'change')
  await onEach(
    run,
    run.units.filter((unitId) => run.servers(unitId).some(({ hsmId }) => !run.ledger.isListed(hsmId))),
    (unitId) => lookAgain(run, unitId),
  )
  await askAws(run)
}

/** @throws {Pause} `ATTRIBUTES_DIFFER`, `USER_MISSING` */
const lookAgain = async (run: RotationRun, unitId: UnitId): Promise<void> => {
  const servers = run.servers(unitId)
  await inSession(run.parts, servers, async (session) => run.look(await session.listUsers(), servers))
  for (const { hsmId } of servers) {
    for (const { key } of run.users) {
      const words = run.ledger.different(key, hsmId)
      if (words !== null) {
        throw new Pause('ATTRIBUTES_DIFFER', `${key} on ${hsmId} is ${words}`, [
          'somebody has changed the user there: find out why, and have an officer set it right; then resume',
          ...(run.ledger.hasOtherId(key, hsmId)
            ? [
                'no officer can set an ID: delete the user there, and resume with --create-missing copies it under its own',
              ]
            : []),
        ])
      }
      // The restore point gets a missing user only in the next stage.
      if (run.ledger.cell(key, hsmId).state !== 'absent' || run.ledger.missedFirst(key, hsmId)) continue
      throw new Pause('USER_MISSING', `${key} is not listed on ${hsmId} any more`)
    }
  }
  run.parts.progress({ kind: 'step', stage: 'verify', unitId, text: 'read' })
}
