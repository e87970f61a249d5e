import { findUser, type HsmUser } from '../../../domain/hsm-user.js'
import type { HsmId, UnitId } from '../../../domain/ids.js'
import { refuseRosterChanges } from '../aws-comparison.js'
import { deliver, onEach } from '../cell-work.js'
import { inSession, usersOf } from '../hsm-work.js'
import { attributes } from '../listing-comparison.js'
import { Pause } from '../pause.js'
import type { RotationRun } from '../rotation-run.js'

/**
 * Reads everything again: AWS's view of the HSMs, the proof of each cell, the attributes of each user. HSMs that were
 * added since the spread are given the new credential here.
 */
export const verify = async (run: RotationRun): Promise<void> => {
  refuseRosterChanges(run, await run.parts.discover())
  const { restorePoint } = run.plan.parts
  const late = run.units.filter((unitId) => unitId !== restorePoint && run.notNew(unitId).length > 0)
  await onEach(run, late, (unitId) => deliver(run, unitId, run.ledger.propagation ?? 'change'))
  const seen = new Map<HsmId, ReadonlyMap<string, string>>()
  await onEach(run, run.units, async (unitId) => {
    for (const [hsmId, attributes] of await listedAttributes(run, unitId)) seen.set(hsmId, attributes)
    run.parts.progress({ kind: 'step', stage: 'verify', unitId, text: 'read' })
  })
  // A change of the password unlocks, whatever a copy does; the restore point has its turn in the next stage.
  const locked = run.units.filter((unitId) => unitId !== restorePoint && run.notNew(unitId).length > 0)
  await onEach(run, locked, (unitId) => deliver(run, unitId, 'change'))
  // The one that was changed first may stay behind by now.
  const first = [...run.servers(run.plan.parts.first), ...run.roster].find(({ hsmId }) => seen.has(hsmId))
  const expected = first === undefined ? undefined : seen.get(first.hsmId)
  for (const [hsmId, users] of seen) {
    for (const [user, words] of users) {
      if (words === expected?.get(user)) continue
      throw new Pause(
        'ATTRIBUTES_DIFFER',
        `${user} is ${words} on ${hsmId} but ${expected?.get(user)} on ${first?.hsmId}`,
      )
    }
  }
}

/** What the listing shows of each user on each HSM; an ID only where the plan found the HSMs to agree on it. */
const listedAttributes = (
  run: RotationRun,
  unitId: UnitId,
): Promise<ReadonlyMap<HsmId, ReadonlyMap<string, string>>> => {
  const servers = run.servers(unitId)
  return inSession(run.parts, servers, async (session) => {
    const listing = await session.listUsers()
    const found = new Map<HsmId, ReadonlyMap<string, string>>()
    for (const { hsmId } of servers) {
      const listed = usersOf(listing, hsmId)
      await run.look(hsmId, listed)
      found.set(hsmId, plannedAttributes(run, hsmId, listed))
    }
    return found
  })
}

const plannedAttributes = (run: RotationRun, hsmId: HsmId, listed: readonly HsmUser[]): ReadonlyMap<string, string> =>
  new Map(
    run.users.flatMap((user) => {
      const row = findUser(listed, user)
      // The restore point gets a missing user only in the next stage.
      const isProved = run.ledger.cell(user.key, hsmId).state === 'new'
      if (row === undefined && !isProved && run.ledger.mayBeAbsent(user.key, hsmId)) return []
      if (row === undefined) throw new Pause('USER_MISSING', `${user.key} is not listed on ${hsmId} any more`)
      return [[user.key, attributes(user.idsAgree ? row : { ...row, userId: null })] as const]
    }),
  )
