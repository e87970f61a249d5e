import { deriveHexId } from '../fleet/identifiers.js'
import { CLUSTER_ID, passes, readFilters } from './filters.js'
import { pageOf } from './paging.js'
import type { AwsWorld, ReportedCluster } from './world.js'

/** Who asks, where, and with which input. */
export interface AwsCall {
  readonly account: string
  readonly region: string
  readonly input: Readonly<Record<string, unknown>>
}

const KNOWN_FILTERS = { clusterIds: CLUSTER_ID, vpcIds: /^vpc-[0-9a-fA-F]+$/, states: /^[A-Z_]+$/ }
const MOST_PER_PAGE = 25

/** `DescribeClusters`: the caller's own clusters in the Region. */
export const describeClusters = (world: AwsWorld, { account, region, input }: AwsCall): object => {
  const filters = readFilters(input['Filters'], KNOWN_FILTERS)
  const found = world
    .clusters()
    .filter(({ cluster }) => cluster.account === account && cluster.region === region)
    .filter(
      (reported) =>
        passes(filters, 'clusterIds', reported.cluster.clusterId) &&
        passes(filters, 'vpcIds', vpcOf(account, region)) &&
        passes(filters, 'states', reported.state),
    )
  const page = pageOf(found, ['clusters', account, region, [...filters]], input, MOST_PER_PAGE)
  return { Clusters: page.items.map(clusterRecord), ...(page.nextToken && { NextToken: page.nextToken }) }
}

const vpcOf = (account: string, region: string): string => deriveHexId('vpc', account, region)
const zoneOf = (region: string, index: number): string => `${region}${'abc'[index % 3]}`

const clusterRecord = ({ cluster, state, hsms }: ReportedCluster): object => {
  const { account, clusterId, region } = cluster
  const subnet = (zone: string): string => deriveHexId('subnet', account, zone)
  const zones = [0, 1, 2].map((index) => zoneOf(region, index))
  return {
    BackupPolicy: 'DEFAULT',
    BackupRetentionPolicy: { Type: 'DAYS', Value: '90' },
    ClusterId: clusterId,
    CreateTimestamp: cluster.createdAt,
    HsmType: cluster.hsmType,
    ...(cluster.mode !== null && { Mode: cluster.mode, NetworkType: 'IPV4' }),
    Hsms: hsms.map(({ eniIp, hsmId, index, state }) => ({
      AvailabilityZone: zoneOf(region, index),
      ClusterId: clusterId,
      SubnetId: subnet(zoneOf(region, index)),
      EniId: deriveHexId('eni', clusterId, eniIp),
      EniIp: eniIp,
      HsmId: hsmId,
      State: state,
    })),
    SecurityGroup: deriveHexId('sg', clusterId),
    ...(cluster.sourceBackupId !== null && { SourceBackupId: cluster.sourceBackupId }),
    State: state,
    SubnetMapping: Object.fromEntries(zones.map((zone) => [zone, subnet(zone)])),
    VpcId: vpcOf(account, region),
    Certificates: cluster.certificate === null ? {} : { ClusterCertificate: cluster.certificate },
    TagList: Object.entries(cluster.tags).map(([Key, Value]) => ({ Key, Value })),
  }
}
