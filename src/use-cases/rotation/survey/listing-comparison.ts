import { type HsmUser, sameUser, userKey } from '../../../domain/hsm-user.js'
import type { UnitId } from '../../../domain/ids.js'
import type { PlannedUser } from '../../../domain/rotation/plan.js'
import { Pause } from '../run/pause.js'
import type { RotationRun } from '../run/rotation-run.js'
import { attributes } from './observe-listing.js'

/** The whole listing of one HSM, before and after something was done there. */
export interface TwoListings {
  readonly before: readonly HsmUser[]
  readonly after: readonly HsmUser[]
}

/**
 * Compares the listing after a copy with the one before: nobody but the copied users may have changed, and they only
 * by appearing. Failure counts are left out, because clients raise them at any time.
 * @throws {Pause} `OTHER_USER_CHANGED`
 */
export const refuseOtherChanges = (
  run: RotationRun,
  unitId: UnitId,
  looks: readonly TwoListings[],
  copied: readonly PlannedUser[],
): void => {
  const changes = [...new Set(looks.flatMap((look) => otherChanges(look, copied)))]
  if (changes.length === 0) return
  throw new Pause(
    'OTHER_USER_CHANGED',
    `${run.words.copy} changed more than it should on ${run.name(unitId)}: ${changes.join('; ')}`,
  )
}

const otherChanges = ({ before, after }: TwoListings, copied: readonly PlannedUser[]): string[] => {
  const changes: string[] = []
  for (const row of before) {
    const now = after.find((candidate) => sameUser(candidate, row))
    if (now === undefined) changes.push(`${userKey(row)} is gone`)
    else if (attributes(now) !== attributes(row))
      changes.push(`${userKey(row)} was ${attributes(row)}, is ${attributes(now)}`)
  }
  for (const row of after) {
    const known = before.some((candidate) => sameUser(candidate, row)) || copied.some((user) => sameUser(user, row))
    if (!known) changes.push(`${userKey(row)} appeared`)
  }
  return changes
}
