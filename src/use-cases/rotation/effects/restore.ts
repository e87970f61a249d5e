import type { UnitId } from '../../../domain/ids.js'
import { allowUnreachable, nameServer } from '../../../domain/roster.js'
import type { CellRef } from '../../../domain/rotation/cell.js'
import { isBack } from '../../../domain/rotation/procedures/roll-back.js'
import { give } from '../cells/give.js'
import { Pause } from '../run/pause.js'
import type { RotationRun } from '../run/rotation-run.js'
import { awayWithWork, isClusterAway, onEach } from '../survey/unreachable.js'

/** Brings each unit back. Users that are old for certain on all of it are left alone. */
export const restore = async (run: RotationRun): Promise<void> => {
  const method = run.ledger.rollback === 'change' ? 'change' : 'sync'
  const { copy, change } = run.words
  run.notice(`rolling back by ${method === 'sync' ? `${copy} from what was not written to` : change}`)
  run.takeAllInSight()
  const notBack = (unitId: UnitId) =>
    run.users.filter(({ key: user }) => run.servers(unitId).some(({ hsmId }) => !isBack(run.ledger, { user, hsmId })))
  const units = run.units.filter((unitId) => notBack(unitId).length > 0)
  await onEach(run, units, (unitId) => give(run, unitId, notBack(unitId), { credential: 'current', method }))
  refuseAway(run, (cell) => !isBack(run.ledger, cell), 'may hold the new password')
}

/**
 * Stops a rollback for HSMs out of sight on which something is left to do.
 * @throws {Pause} `HSM_UNREACHABLE`
 */
export const refuseAway = (run: RotationRun, isLeft: (cell: CellRef) => boolean, why: string): void => {
  const away = awayWithWork(run, isLeft)
  if (away.length === 0) return
  const rollback = `lockstep rotate rollback --rotation ${run.ledger.facts.rotationId}`
  const single = away.filter(({ clusterId }) => !isClusterAway(run, clusterId))
  throw new Pause('HSM_UNREACHABLE', `${away.map(nameServer).join(', ')} cannot be reached and ${why}`, [
    'bring it back, then resume: all that could be reached is back',
    ...(run.ledger.capabilities.writeReach === 'cluster' && away.length > 1
      ? [
          'one HSM that has fallen silent may keep the utility from all of its cluster: find it, and have AWS delete or replace it; the others are brought back then',
        ]
      : []),
    single.length === 0
      ? `where it stays away, end the rollback without it and leave a debt: ${rollback} ${allowUnreachable(away)} --reason TEXT`
      : `where one of a cluster that answers stays away, have AWS delete it and end the rollback without it: ${rollback} ${allowUnreachable(away)} --reason TEXT`,
  ])
}
