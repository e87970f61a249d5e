import { findUser, type HsmUser, type HsmUserRef } from '../../../domain/hsm-user.js'
import type { UnitId } from '../../../domain/ids.js'
import type { RosterEntry } from '../../../domain/roster.js'
import type { PlannedUser } from '../../../domain/rotation/plan.js'
import { copiesImpossible } from '../../../domain/rotation/way-back.js'
import { Pause } from '../run/pause.js'
import type { RotationRun } from '../run/rotation-run.js'
import { inSession, usersOf } from '../sessions/in-session.js'
import { isBarred } from './barred.js'

/**
 * Those of the users that some HSM of a unit does not have now. The journal alone does not tell: a copy whose answer was
 * lost may have made the user, or not, and an HSM that was out of sight shows again what it lacks. Asks no HSM where
 * nobody was missing when it was met first, and nobody is now.
 * @throws {Pause} `USER_MISSING` where nobody wants it to be created, or no copy can do it
 */
export const absentUsers = async (
  run: RotationRun,
  unitId: UnitId,
  users: readonly PlannedUser[],
): Promise<ReadonlySet<PlannedUser>> => {
  const servers = run.servers(unitId)
  const missed = users.filter((user) => servers.some(({ hsmId }) => run.ledger.mayBeAbsent(user.key, hsmId)))
  if (missed.length === 0) return new Set()
  const listing = await inSession(run.parts, servers, (session) => session.listUsers(run.users))
  await run.look(listing, servers)
  const lacks = (user: PlannedUser, { hsmId }: RosterEntry): boolean => isMissingIn(usersOf(listing, hsmId), user)
  const absent = missed.filter((user) => servers.some((server) => lacks(user, server)))
  for (const user of absent) {
    const isCopied = copiesImpossible({ ...run.plan, users: [user] }) === null && !isBarred(run, unitId, user)
    if (!isCopied) throw toBeMade(run, unitId, user)
    const unplanned = servers.find((server) => lacks(user, server) && !mayBeCreated(run, user, server))
    if (unplanned !== undefined) throw notCreated(user, unplanned)
  }
  return new Set(absent)
}

/** Whether an HSM lacks the user, or one of its cluster does where the listing does not tell which. */
export const isMissingIn = (listed: readonly HsmUser[], user: HsmUserRef): boolean => {
  const row = findUser(listed, user)
  return row === undefined || row.inconsistent.includes('cluster-coverage')
}

/** The pause for a user that no copy brings to a unit. */
export const toBeMade = (run: RotationRun, unitId: UnitId, { key }: PlannedUser): Pause =>
  new Pause('USER_MISSING', `${key} does not exist on every HSM of ${run.name(unitId)}`, [madeByHand(run)])

/** How a user comes to be where no copy brings it. */
export const madeByHand = ({ words }: RotationRun): string =>
  `an officer makes it there by ${words.create}, with any password; then resume with --overwrite-other gives it the right one`

/** An HSM that was added has the users of some backup; elsewhere the operator has to want it. */
export const mayBeCreated = ({ ledger, parts }: RotationRun, { key }: PlannedUser, { hsmId }: RosterEntry): boolean =>
  ledger.facts.createMissing ||
  parts.options.createMissing === true ||
  ledger.isJoined(hsmId) ||
  ledger.everWritten(key, hsmId)

/** The pause for a user that a copy brings there, once the operator wants it. */
export const notCreated = ({ key }: PlannedUser, { hsmId }: RosterEntry): Pause =>
  new Pause('USER_MISSING', `${key} does not exist on ${hsmId}`, ['add --create-missing to copy the user there'])
