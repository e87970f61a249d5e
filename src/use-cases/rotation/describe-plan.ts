import { clusterFlags, type KnownCluster } from '../../domain/cluster.js'
import type { UserKey } from '../../domain/hsm-user.js'

/** Clusters and users of a plan, or of what would be one. */
interface Places {
  readonly source: KnownCluster
  readonly destinations: readonly KnownCluster[]
  readonly users: readonly { readonly key: UserKey }[]
}

/**
 * The clusters and users of a plan as flags, for a command that can be pasted.
 * @param lost clusters that are owed the credential, to be taken along
 */
export const describePlaces = ({ source, destinations, users }: Places, lost: readonly KnownCluster[] = []): string =>
  [clusterFlags([source, ...destinations, ...lost]), ...users.map(({ key }) => `--user ${key}`)].join(' ')
