import type { ClusterRef } from '../domain/cluster.js'
import type { DiscoveryScope } from '../domain/ports.js'

/**
 * `scope`, widened so that every cluster of `refs` is looked for where its reference says: a profile or Region named
 * in a reference is asked although no flag names it.
 */
export const scopeForClusters = (scope: DiscoveryScope, refs: readonly ClusterRef[]): DiscoveryScope => {
  const regions =
    scope.regions.length === 0 ? [] : unique([...scope.regions, ...refs.flatMap(({ region }) => region ?? [])])
  const profiles = unique([...scope.profiles, ...refs.flatMap(({ profile }) => profile ?? [])])
  const implicitDefault = scope.profiles.length === 0 && scope.targets.length === 0 && profiles.length > 0
  const needsDefault = implicitDefault && refs.some(({ profile }) => profile === undefined)
  // an empty list of profiles means the default chain; once one is named, the chain has to be named as well
  const chain = { profile: null, regions: [], ...(scope.roleArn && { roleArn: scope.roleArn }) }
  return { ...scope, regions, profiles, targets: needsDefault ? [...scope.targets, chain] : scope.targets }
}

const unique = <T>(values: readonly T[]): T[] => [...new Set(values)]
