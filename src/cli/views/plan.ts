import { printable } from '../../adapters/terminal/printable.js'
import { showCluster } from '../../domain/cluster.js'
import type { HsmId, UnitId } from '../../domain/ids.js'
import type { LostCluster } from '../../domain/rotation/journal-entry.js'
import { nameUnit, type RotationPlan, unitsOf } from '../../domain/rotation/plan.js'
import { copiesImpossible, pointOfNoReturn, rehearsalWrites, wayBackInDoubt } from '../../domain/rotation/way-back.js'
import { capabilitiesOf } from '../../domain/utility/capabilities.js'
import { labelled } from './labelled.js'
import { listUsers, unseenRegionsInWords } from './words.js'

/** What is known beside a plan. */
export interface PlanContext {
  /** Whether the current credential is a way back. */
  readonly byCurrent?: boolean
  /** Clusters that are left out until they are back. */
  readonly lost?: readonly LostCluster[] | undefined
  /** HSMs that cannot be reached and stay behind. */
  readonly behind?: readonly HsmId[]
}

type Entry = readonly [label: string, text: string]

/** The plan in words, for the question before the first change. */
export const renderPlan = (
  plan: RotationPlan,
  { byCurrent = false, lost = [], behind = [] }: PlanContext = {},
): string => {
  const { parts, roster, unseenRegions = [] } = plan
  const where = (unitId: UnitId) => nameUnit(roster, unitId)
  const noReturn = pointOfNoReturn(plan, byCurrent)
  const doubt = wayBackInDoubt(plan, byCurrent)
  const leftOut = plan.leftOut.map(showCluster).join(', ')
  return labelled([
    ['users', listUsers(plan.users.map((user) => user.key))],
    ['first', where(parts.first)],
    ...(parts.canary === parts.first ? [] : [['canary', where(parts.canary)] as const]),
    ...parts.waves.map(({ name, units }, index): Entry => [`wave ${index + 1}`, `${name}: ${units.join(', ')}`]),
    ...(parts.restorePoint === parts.first ? [] : [['restore point', where(parts.restorePoint)] as const]),
    ...rehearsal(plan, byCurrent, behind),
    ['logins', expectedLogins(plan, behind)],
    ['refused logins', refusedLogins(plan, byCurrent)],
    ...(noReturn === null ? [] : [['way back', `none without --current-password: ${noReturn}`] as const]),
    ...(noReturn !== null || doubt === null ? [] : [['way back', doubt] as const]),
    ...(behind.length === 0 ? [] : [['stays behind', behind.join(', ')] as const]),
    ...(leftOut === '' ? [] : [['left out', leftOut] as const]),
    ...(unseenRegions.length === 0
      ? []
      : [['not seen', `${unseenRegionsInWords(unseenRegions)}: members of the family there are missed`] as const]),
    ...lost.map(
      ({ clusterId, region, reason }): Entry => [
        'lost',
        `${region === null ? '' : `${region}/`}${clusterId}, a debt until it is back: ${printable(reason)}`,
      ],
    ),
  ])
}

/**
 * Logins that may be refused because of what we do. Somebody may have an alarm on them, so they are announced: AWS
 * recommends one at two refused logins in the log of an HSM.
 */
const refusedLogins = (plan: RotationPlan, byCurrent: boolean): string => {
  const none = 'none if all goes well'
  if (copiesImpossible(plan) !== null) return none
  const { words, writeReach } = capabilitiesOf(plan.utility)
  const perUser = plan.users.length === 1 ? 'one' : `one per user, ${plan.users.length} in all,`
  const each = writeReach === 'cluster' ? ', which each of its HSMs counts' : ''
  const canary = `${perUser} on ${plan.parts.canary}${each}, where ${words.copy} reports success and changes nothing`
  const back = byCurrent
    ? ''
    : `; a rollback by ${words.copy} makes two on purpose, to be sure that the new password is gone`
  return `${none}; ${canary}${back}`
}

/** A rehearsal is a write: it gives the canary what its origin holds, and nobody can tell whether that stood there. */
const rehearsal = (plan: RotationPlan, byCurrent: boolean, behind: readonly HsmId[]): Entry[] => {
  const copy = rehearsalWrites(plan, behind)
  if (copy === null) return []
  const { words } = capabilitiesOf(plan.utility)
  const proof = byCurrent ? '' : '; whether that is what it held before is not proved'
  return [['rehearsal', `${words.copy} of the unchanged users from ${copy.from} to ${copy.to}: a write${proof}`]]
}

/** How many logins prove the new credential. Whether each HSM can be asked alone shows only in a session. */
const expectedLogins = ({ roster: planned, users, utility }: RotationPlan, behind: readonly HsmId[]): string => {
  const roster = planned.filter(({ hsmId }) => !behind.includes(hsmId))
  const perHsm = `one per user and HSM with the new credential, ${roster.length * users.length} in all`
  if (capabilitiesOf(utility).writeReach === 'hsm') return perHsm
  const clusters = unitsOf(roster, utility).length
  return `${perHsm}; where ${utility} reaches the whole cluster at once, one per user and cluster, ${clusters * users.length} in all`
}
