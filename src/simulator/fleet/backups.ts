import type { FleetBackup, FleetCluster } from './fleet.js'
import { deriveId } from './identifiers.js'

/** ID of the backup of a cluster from which its clones are made. All clones of a cluster come from one backup. */
export const backupIdOf = (clusterId: string): string => deriveId('backup', clusterId)

/** ID of that backup, or of its copy, in `region`: what a clone there was made from. */
export const backupIdIn = (region: string, source: { readonly clusterId: string; readonly region: string }): string =>
  region === source.region ? backupIdOf(source.clusterId) : deriveId('backup', source.clusterId, region)

const DAY = 86_400

/**
 * The backup records the API shows: one of each cluster with HSMs, in its own Region; one copy per Region that holds a
 * clone. A backup is shared with the accounts whose clones were made from it.
 * @param parents clone to the cluster it was made from
 * @param gone clusters whose source backup has been purged since
 */
export const backupsOf = (
  clusters: readonly FleetCluster[],
  parents: ReadonlyMap<string, FleetCluster>,
  gone: ReadonlySet<string>,
): FleetBackup[] =>
  clusters.flatMap((cluster) => {
    const clones = clusters.filter(({ clusterId }) => parents.get(clusterId) === cluster)
    if (cluster.hsms.length === 0 && clones.length === 0) return []
    const regions = [cluster.region, ...new Set(clones.map(({ region }) => region).filter((r) => r !== cluster.region))]
    return regions.flatMap((region): FleetBackup[] => {
      const made = clones.filter((clone) => clone.region === region)
      if (made.some(({ clusterId }) => gone.has(clusterId))) return []
      const createdAt = cluster.createdAt + DAY
      return [
        {
          backupId: backupIdIn(region, cluster),
          region,
          account: cluster.account,
          sharedWith: [...new Set(made.map(({ account }) => account))].filter((other) => other !== cluster.account),
          clusterId: cluster.clusterId,
          hsmType: cluster.hsmType,
          mode: cluster.mode,
          createdAt,
          copy:
            region === cluster.region
              ? null
              : { region: cluster.region, backupId: backupIdOf(cluster.clusterId), copiedAt: createdAt + 3600 },
        },
      ]
    })
  })
