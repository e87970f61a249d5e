import { type Discovery, type DiscoveryProblem, gapInWords, isGap, permissionAdvice } from '../domain/clone-family.js'
import { type Cluster, type ClusterRef, matchesRef, refOf, showCluster, showClusterRef } from '../domain/cluster.js'
import { type OperatorError, refusal } from '../domain/errors.js'
import type { RegionName } from '../domain/ids.js'
import { nearest } from '../domain/nearest.js'

/**
 * The one cluster `ref` names.
 * @throws {OperatorError} `CLUSTER_NOT_FOUND`, naming the Regions that were asked for it and those that failed;
 *   `AMBIGUOUS_CLUSTER`
 */
export const findCluster = (discovery: Discovery, ref: ClusterRef): Cluster => {
  const found = lookForCluster(discovery, ref)
  if (found === undefined) throw notFound(discovery, ref)
  return found
}

/**
 * The one cluster `ref` names, or undefined.
 * @throws {OperatorError} `AMBIGUOUS_CLUSTER`
 */
export const lookForCluster = (discovery: Discovery, ref: ClusterRef): Cluster | undefined => {
  const [found, ...others] = discovery.clusters.filter((cluster) => matchesRef(cluster, ref))
  if (found !== undefined && others.length > 0) {
    const all = [found, ...others].map(showCluster)
    throw refusal('AMBIGUOUS_CLUSTER', `${showClusterRef(ref)} is the ID of several clusters: ${all.join(', ')}`, [
      `name the Region as well, e.g. ${all[0]}`,
    ])
  }
  return found
}

/** What kept Regions from saying which clusters they have. */
export const unansweredIn = (discovery: Discovery): readonly DiscoveryProblem[] =>
  discovery.problems.filter((problem) => isGap(problem) && problem.operation === 'DescribeClusters')

/** The Regions whose clusters are not known, one phrase each. @param only the one Region that matters */
export const gapsIn = (discovery: Discovery, only?: RegionName): string[] => problemsIn(discovery, only).map(gapInWords)

const problemsIn = (discovery: Discovery, only?: RegionName): readonly DiscoveryProblem[] =>
  unansweredIn(discovery).filter(({ region }) => only === undefined || region === only)

const notFound = (discovery: Discovery, ref: ClusterRef): OperatorError => {
  const sameId = discovery.clusters.filter(({ clusterId }) => clusterId === ref.clusterId)
  const ids = discovery.clusters.map(({ clusterId }) => clusterId)
  const near = discovery.clusters.filter(({ clusterId }) => nearest(ref.clusterId, ids).includes(clusterId))
  // What the reference does not name has nothing to do with it, though it was asked as well.
  const regions = [...new Set(discovery.asked.map(({ region }) => region))].sort()
  const asked = ref.region === undefined ? regions : regions.filter((region) => region === ref.region)
  const gaps = gapsIn(discovery, ref.region)
  const failed =
    gaps.length === 0 ? '' : `; it may be where AWS did not say which clusters there are: ${gaps.join('; ')}`
  const isLookedUp = gaps.length === 0 || discovery.clusters.some(({ region }) => region === ref.region)
  return refusal(
    'CLUSTER_NOT_FOUND',
    ref.region === undefined || isLookedUp
      ? `cluster ${showClusterRef(ref)} was not found in ${(asked.length > 0 ? asked : regions).join(', ')}${failed}`
      : `nobody knows whether cluster ${showClusterRef(ref)} is there: ${gaps.join('; ')}`,
    [
      ...permissionAdvice(problemsIn(discovery, ref.region)),
      ...(sameId.length > 0 ? sameId : near)
        .slice(0, 3)
        .map((cluster) => `did you mean ${showClusterRef(refOf(cluster))}?`),
      'lockstep clusters list',
    ],
  )
}
