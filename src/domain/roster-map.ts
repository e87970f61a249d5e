import type { Cluster } from './cluster.js'
import type { ClusterId, RegionName, Sha256 } from './ids.js'
import type { MergedClusters } from './merged-config.js'
import type { ClusterRole, Roster } from './roster.js'

/** One cluster of a configuration, with how to find it again. */
export interface MappedCluster {
  readonly clusterId: ClusterId
  readonly region: RegionName
  /** Profile whose credentials listed it; null for the default provider chain. */
  readonly profile: string | null
  readonly role: ClusterRole
}

/** What stands beside a configuration, in `<file>.map.json`: an address alone does not say which HSM was meant. */
export interface RosterMap {
  /** UTC, ISO 8601. */
  readonly generatedAt: string
  /** Of the bytes of the configuration. */
  readonly sha256: Sha256
  /** The source first. */
  readonly clusters: readonly MappedCluster[]
  readonly servers: Roster
}

/** The clusters as a map names them. */
export const mappedClusters = ({ source, destinations }: MergedClusters): readonly MappedCluster[] => {
  const mapped = ({ clusterId, region, profile }: Cluster, role: ClusterRole) => ({ clusterId, region, profile, role })
  return [mapped(source, 'source'), ...destinations.map((cluster) => mapped(cluster, 'destination'))]
}
