import { findUser } from '../../domain/hsm-user.js'
import type { UnitId } from '../../domain/ids.js'
import type { PlannedUser } from '../../domain/rotation/plan.js'
import { inSession, usersOf } from './hsm-work.js'
import type { RotationRun } from './rotation-run.js'

/**
 * Those of the users that some HSM of a unit does not have now. The journal alone does not tell: a copy whose answer was
 * lost may have made the user, or not, and an HSM that was out of sight shows again what it lacks. Asks no HSM where
 * nobody was missing when it was met first.
 */
export const absentUsers = async (
  run: RotationRun,
  unitId: UnitId,
  users: readonly PlannedUser[],
): Promise<ReadonlySet<PlannedUser>> => {
  const servers = run.servers(unitId)
  const missed = users.filter((user) => servers.some(({ hsmId }) => run.ledger.mayBeAbsent(user.key, hsmId)))
  if (missed.length === 0) return new Set()
  const listing = await inSession(run.parts, servers, (session) => session.listUsers())
  return new Set(
    missed.filter((user) =>
      servers.some(({ hsmId }) => {
        const row = findUser(usersOf(listing, hsmId), user)
        return row === undefined || row.inconsistent.includes('cluster-coverage')
      }),
    ),
  )
}
