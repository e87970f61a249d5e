import { showCluster } from '../../domain/cluster.js'
import type { LostCluster } from '../../domain/rotation/journal-entry.js'
import type { RotationPlan } from '../../domain/rotation/plan.js'

/**
 * The clusters and users of a plan as flags, for a command that can be pasted.
 * @param lost clusters that are owed the credential, to be taken along
 */
export const describePlaces = (
  { source, destinations, users }: RotationPlan,
  lost: readonly Pick<LostCluster, 'clusterId' | 'region'>[] = [],
): string =>
  [
    `--source ${showCluster(source)}`,
    ...destinations.map((cluster) => `--destination ${showCluster(cluster)}`),
    ...lost.map(({ region, clusterId }) => `--destination ${region === null ? '' : `${region}/`}${clusterId}`),
    ...users.map(({ key }) => `--user ${key}`),
  ].join(' ')
