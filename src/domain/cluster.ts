import {
  type ClusterId,
  type EniIp,
  type HsmId,
  isClusterId,
  isRegionName,
  type RegionName,
  type Sha256,
} from './ids.js'

/** One HSM of a cluster as `DescribeClusters` reports it. */
export interface Hsm {
  readonly hsmId: HsmId
  /** Absent until the service has attached the interface. */
  readonly eniIp: EniIp | null
  readonly eniIpV6: string | null
  readonly availabilityZone: string | null
  /** `ACTIVE` is the only state in which an HSM is used; unknown words pass through. */
  readonly state: string
}

/** One cluster as `DescribeClusters` reports it, with where and through whom it was seen. */
export interface Cluster {
  readonly clusterId: ClusterId
  readonly region: RegionName
  /** Profile whose credentials listed it; null for the default provider chain. */
  readonly profile: string | null
  /** Other profiles that listed the same cluster, where several were asked. */
  readonly otherProfiles?: readonly (string | null)[]
  /** Role assumed to see it, where one was. */
  readonly roleArn?: string
  readonly state: string
  /** `hsm1.medium` (management utility) or `hsm2m.medium` (CloudHSM CLI); open set. */
  readonly hsmType: string
  /** `FIPS` or `NON_FIPS`; null on records from before June 2024. */
  readonly mode: string | null
  /** Bare backup ID; null for a cluster created fresh. */
  readonly sourceBackupId: string | null
  /** SHA-256 of the parsed cluster certificate (DER), null when absent or unreadable. */
  readonly certificateFingerprint: Sha256 | null
  /** Ordered by HSM ID. */
  readonly hsms: readonly Hsm[]
}

/** How an operator names a cluster: `cluster-id`, `region/cluster-id` or `profile:region/cluster-id`. */
export interface ClusterRef {
  readonly clusterId: ClusterId
  readonly region?: RegionName
  readonly profile?: string
}

/** The reference as it is typed. */
export const showClusterRef = (ref: ClusterRef): string =>
  `${ref.profile === undefined ? '' : `${ref.profile}:`}${ref.region === undefined ? '' : `${ref.region}/`}${ref.clusterId}`

/** A cluster that is known, as an operator names it: by the profile that lists it, where that is not the default. */
export const refOf = ({
  clusterId,
  region,
  profile,
}: {
  readonly clusterId: ClusterId
  readonly region: RegionName | null
  readonly profile: string | null
}): ClusterRef => ({
  clusterId,
  ...(region === null ? {} : { region }),
  ...(profile === null ? {} : { profile }),
})

/** A cluster that is known, by where it is found again. */
export type KnownCluster = Parameters<typeof refOf>[0]

/** Clusters as flags, the source first, for a command that can be pasted. */
export const clusterFlags = (clusters: readonly KnownCluster[]): string =>
  clusters
    .map((cluster, index) => `${index === 0 ? '--source' : '--destination'} ${showClusterRef(refOf(cluster))}`)
    .join(' ')

/** Members of their family that are left out, in the same way. */
export const leaveOutFlags = (clusters: readonly KnownCluster[]): string =>
  clusters.map((cluster) => `--leave-out ${showClusterRef(refOf(cluster))}`).join(' ')

const CLUSTER_REF = /^(?:(?:([^:/]+):)?([^:/]+)\/)?([^:/]+)$/

/** Reads `cluster-id`, `region/cluster-id` or `profile:region/cluster-id`; null when `text` is none of them. */
export const readClusterRef = (text: string): ClusterRef | null => {
  const [, profile, region, clusterId] = CLUSTER_REF.exec(text) ?? []
  if (clusterId === undefined || !isClusterId(clusterId)) return null
  if (region === undefined) return { clusterId }
  if (!isRegionName(region)) return null
  return profile === undefined ? { clusterId, region } : { clusterId, region, profile }
}

/** Whether `cluster` is the one `ref` names. */
export const matchesRef = (cluster: Cluster, ref: ClusterRef): boolean =>
  cluster.clusterId === ref.clusterId &&
  (ref.region === undefined || cluster.region === ref.region) &&
  (ref.profile === undefined || cluster.profile === ref.profile || (cluster.otherProfiles ?? []).includes(ref.profile))

/** `region/cluster-id`: how a cluster is written for people. */
export const showCluster = (cluster: Pick<Cluster, 'clusterId' | 'region'>): string =>
  `${cluster.region}/${cluster.clusterId}`

/** Whether it is deleted, or is about to be: it has no HSM by then, and does not come back. */
export const isDeleted = ({ state }: Pick<Cluster, 'state'>): boolean =>
  state === 'DELETED' || state === 'DELETE_IN_PROGRESS'

/** The HSMs that can be used now: ACTIVE and with an address. */
export const activeHsms = (cluster: Cluster): readonly (Hsm & { readonly eniIp: EniIp })[] =>
  cluster.hsms.filter((hsm): hsm is Hsm & { readonly eniIp: EniIp } => hsm.state === 'ACTIVE' && hsm.eniIp !== null)
