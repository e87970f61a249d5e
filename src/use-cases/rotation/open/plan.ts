import type { Cluster } from '../../../domain/cluster.js'
import { refusal, usageError } from '../../../domain/errors.js'
import type { HsmConsole } from '../../../domain/hsm-console.js'
import type { HsmUserRef } from '../../../domain/hsm-user.js'
import type { HsmId } from '../../../domain/ids.js'
import type { Roster } from '../../../domain/roster.js'
import {
  type EligibilityRules,
  type Eligible,
  eligibleUsers,
  type UserMatrix,
} from '../../../domain/rotation/eligibility.js'
import type { LostCluster } from '../../../domain/rotation/journal-entry.js'
import {
  assignParts,
  type PlannedCluster,
  type RotationPlan,
  sameHsmType,
  type UnseenRegion,
} from '../../../domain/rotation/plan.js'
import { readUsers, refusedBy } from '../survey/read-users.js'

/** The clusters of a rotation, chosen and proved to be clones. */
export interface ChosenForRotation {
  readonly source: Cluster
  readonly destinations: readonly Cluster[]
  readonly leftOut: readonly Cluster[]
  /** Members of the family that are out of reach and left out until they are back. */
  readonly lost?: readonly LostCluster[]
  /** Regions that did not answer. */
  readonly unseenRegions?: readonly UnseenRegion[]
  readonly family: string
  readonly roster: Roster
}

/** A plan and what it was made from. */
export interface PlannedRotation {
  readonly plan: RotationPlan
  readonly absent: Eligible['absent']
  readonly matrix: UserMatrix
  /** HSMs that cannot be reached and may stay behind. */
  readonly behind: readonly HsmId[]
}

/**
 * Decides everything that is decided before the first effect. Reads only: one session per unit, no login.
 * @param mayStayBehind HSMs without which the rotation goes on if they cannot be reached; `any` where one that answers is
 * enough, and the others keep their parts; null for a command that leaves none behind
 * @throws {OperatorError} for every fact that forbids the rotation
 */
export const planRotation = async (
  chosen: ChosenForRotation,
  users: readonly HsmUserRef[],
  console: HsmConsole,
  concurrency: number,
  rules: EligibilityRules,
  mayStayBehind: readonly HsmId[] | 'any' | null = null,
): Promise<PlannedRotation> => {
  refuseInactiveHsms(chosen)
  const isAny = mayStayBehind === 'any'
  const allowed = isAny ? [] : (mayStayBehind ?? [])
  refuseStrangers(chosen.roster, allowed)
  const { matrix, failures } = await readUsers(console, chosen.roster, concurrency, {
    expected: users,
    mayStayBehind: allowed,
  })
  const serious = failures.filter(
    ({ isOutOfReach, hsmIds }) =>
      !isOutOfReach || (isAny ? matrix.size === 0 : hsmIds.some((hsmId) => !allowed.includes(hsmId))),
  )
  if (serious.length > 0) throw refusedBy(serious, isAny || mayStayBehind === null, chosen.roster)
  const behind = failures.flatMap(({ hsmIds }) => hsmIds)
  const parts = assignParts(
    chosen.roster.filter(({ hsmId }) => isAny || !behind.includes(hsmId)),
    console.utility,
  )
  const source = chosen.roster.filter((entry) => entry.role === 'source').map((entry) => entry.hsmId)
  const { roster, lost = [] } = chosen
  const leftOut = [...chosen.leftOut, ...lost]
  const clusters = [chosen.source, ...chosen.destinations]
  const eligible = eligibleUsers(users, matrix, source, rules, { roster, clusters, leftOut })
  const plan: RotationPlan = {
    utility: console.utility,
    source: planned(chosen.source),
    destinations: chosen.destinations.map(planned),
    leftOut: chosen.leftOut.map(planned),
    ...(chosen.unseenRegions?.length ? { unseenRegions: chosen.unseenRegions } : {}),
    family: chosen.family,
    users: eligible.users,
    roster: chosen.roster,
    parts,
  }
  refuseUnsupportedCopies(plan, eligible.absent)
  return { plan, absent: eligible.absent, matrix, behind }
}

const planned = ({ clusterId, region, profile, hsmType }: Cluster): PlannedCluster => ({
  clusterId,
  region,
  profile,
  hsmType,
})

/** @throws {OperatorError} `REPLICATION_UNSUPPORTED` */
const refuseUnsupportedCopies = (plan: RotationPlan, absent: Eligible['absent']): void => {
  const [first] = absent
  if (first === undefined || sameHsmType(plan)) return
  throw refusal(
    'REPLICATION_UNSUPPORTED',
    `${first.user} does not exist on ${first.hsmId}, and clusters of different HSM types do not copy users to each other`,
    ['an officer makes it there by user create, with the password the others hold; then the same again'],
  )
}

/** @throws {OperatorError} `UNKNOWN_HSM` (exit 2) */
const refuseStrangers = (roster: Roster, mayStayBehind: readonly HsmId[]): void => {
  const stranger = mayStayBehind.find((hsmId) => !roster.some((entry) => entry.hsmId === hsmId))
  if (stranger === undefined) return
  throw usageError('UNKNOWN_HSM', `--allow-unreachable names ${stranger}, which is no HSM of this rotation`, [
    `HSMs: ${roster.map((entry) => entry.hsmId).join(', ')}`,
  ])
}

/** An HSM that is left behind keeps the old password unseen, so every one of them has to be there. */
const refuseInactiveHsms = ({ source, destinations }: ChosenForRotation): void => {
  for (const cluster of [source, ...destinations]) {
    const inactive = cluster.hsms.filter((hsm) => hsm.state !== 'ACTIVE')
    if (inactive.length === 0) continue
    throw refusal(
      'HSM_NOT_ACTIVE',
      `${inactive.map((hsm) => `${hsm.hsmId} is ${hsm.state}`).join(', ')} in ${cluster.region}/${cluster.clusterId}`,
      ['wait until AWS has replaced or removed it: lockstep clusters list'],
    )
  }
}
