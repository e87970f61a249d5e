import type { CloneVerdict, Discovery } from '../domain/clone-family.js'
import { judgeClones } from '../domain/clone-verdict.js'
import type { ClusterRef } from '../domain/cluster.js'
import { usageError } from '../domain/errors.js'
import type { ClusterId } from '../domain/ids.js'
import { findCluster } from './find-cluster.js'

/** A verdict, and over which clusters. */
export interface VerifiedClones extends CloneVerdict {
  readonly clusterIds: readonly ClusterId[]
}

/**
 * Says whether all clusters named are clones of one another.
 * @throws {OperatorError} `CLUSTER_NOT_FOUND`, `AMBIGUOUS_CLUSTER`; exit 2: see `checkVerifyRefs`
 */
export const verifyClones = (discovery: Discovery, refs: readonly ClusterRef[]): VerifiedClones => {
  checkVerifyRefs(refs)
  const clusters = refs.map((ref) => findCluster(discovery, ref))
  return { ...judgeClones(discovery, clusters), clusterIds: clusters.map(({ clusterId }) => clusterId) }
}

/** @throws {OperatorError} exit 2: `TOO_FEW_CLUSTERS`, `DUPLICATE_CLUSTER` */
export const checkVerifyRefs = (refs: readonly ClusterRef[]): void => {
  if (refs.length < 2) {
    throw usageError('TOO_FEW_CLUSTERS', `two clusters or more are compared, and ${refs.length} was named`, [
      'lockstep clusters verify CLUSTER CLUSTER',
    ])
  }
  const twice = refs.find((ref, index) => refs.slice(0, index).some(({ clusterId }) => clusterId === ref.clusterId))
  if (twice !== undefined) throw usageError('DUPLICATE_CLUSTER', `${twice.clusterId} is named twice`)
}
