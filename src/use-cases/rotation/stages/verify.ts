import { findUser } from '../../../domain/hsm-user.js'
import type { HsmId } from '../../../domain/ids.js'
import { rosterEntry } from '../../../domain/rotation/plan.js'
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
  const late = run.roster
    .map((entry) => entry.hsmId)
    .filter((hsmId) => hsmId !== restorePoint && run.notNew(hsmId).length > 0)
  await onEach(run, late, (hsmId) => deliver(run, hsmId, run.ledger.propagation ?? 'change'))
  const seen = new Map<HsmId, ReadonlyMap<string, string>>()
  await onEach(
    run,
    run.roster.map((entry) => entry.hsmId),
    async (hsmId) => {
      seen.set(hsmId, await listedAttributes(run, hsmId))
      run.parts.progress({ kind: 'step', stage: 'verify', hsmId, text: 'read' })
    },
  )
  const expected = seen.get(run.plan.parts.first)
  for (const [hsmId, users] of seen) {
    for (const [user, words] of users) {
      if (words === expected?.get(user)) continue
      throw new Pause(
        'ATTRIBUTES_DIFFER',
        `${user} is ${words} on ${hsmId} but ${expected?.get(user)} on ${run.plan.parts.first}`,
      )
    }
  }
}

/** What the listing shows of each user; an ID only where the plan found the HSMs to agree on it. */
const listedAttributes = (run: RotationRun, hsmId: HsmId): Promise<ReadonlyMap<string, string>> =>
  inSession(run.parts, [rosterEntry(run.plan, hsmId)], async (session) => {
    const listed = usersOf(await session.listUsers(), hsmId)
    run.failureCounts.look(run.users, hsmId, listed)
    return new Map(
      run.users.flatMap((user) => {
        const row = findUser(listed, user)
        // The restore point gets a missing user only in the next stage.
        if (row === undefined && run.ledger.cell(user.key, hsmId).state === 'absent') return []
        if (row === undefined) throw new Pause('USER_MISSING', `${user.key} is not listed on ${hsmId} any more`)
        return [[user.key, attributes(user.userId === null ? { ...row, userId: null } : row)] as const]
      }),
    )
  })
