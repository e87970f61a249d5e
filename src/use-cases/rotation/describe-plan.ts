import { refOf, showClusterRef } from '../../domain/cluster.js'
import type { LostCluster } from '../../domain/rotation/journal-entry.js'
import type { RotationPlan } from '../../domain/rotation/plan.js'

/**
 * The clusters and users of a plan as flags, for a command that can be pasted.
 * @param lost clusters that are owed the credential, to be taken along
 */
export const describePlaces = (
  { source, destinations, users }: RotationPlan,
  lost: readonly Pick<LostCluster, 'clusterId' | 'region' | 'profile'>[] = [],
): string =>
  [
    `--source ${showClusterRef(refOf(source))}`,
    ...[...destinations, ...lost].map((cluster) => `--destination ${showClusterRef(refOf(cluster))}`),
    ...users.map(({ key }) => `--user ${key}`),
  ].join(' ')
