import { refusal } from '../errors.js'
import type { HsmUserRef, UserKey } from '../hsm-user.js'
import type { ClusterId, RegionName, UnitId } from '../ids.js'
import type { Roster, RosterEntry } from '../roster.js'
import { capabilitiesOf } from '../utility/capabilities.js'
import type { UtilityName } from '../utility/utility.js'

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

/** A Region that did not say which clusters it has, when it was asked for the members of the family. */
export interface UnseenRegion {
  readonly region: string
  readonly profile: string | null
  readonly error: string
}

/** Everything decided before the first effect. */
export interface RotationPlan {
  readonly utility: UtilityName
  readonly source: PlannedCluster
  readonly destinations: readonly PlannedCluster[]
  /** Members of the family that are left on the old credential, by choice or because they were out of reach. */
  readonly leftOut: readonly PlannedCluster[]
  /** Regions that did not answer: members of the family there that nobody knows keep the old credential. Absent where all did. */
  readonly unseenRegions?: readonly UnseenRegion[]
  readonly family: string
  readonly users: readonly PlannedUser[]
  readonly roster: Roster
  readonly parts: Parts
}

/**
 * Gives each unit its part. The canary is a unit of a destination, else a sibling of the first; the restore point is the
 * last unit of the last destination, so that it stays out of the way longest. Where there are only two units the canary
 * is the restore point, and where there is one it has every part.
 * @throws {OperatorError} `TOO_FEW_HSMS` when the source has no HSM
 */
export const assignParts = (roster: Roster, utility: UtilityName): Parts => {
  const units = unitsOf(roster, utility)
  const [first, ...siblings] = units.filter(({ servers }) => servers[0].role === 'source')
  if (first === undefined) throw refusal('TOO_FEW_HSMS', 'a rotation needs one ACTIVE HSM in the source cluster')
  const destinations = units.filter(({ servers }) => servers[0].role === 'destination')
  const canary = destinations[0] ?? siblings[0] ?? first
  const rest = [...siblings, ...destinations].filter((unit) => unit !== canary)
  const destinationsLeft = rest.filter(({ servers }) => servers[0].role === 'destination')
  const restorePoint = destinationsLeft.at(-1) ?? rest.at(-1) ?? canary
  return {
    first: first.unitId,
    canary: canary.unitId,
    restorePoint: restorePoint.unitId,
    waves: wavesOf(rest.filter((unit) => unit !== restorePoint)),
  }
}

/**
 * The parts as they are left once HSMs are gone or stay behind: a unit of which nothing is left gives its part to another
 * one. The first one is then preferably one that holds the new credential already.
 * @param units what takes part now, in the order of the roster
 */
export const partsAmong = (planned: Parts, units: readonly Unit[], isNew: (unit: Unit) => boolean): Parts => {
  const has = (unitId: UnitId) => units.some((unit) => unit.unitId === unitId)
  const [any] = units
  if (any === undefined || [planned.first, planned.canary, planned.restorePoint].every(has)) return planned
  const isSource = ({ servers }: Unit) => servers[0].role === 'source'
  const first = has(planned.first)
    ? planned.first
    : (units.find(isNew) ?? units.find((unit) => isSource(unit) && unit.unitId !== planned.restorePoint) ?? any).unitId
  const rest = units.filter(({ unitId }) => unitId !== first)
  const others = rest.filter(({ unitId }) => unitId !== planned.restorePoint)
  const canary = [planned.canary, ...others.filter((unit) => !isSource(unit)).map(({ unitId }) => unitId)]
    .concat([...others, ...rest].map(({ unitId }) => unitId))
    .find((unitId) => has(unitId) && unitId !== first)
  const last = [planned.restorePoint, ...rest.map(({ unitId }) => unitId).reverse()].find(
    (unitId) => has(unitId) && unitId !== first && unitId !== canary,
  )
  const restorePoint = last ?? canary ?? first
  const taken = [first, canary ?? first, restorePoint]
  const waves = planned.waves.map(({ name, units: wave }) => ({
    name,
    units: wave.filter((unitId) => !taken.includes(unitId)),
  }))
  const inWaves = new Set(waves.flatMap((wave) => wave.units))
  const spare = rest.filter((unit) => !taken.includes(unit.unitId) && !inWaves.has(unit.unitId))
  return { first, canary: canary ?? first, restorePoint, waves: [...waves, ...wavesOf(spare)] }
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
export const sameHsmType = ({
  source,
  destinations,
}: {
  readonly source: Pick<PlannedCluster, 'hsmType'>
  readonly destinations: readonly Pick<PlannedCluster, 'hsmType'>[]
}): boolean => destinations.every(({ hsmType }) => hsmType === source.hsmType)

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
  capabilitiesOf(utility).writeReach === 'hsm' ? hsmId : clusterId

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
