import type { UnitId } from '../../../domain/ids.js'
import type { PlannedUser } from '../../../domain/rotation/plan.js'
import type { RotationRun } from '../run/rotation-run.js'
import { toBeMade } from './absent-users.js'
import { give } from './give.js'

/**
 * Copies users that somebody has deleted on HSMs of a unit back, from where the new credential is held already.
 * @throws {Pause} `USER_MISSING` where it was given there and nothing else holds it yet: a copy would bring the old one
 */
export const giveDeleted = async (run: RotationRun, unitId: UnitId): Promise<void> => {
  const servers = run.servers(unitId)
  const isDeleted = ({ key }: PlannedUser) => servers.some(({ hsmId }) => run.ledger.isSeenMissing(key, hsmId))
  const deleted = run.notNew(unitId).filter(isDeleted)
  if (deleted.length === 0) return
  const isHeld = run.units.some(
    (other) => other !== unitId && run.notNew(other).every((user) => !deleted.includes(user)),
  )
  if (isHeld) return give(run, unitId, deleted, { credential: 'new', method: 'change' })
  const written = deleted.find(({ key }) => servers.some(({ hsmId }) => run.ledger.everWritten(key, hsmId)))
  if (written !== undefined) throw toBeMade(run, unitId, written)
}
