import { findUser } from '../../../domain/hsm-user.js'
import type { UnitId } from '../../../domain/ids.js'
import type { RosterEntry } from '../../../domain/roster.js'
import type { PlannedUser } from '../../../domain/rotation/plan.js'
import { Pause } from '../run/pause.js'
import type { RotationRun } from '../run/rotation-run.js'
import { inSession, usersOf } from '../sessions/in-session.js'

/**
 * Those of the users that some HSM of a unit does not have now. The journal alone does not tell: a copy whose answer was
 * lost may have made the user, or not, and an HSM that was out of sight shows again what it lacks. Asks no HSM where
 * nobody was missing when it was met first, and nobody is now.
 * @throws {Pause} `USER_MISSING` where nobody wants it to be created
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
  await run.look(listing, servers)
  const lacks = (user: PlannedUser, { hsmId }: RosterEntry): boolean => {
    const row = findUser(usersOf(listing, hsmId), user)
    return row === undefined || row.inconsistent.includes('cluster-coverage')
  }
  for (const user of missed) {
    const unplanned = servers.find((server) => lacks(user, server) && !mayBeCreated(run, user, server))
    if (unplanned !== undefined) throw notCreated(user, unplanned)
  }
  return new Set(missed.filter((user) => servers.some((server) => lacks(user, server))))
}

/** An HSM that was added has the users of some backup; elsewhere the operator has to want it. */
const mayBeCreated = ({ ledger, parts }: RotationRun, { key }: PlannedUser, { hsmId }: RosterEntry): boolean =>
  ledger.facts.createMissing ||
  parts.options.createMissing === true ||
  ledger.isJoined(hsmId) ||
  ledger.everWritten(key, hsmId)

const notCreated = ({ key }: PlannedUser, { hsmId }: RosterEntry): Pause =>
  new Pause('USER_MISSING', `${key} does not exist on ${hsmId}`, ['add --create-missing to copy the user there'])
