import type { Discovery } from '../../src/domain/clone-family.js'
import type { Cluster, Hsm } from '../../src/domain/cluster.js'
import { groupDiscovery } from '../../src/domain/group-discovery.js'
import type { ClusterId, EniIp, HsmId, RegionName, Sha256 } from '../../src/domain/ids.js'
import type { ClusterSource, DiscoveryScope } from '../../src/domain/ports.js'

/** An HSM that can be used. @param at tells it from the others of its cluster */
export const hsmOf = (letter: string, at: number, change: Partial<Hsm> = {}): Hsm => ({
  hsmId: `hsm-${letter.repeat(10)}${at}` as HsmId,
  eniIp: `10.${letter.charCodeAt(0) - 96}.0.${at}` as EniIp,
  eniIpV6: null,
  availabilityZone: `zone-${at}`,
  state: 'ACTIVE',
  ...change,
})

/** A cluster named after a letter, of the one clone family these helpers know. */
export const clusterOf = (
  letter: string,
  region: string,
  hsms: readonly Hsm[],
  change: Partial<Cluster> = {},
): Cluster => ({
  clusterId: `cluster-${letter.repeat(11)}` as ClusterId,
  region: region as RegionName,
  profile: null,
  state: 'ACTIVE',
  hsmType: 'hsm1.medium',
  mode: 'FIPS',
  sourceBackupId: null,
  certificateFingerprint: 'f'.repeat(64) as Sha256,
  hsms,
  ...change,
})

/** Two clones: three HSMs in us-east-1 (a), two in eu-west-1 (b). */
export const twoClones = (): { a: Cluster; b: Cluster } => ({
  a: clusterOf(
    'a',
    'us-east-1',
    [2, 3, 4].map((at) => hsmOf('a', at)),
  ),
  b: clusterOf(
    'b',
    'eu-west-1',
    [2, 3].map((at) => hsmOf('b', at)),
  ),
})

/** What AWS knows, if these are all clusters there are. */
export const discoveryOf = (clusters: readonly Cluster[], problems: Discovery['problems'] = []): Discovery =>
  groupDiscovery({
    clusters,
    backups: [],
    problems,
    asked: clusters.map(({ region, profile }) => ({ region, profile })),
  })

/** AWS with these clusters, at each question anew; remembers where it was asked. */
export class MemoryClusterSource implements ClusterSource {
  readonly scopes: DiscoveryScope[] = []

  constructor(
    public clusters: readonly Cluster[],
    public problems: Discovery['problems'] = [],
  ) {}

  async discover(scope: DiscoveryScope): Promise<Discovery> {
    this.scopes.push(scope)
    return discoveryOf(this.clusters, this.problems)
  }
}
