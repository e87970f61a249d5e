import { refusal } from '../errors.js'
import type { HsmUserRef, UserKey } from '../hsm-user.js'
import type { ClusterId, HsmId, RegionName } from '../ids.js'
import type { Roster, RosterEntry } from '../roster.js'

/** How a new credential reaches the HSMs after the first one. */
export type Propagation = 'sync' | 'change'

/** A user of the rotation, with the ID the HSMs agree on. */
export interface PlannedUser extends HsmUserRef {
  readonly key: UserKey
  /** Null where the HSMs disagree: such a user is never synced, because syncUser may match by ID. */
  readonly userId: number | null
}

/** Which HSM takes which part. */
export interface Parts {
  /** The source HSM that is changed first. */
  readonly first: HsmId
  /** The destination HSM the credential is propagated to before any other. */
  readonly canary: HsmId
  /** The last HSM to hold the old credential. The canary itself where there are only two HSMs. */
  readonly restorePoint: HsmId
  /** The rest, in waves: the source's siblings, then one Region after another. */
  readonly waves: readonly Wave[]
}

/** HSMs that are changed side by side. */
export interface Wave {
  readonly name: string
  readonly hsmIds: readonly HsmId[]
}

/** A cluster that takes part. */
export interface PlannedCluster {
  readonly clusterId: ClusterId
  readonly region: RegionName
  readonly profile: string | null
}

/** Everything decided before the first effect. */
export interface RotationPlan {
  readonly source: PlannedCluster
  readonly destinations: readonly PlannedCluster[]
  /** Members of the family that the operator chose to leave on the old credential. */
  readonly leftOut: readonly PlannedCluster[]
  readonly family: string
  readonly users: readonly PlannedUser[]
  readonly roster: Roster
  readonly parts: Parts
}

/**
 * Gives each HSM its part. The restore point is the last HSM of the last destination, so that it stays out of the way
 * longest; where the canary is the only destination HSM, it is the source's last sibling.
 * @throws {OperatorError} `TOO_FEW_HSMS` when a side has no HSM
 */
export const assignParts = (roster: Roster): Parts => {
  const sources = roster.filter((entry) => entry.role === 'source')
  const destinations = roster.filter((entry) => entry.role === 'destination')
  const [first, ...siblings] = sources
  const [canary, ...others] = destinations
  if (first === undefined || canary === undefined) {
    throw refusal('TOO_FEW_HSMS', 'a rotation needs one ACTIVE HSM in the source and one in a destination cluster')
  }
  const restorePoint = others.at(-1) ?? siblings.at(-1) ?? canary
  const rest = [...siblings, ...others].filter((entry) => entry !== restorePoint)
  return {
    first: first.hsmId,
    canary: canary.hsmId,
    restorePoint: restorePoint.hsmId,
    waves: wavesOf(rest),
  }
}

const wavesOf = (rest: readonly RosterEntry[]): Wave[] => {
  const waves = new Map<string, HsmId[]>()
  for (const entry of rest) {
    const name = entry.role === 'source' ? `siblings in ${entry.clusterId}` : entry.region
    waves.set(name, [...(waves.get(name) ?? []), entry.hsmId])
  }
  return [...waves].map(([name, hsmIds]) => ({ name, hsmIds }))
}

/** The roster line of an HSM of the plan. */
export const rosterEntry = (plan: RotationPlan, hsmId: HsmId): RosterEntry => {
  const entry = plan.roster.find((candidate) => candidate.hsmId === hsmId)
  if (entry === undefined) throw new Error(`${hsmId} is not in the roster of this rotation`)
  return entry
}
