import { refusal } from '../errors.js'
import type { HsmUserRef, UserKey } from '../hsm-user.js'
import type { ClusterId, RegionName, UnitId } from '../ids.js'
import type { Roster, RosterEntry } from '../roster.js'
import { UTILITY_WORDS, type UtilityName } from '../utility.js'

/** How a new credential reaches the HSMs after the first one. */
export type Propagation = 'sync' | 'change'

/** A user of the rotation, with the ID the HSMs agree on. */
export interface PlannedUser extends HsmUserRef {
  readonly key: UserKey
  /** Null where the HSMs disagree, or the utility does not show it. */
  readonly userId: number | null
  /** Whether all HSMs show the same ID. Where they do not, no copy is made: syncUser may match by ID. */
  readonly idsAgree: boolean
}

/** Which unit takes which part: which HSM, or which cluster where the utility can only write to all of it. */
export interface Parts {
  /** The unit of the source that is changed first. */
  readonly first: UnitId
  /** The unit of a destination the credential is propagated to before any other. */
  readonly canary: UnitId
  /** The last unit to hold the old credential. The canary itself where there are only two units. */
  readonly restorePoint: UnitId
  /** The rest, in waves: the source's siblings, then one Region after another. */
  readonly waves: readonly Wave[]
}

/** Units that are changed side by side. */
export interface Wave {
  readonly name: string
  readonly units: readonly UnitId[]
}

/** A cluster that takes part. */
export interface PlannedCluster {
  readonly clusterId: ClusterId
  readonly region: RegionName
  readonly profile: string | null
  /** As AWS says it, e.g. `hsm2m.medium`. */
  readonly hsmType: string
}

/** Everything decided before the first effect. */
export interface RotationPlan {
  readonly utility: UtilityName
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
 * Gives each unit its part. The restore point is the last unit of the last destination, so that it stays out of the
 * way longest; where the canary is the only unit of the destinations, it is the source's last sibling.
 * @throws {OperatorError} `TOO_FEW_HSMS` when a side has no HSM
 */
export const assignParts = (roster: Roster, utility: UtilityName): Parts => {
  const units = unitsOf(roster, utility)
  const [first, ...siblings] = units.filter(({ servers }) => servers[0].role === 'source')
  const [canary, ...others] = units.filter(({ servers }) => servers[0].role === 'destination')
  if (first === undefined || canary === undefined) {
    throw refusal('TOO_FEW_HSMS', 'a rotation needs one ACTIVE HSM in the source and one in a destination cluster')
  }
  const restorePoint = others.at(-1) ?? siblings.at(-1) ?? canary
  const rest = [...siblings, ...others].filter((unit) => unit !== restorePoint)
  return {
    first: first.unitId,
    canary: canary.unitId,
    restorePoint: restorePoint.unitId,
    waves: wavesOf(rest),
  }
}

const wavesOf = (rest: readonly Unit[]): Wave[] => {
  const waves = new Map<string, UnitId[]>()
  for (const { unitId, servers } of rest) {
    const [{ role, clusterId, region }] = servers
    const name = role === 'source' ? `siblings in ${clusterId}` : region
    waves.set(name, [...(waves.get(name) ?? []), unitId])
  }
  return [...waves].map(([name, units]) => ({ name, units }))
}

/**
 * Whether every cluster of the plan consists of the same kind of HSM. `user replicate` does not work from hsm2m.medium
 * to hsm1.medium. Source: AWS CloudHSM User Guide, `troubleshoot-sdk5-user-replicate-failures`.
 */
export const sameHsmType = ({ source, destinations }: Pick<RotationPlan, 'source' | 'destinations'>): boolean =>
  destinations.every(({ hsmType }) => hsmType === source.hsmType)

/**
 * What an operator should know who gives no current credential, where nobody knows beforehand whether the old one can
 * be copied back; null where AWS says that it can, or no copy is made. Nothing shows it before the source is changed: a
 * copy of the unchanged user succeeds either way. Source: AWS CloudHSM User Guide, `cloudhsm_cli-user-replicate`,
 * which does not speak of the password of a user that exists.
 */
export const wayBackInDoubt = (plan: Pick<RotationPlan, 'utility' | 'source' | 'destinations'>): string | null => {
  const { copy, overwriting } = UTILITY_WORDS[plan.utility]
  if (overwriting === 'documented' || !sameHsmType(plan)) return null
  return `without --current-password there may be none once ${plan.source.clusterId} is changed: AWS does not say whether ${copy} overwrites the password of a user that exists; --current-password keeps one`
}

/** What one write reaches, with the HSMs it consists of. */
export interface Unit {
  readonly unitId: UnitId
  readonly servers: readonly [RosterEntry, ...RosterEntry[]]
}

/** The units of a roster, in its order. */
export const unitsOf = (roster: Roster, utility: UtilityName): readonly Unit[] => {
  const units = new Map<UnitId, [RosterEntry, ...RosterEntry[]]>()
  for (const server of roster) {
    const unitId = unitOf(server, utility)
    const servers = units.get(unitId)
    if (servers === undefined) units.set(unitId, [server])
    else servers.push(server)
  }
  return [...units].map(([unitId, servers]) => ({ unitId, servers }))
}

/** The unit an HSM belongs to. */
export const unitOf = ({ hsmId, clusterId }: RosterEntry, utility: UtilityName): UnitId =>
  UTILITY_WORDS[utility].unit === 'hsm' ? hsmId : clusterId

/** The HSMs of a unit, in the order of the roster. */
export const serversOf = (roster: Roster, unitId: UnitId): Roster =>
  roster.filter(({ hsmId, clusterId }) => hsmId === unitId || clusterId === unitId)

/** A unit as messages name it: `hsm-abc (eu-west-1, cluster-xyz)`, `cluster-xyz (eu-west-1)`. */
export const nameUnit = (roster: Roster, unitId: UnitId): string => {
  const [server] = serversOf(roster, unitId)
  if (server === undefined) return unitId
  return server.clusterId === unitId
    ? `${unitId} (${server.region})`
    : `${unitId} (${server.region}, ${server.clusterId})`
}
