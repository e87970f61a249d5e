import type { Cluster } from './cluster.js'
import type { ClusterId, HsmId, RegionName, Sha256 } from './ids.js'
import type { MergedClusters } from './merged-roster.js'
import type { ClusterRole, Roster } from './roster.js'
import type { UtilityName } from './utility/utility.js'

/** One cluster of a configuration, with how to find it again. */
export interface MappedCluster {
  readonly clusterId: ClusterId
  readonly region: RegionName
  /** Profile whose credentials listed it; null for the default provider chain. */
  readonly profile: string | null
  readonly role: ClusterRole
}

/** A configuration of cloudhsm-cli that lists one HSM alone, in `<file>.proof/<HSM ID>.cfg`. */
export interface MappedProof {
  readonly hsmId: HsmId
  /** Of its bytes. */
  readonly sha256: Sha256
}

/** What stands beside a configuration, in `<file>.map.json`: an address alone does not say which HSM was meant. */
export interface RosterMap {
  /** UTC, ISO 8601. */
  readonly generatedAt: string
  /** Whose format the configuration has. */
  readonly utility: UtilityName
  /** Of the bytes of the configuration. */
  readonly sha256: Sha256
  /** The source first. */
  readonly clusters: readonly MappedCluster[]
  readonly servers: Roster
  /** In the order of `servers`; none for cloudhsm_mgmt_util, whose configurations need none. */
  readonly proofConfigs: readonly MappedProof[]
}

/** The clusters as a map names them. */
export const mappedClusters = ({ source, destinations }: MergedClusters): readonly MappedCluster[] => {
  const mapped = ({ clusterId, region, profile }: Cluster, role: ClusterRole) => ({ clusterId, region, profile, role })
  return [mapped(source, 'source'), ...destinations.map((cluster) => mapped(cluster, 'destination'))]
}
