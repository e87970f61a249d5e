import { editedProofs } from '../domain/cli-config-difference.js'
import { refOf, showCluster } from '../domain/cluster.js'
import { type ConfigDifference, clusterDifferences, handEdits } from '../domain/config-difference.js'
import type { ConfigFiles } from '../domain/config-files.js'
import { refusal } from '../domain/errors.js'
import type { Sha256 } from '../domain/ids.js'
import type { ClusterSource, DiscoveryScope } from '../domain/ports.js'
import type { UtilityName } from '../domain/utility/utility.js'
import { gapsIn, lookForCluster } from './find-cluster.js'
import { scopeForClusters } from './scope-for-clusters.js'

/** How a configuration compares with what was generated and with what AWS reports now. */
export interface CheckedConfig {
  readonly path: string
  /** Whose format it has. */
  readonly utility: UtilityName
  readonly ok: boolean
  readonly sha256: Sha256
  /** UTC, ISO 8601. */
  readonly generatedAt: string
  readonly differences: readonly ConfigDifference[]
}

/**
 * Compares a configuration and those of single HSMs beside it with their map, and the map with AWS.
 * @param scope where its clusters are looked for, beside the Regions and profiles the map names
 * @throws {OperatorError} those of `ConfigFiles.read`; `CLUSTER_UNSEEN` (exit 3) when the Region of a cluster did not
 *   answer, so that nothing can be said about it
 */
export const checkConfig = async (
  { path, scope }: { readonly path: string; readonly scope: DiscoveryScope },
  { source, files }: { readonly source: ClusterSource; readonly files: ConfigFiles },
): Promise<CheckedConfig> => {
  const stored = await files.read(path)
  const { utility, sha256, map } = stored
  const differences: ConfigDifference[] = []
  if (sha256 !== map.sha256) {
    const message = `${path} is not the file that was generated at ${map.generatedAt}: it was edited by hand, or generating it was interrupted`
    differences.push({ hsmId: null, field: 'sha256', expected: map.sha256, actual: sha256, message })
  }
  // Also where the hash matches: the map may have been edited as well.
  differences.push(...handEdits(stored, map), ...editedProofs(stored))
  const regions = [...new Set(map.clusters.map(({ region }) => region))]
  // The map says where to look; asking every Region would take longer and say no more.
  const asked = scopeForClusters({ ...scope, regions }, map.clusters.map(refOf))
  const discovery = await source.discover(asked)
  for (const mapped of map.clusters) {
    const cluster = lookForCluster(discovery, { clusterId: mapped.clusterId, region: mapped.region }) ?? null
    const gaps = cluster === null ? gapsIn(discovery) : []
    if (gaps.length > 0) {
      throw refusal('CLUSTER_UNSEEN', `cluster ${showCluster(mapped)} was not seen: ${gaps.join('; ')}`, [
        'repeat the check when AWS answers',
      ])
    }
    differences.push(...clusterDifferences(mapped, map.servers, cluster))
  }
  return { path, utility, ok: differences.length === 0, sha256, generatedAt: map.generatedAt, differences }
}
