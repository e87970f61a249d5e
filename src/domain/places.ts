import type { RegionName } from './ids.js'
import type { DiscoveryScope, DiscoveryTarget, Place } from './ports.js'

/**
 * Every Region of `scope` through every identity of it, each once. Targets replace the default provider chain, which
 * is asked beside them only where a profile or a role is given, or a target names neither.
 * @param allRegions what "every Region" means
 */
export const placesOf = (scope: DiscoveryScope, allRegions: readonly RegionName[]): Place[] => {
  const targets = [...flagTargets(scope), ...scope.targets]
  const places = targets.flatMap(({ profile, regions, roleArn, externalId }) => {
    const named = [regions, scope.regions].find((list) => list.length > 0)
    const identity = { profile, ...(roleArn && { roleArn }), ...(externalId && { externalId }) }
    return (named ?? allRegions).map((region): Place => ({ region, ...identity, named: named !== undefined }))
  })
  const byKey = new Map<string, Place>()
  for (const place of places) {
    const key = JSON.stringify([place.region, place.profile, place.roleArn ?? null, place.externalId ?? null])
    if (byKey.get(key)?.named !== true) byKey.set(key, place)
  }
  return [...byKey.values()]
}

const flagTargets = ({ profiles, roleArn, targets }: DiscoveryScope): DiscoveryTarget[] => {
  if (profiles.length === 0 && roleArn === undefined && targets.length > 0) return []
  const through = profiles.length === 0 ? [null] : profiles
  return through.map((profile) => ({ profile, regions: [], ...(roleArn && { roleArn }) }))
}
