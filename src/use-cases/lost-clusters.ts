import { activeHsms, type Cluster, isDeleted, showCluster, showClusterRef } from '../domain/cluster.js'
import { usageError } from '../domain/errors.js'
import type { ClusterId } from '../domain/ids.js'
import type { LostCluster } from '../domain/rotation/journal-entry.js'
import type { ClusterChoice } from './choose-clusters.js'

/** Why clusters are left out, as the operator says it. */
export interface LeavingOut {
  /** `--reason`; null where none is given. */
  readonly reason: string | null
  /** `--allow-unreachable` is given as well, so that the reason may be meant for HSMs alone. */
  readonly isForHsms: boolean
  /** Clusters that a plan lists as lost already, with its reasons. */
  readonly planned: readonly LostCluster[]
  /** Clusters that a rotation is about already: left out, they are owed what the others get, however well they are. */
  readonly owed?: readonly ClusterId[]
  /** A plan file says which clusters are left out, so that no flag can. */
  readonly isPlanned?: boolean
}

/** Clusters that are left out: for good, or until they are back. */
export interface LeftOut {
  readonly leftOut: readonly Cluster[]
  readonly lost: readonly LostCluster[]
}

/**
 * Tells clusters that are left out by choice from those that are lost: out of sight, not ACTIVE, or without an ACTIVE HSM.
 * A healthy one counts as lost where the operator gives a reason that nothing else needs. What is lost is owed to it, and
 * has a reason that somebody can judge later.
 * @throws {OperatorError} `REASON_MISSING` (exit 2)
 */
export const splitLeftOut = (
  { leftOut, leftOutUnseen }: Pick<ClusterChoice, 'leftOut' | 'leftOutUnseen'>,
  { reason, isForHsms, planned, owed = [], isPlanned = false }: LeavingOut,
): LeftOut => {
  const plannedReason = (clusterId: Cluster['clusterId']) =>
    planned.find((lost) => lost.clusterId === clusterId)?.reason ?? null
  const isOwed = (cluster: Cluster) => owed.includes(cluster.clusterId) && !isDeleted(cluster)
  const troubled = leftOut.filter(
    (cluster) => plannedReason(cluster.clusterId) !== null || troubleOf(cluster) !== null || isOwed(cluster),
  )
  const isMeantForHealthy = reason !== null && !isForHsms && troubled.length === 0 && leftOutUnseen.length === 0
  const lost: LostCluster[] = []
  for (const cluster of isMeantForHealthy ? leftOut : troubled) {
    const { clusterId, region, profile } = cluster
    const why = plannedReason(clusterId) ?? reason
    if (why === null) {
      throw reasonMissing(showCluster(cluster), troubleOf(cluster) ?? 'takes part in this rotation', isPlanned)
    }
    lost.push({ clusterId, region, profile, reason: why })
  }
  for (const ref of leftOutUnseen) {
    const why = plannedReason(ref.clusterId) ?? reason
    if (why === null) {
      throw reasonMissing(showClusterRef(ref), 'is not seen: no Region that answered lists it', isPlanned)
    }
    lost.push({ clusterId: ref.clusterId, region: ref.region ?? null, profile: ref.profile ?? null, reason: why })
  }
  return { leftOut: leftOut.filter(({ clusterId }) => lost.every((one) => one.clusterId !== clusterId)), lost }
}

/** Why nothing can be done with a cluster now, in words that follow its name; null where something can. */
const troubleOf = (cluster: Cluster): string | null => {
  if (isDeleted(cluster)) return null
  if (cluster.state !== 'ACTIVE') return `is ${cluster.state}, not ACTIVE`
  return activeHsms(cluster).length === 0 ? 'has no ACTIVE HSM' : null
}

const reasonMissing = (cluster: string, trouble: string, isPlanned: boolean) =>
  usageError('REASON_MISSING', `${cluster} ${trouble}: to leave it out is a debt, and needs a reason`, [
    `${isPlanned ? '' : `--leave-out ${cluster} `}--reason "why it cannot be taken along"   rotates the others now; resume takes it along once it is back`,
  ])
