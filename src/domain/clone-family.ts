import type { Cluster } from './cluster.js'
import type { ClusterId } from './ids.js'

/**
 * How sure a link between two clusters is: 4 proven, 3 recorded (parent not seen), 2 inferred, 1 hint, 0 unknown.
 */
export type Certainty = 0 | 1 | 2 | 3 | 4

/** Why two clusters are held to be clones. */
export interface CloneEvidence {
  readonly clusterIds: readonly [ClusterId, ClusterId]
  readonly certainty: Certainty
  readonly kind: 'equal-cluster-certificate' | 'same-source-backup' | 'backup-lineage'
  /** One line for people, naming the certificate fingerprint or the backups. */
  readonly detail: string
}

/** Clusters with a common backup history. A cluster without relatives forms a family of one. */
export interface CloneFamily {
  /** Stable name derived from the members. */
  readonly family: string
  readonly clusterIds: readonly ClusterId[]
  readonly evidence: readonly CloneEvidence[]
}

/** A Region or profile that did not answer: named, never silently missing. */
export interface DiscoveryProblem {
  readonly region: string
  readonly profile: string | null
  readonly error: string
  /** `not-enabled`: other Regions answered the same credentials, this one does not know them. */
  readonly kind: 'not-enabled' | 'denied' | 'no-credentials' | 'unreachable' | 'failed'
}

/** What AWS knows now, grouped. */
export interface Discovery {
  readonly clusters: readonly Cluster[]
  readonly families: readonly CloneFamily[]
  readonly problems: readonly DiscoveryProblem[]
}

/** Answer to "are these clones of each other?". */
export interface CloneVerdict {
  readonly verdict: 'clone' | 'probably-clone' | 'not-a-clone' | 'unknown'
  readonly certainty: Certainty
  readonly evidence: readonly CloneEvidence[]
  /** What would settle it, where it is not settled. */
  readonly missing: string | null
}
