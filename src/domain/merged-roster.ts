import { activeHsms, type Cluster, type Hsm, showCluster } from './cluster.js'
import { refusal } from './errors.js'
import type { ClusterId, EniIp, HsmId, RegionName, ServerId } from './ids.js'
import type { Roster, RosterEntry } from './roster.js'

/** The clusters of a configuration. */
export interface MergedClusters {
  readonly source: Cluster
  /** In the order in which they stand in the configuration. */
  readonly destinations: readonly Cluster[]
}

/** An HSM that was left out of a configuration. */
export interface SkippedHsm {
  readonly hsmId: HsmId
  readonly eniIp: EniIp | null
  readonly clusterId: ClusterId
  readonly region: RegionName
  readonly state: string
  /** Ends a sentence that begins with the HSM. */
  readonly reason: string
}

/** The HSMs of several clusters in the order of a configuration, and those that cannot be listed. */
export interface MergedRoster {
  readonly roster: Roster
  readonly skipped: readonly SkippedHsm[]
}

/**
 * Lists the HSMs of clusters: the source first, destinations in the order given, one block per cluster. Inside a block
 * HSMs stand in the order of their IDs, which an HSM keeps for life: an HSM that is added or removed moves others, but
 * never reorders them. HSMs that are not ACTIVE are skipped.
 * @throws {OperatorError} exit 3: `DUPLICATE_ADDRESS` when two HSMs have one address, as in networks with equal ranges
 */
export const mergedRoster = ({ source, destinations }: MergedClusters): MergedRoster => {
  const roster: RosterEntry[] = []
  for (const cluster of [source, ...destinations]) {
    const { clusterId, region } = cluster
    const role = cluster === source ? 'source' : 'destination'
    for (const { hsmId, eniIp } of inOrder(activeHsms(cluster))) {
      roster.push({ serverId: roster.length as ServerId, hsmId, eniIp, clusterId, region, role })
    }
  }
  refuseEqualAddresses(roster)
  return { roster, skipped: [source, ...destinations].flatMap(skippedOf) }
}

const inOrder = <T extends Hsm>(hsms: readonly T[]): readonly T[] =>
  [...hsms].sort((a, b) => (a.hsmId < b.hsmId ? -1 : a.hsmId > b.hsmId ? 1 : 0))

const skippedOf = (cluster: Cluster): readonly SkippedHsm[] => {
  const used = new Set<Hsm>(activeHsms(cluster))
  return inOrder(cluster.hsms.filter((hsm) => !used.has(hsm))).map(({ hsmId, eniIp, state }) => ({
    hsmId,
    eniIp,
    clusterId: cluster.clusterId,
    region: cluster.region,
    state,
    reason: state === 'ACTIVE' ? 'is ACTIVE but has no address yet' : `is ${state}, not ACTIVE`,
  }))
}

const refuseEqualAddresses = (roster: Roster): void => {
  const seen = new Map<EniIp, RosterEntry>()
  for (const entry of roster) {
    const other = seen.get(entry.eniIp)
    if (other !== undefined) {
      throw refusal(
        'DUPLICATE_ADDRESS',
        `${other.hsmId} in ${showCluster(other)} and ${entry.hsmId} in ${showCluster(entry)} have the same address ${entry.eniIp}, so one of them cannot be reached from here`,
        ['make a configuration for each of the two clusters, from a host inside its own network'],
      )
    }
    seen.set(entry.eniIp, entry)
  }
}
