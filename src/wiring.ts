import { type RegionCatalogue, regionCatalogue } from './adapters/cloudhsm-api/regions.js'
import type { RegionName } from './domain/ids.js'
import type { ClusterSource, DiscoveryTarget } from './domain/ports.js'

/**
 * What stands behind each port. Adapters are loaded when first asked for, so a command that asks nothing of AWS does
 * not pay for loading its SDK.
 */
export interface Wiring {
  /** @throws {OperatorError} exit 2: `LOCKSTEP_REGIONS` is malformed */
  regions(): RegionCatalogue
  clusterSource(): Promise<ClusterSource>
  /**
   * @param asRegion checks a Region of the file; throws where it is wrong
   * @throws {OperatorError} exit 2: `TARGETS_UNREADABLE`, `BAD_TARGETS`
   */
  readTargets(file: string, asRegion: (text: string) => RegionName): Promise<readonly DiscoveryTarget[]>
}

/** The real thing. Tests replace `BaseCommand.wiring`. */
export const wiring: Wiring = {
  regions: () => regionCatalogue(),
  clusterSource: async () => {
    const [{ AwsCloudHsmApi }, { BackupRecordFile }, { discoverClusters }, { stateDirectory }] = await Promise.all([
      import('./adapters/cloudhsm-api/aws-cloudhsm-api.js'),
      import('./adapters/backup-record-file.js'),
      import('./use-cases/discover-clusters.js'),
      import('./adapters/state-directory.js'),
    ])
    const api = new AwsCloudHsmApi({ regions: regionCatalogue().all })
    const cache = new BackupRecordFile(stateDirectory())
    return { discover: (scope) => discoverClusters({ api, cache }, scope) }
  },
  readTargets: async (file, asRegion) => {
    const { readTargets } = await import('./adapters/targets-file.js')
    return readTargets(file, asRegion)
  },
}
