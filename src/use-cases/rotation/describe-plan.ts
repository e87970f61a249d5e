import { showCluster } from '../../domain/cluster.js'
import type { RotationPlan } from '../../domain/rotation/plan.js'

/** The clusters and users of a plan as flags, for a command that can be pasted. */
export const describePlaces = ({ source, destinations, users }: RotationPlan): string =>
  [
    `--source ${showCluster(source)}`,
    ...destinations.map((cluster) => `--destination ${showCluster(cluster)}`),
    ...users.map(({ key }) => `--user ${key}`),
  ].join(' ')
