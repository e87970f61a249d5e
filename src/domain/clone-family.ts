import type { BackupRecord } from './backup-record.js'
import type { Cluster } from './cluster.js'
import type { ClusterId, RegionName } from './ids.js'

/**
 * How sure a link between two clusters is: 4 proven, 3 recorded (parent not seen), 2 inferred, 1 hint, 0 unknown.
 */
export type Certainty = 0 | 1 | 2 | 3 | 4

/** Lowest certainty at which two clusters are treated as clones. */
export const CLONE_CERTAINTY = 2 satisfies Certainty

/** Why two clusters are held to be clones, or, with one of the `different-…` kinds, why they cannot be. */
export interface CloneEvidence {
  readonly clusterIds: readonly [ClusterId, ClusterId]
  readonly certainty: Certainty
  readonly kind:
    | 'equal-cluster-certificate'
    | 'same-source-backup'
    | 'backup-lineage'
    | 'different-cluster-certificates'
    | 'different-modes'
  /** One line for people, naming the certificate fingerprint or the backups. */
  readonly detail: string
}

/** Clusters with a common backup history. A cluster without relatives forms a family of one. */
export interface CloneFamily {
  /**
   * `family-` and the start of the cluster certificate's fingerprint, so a member more or less does not change it;
   * where no certificate is readable, `family-` and the ID of the oldest known ancestor.
   */
  readonly family: string
  readonly clusterIds: readonly ClusterId[]
  readonly evidence: readonly CloneEvidence[]
}

/** The backup records call two clusters clones, and their certificates or modes say they are not. */
export interface CloneConflict {
  readonly clusterIds: readonly [ClusterId, ClusterId]
  readonly says: CloneEvidence
  readonly against: CloneEvidence
}

/** A Region or profile that did not answer: named, never silently missing. */
export interface DiscoveryProblem {
  readonly region: string
  readonly profile: string | null
  readonly error: string
  /** `not-enabled`: other Regions answered the same credentials, this one does not know them. */
  readonly kind: 'not-enabled' | 'denied' | 'no-credentials' | 'unreachable' | 'failed'
  /** What was asked. After a failed `DescribeBackups` the Region's clusters are complete, only their lineage is not. */
  readonly operation: 'DescribeClusters' | 'DescribeBackups'
  /** Whether the operator named this Region; otherwise it was asked because every Region was. */
  readonly named: boolean
  /** Role assumed before asking, where one was. */
  readonly roleArn?: string
}

/** What AWS knows now, grouped. Build one with `groupDiscovery`. */
export interface Discovery {
  /** Ordered by Region, then ID. */
  readonly clusters: readonly Cluster[]
  readonly families: readonly CloneFamily[]
  readonly conflicts: readonly CloneConflict[]
  readonly problems: readonly DiscoveryProblem[]
  /** Origins of the clusters that were made from a backup. */
  readonly backups: readonly BackupRecord[]
  /** Every Region that was asked, whether it answered or not, once for each profile. */
  readonly asked: readonly AskedPlace[]
}

/** A Region as it was asked by a profile; null: by the default credentials. */
export interface AskedPlace {
  readonly region: RegionName
  readonly profile: string | null
}

/** Answer to "are these clones of each other?". */
export interface CloneVerdict {
  readonly verdict: 'clone' | 'probably-clone' | 'not-a-clone' | 'unknown'
  readonly certainty: Certainty
  readonly evidence: readonly CloneEvidence[]
  /** What would settle it, where it is not settled. */
  readonly missing: string | null
}

/** Whether part of the answer is missing: a Region that is not enabled counts only where it was asked for by name. */
export const isGap = (problem: DiscoveryProblem): boolean => problem.kind !== 'not-enabled' || problem.named

/** The family a cluster belongs to; every listed cluster has one. */
export const familyOf = (discovery: Pick<Discovery, 'families'>, clusterId: ClusterId): CloneFamily | undefined =>
  discovery.families.find((family) => family.clusterIds.includes(clusterId))

/** Whether AWS says that these credentials may not list clusters there, which a permission mends and no waiting. */
export const isDenied = ({ kind, error }: Pick<DiscoveryProblem, 'kind' | 'error'>): boolean =>
  // What is wrong with a signature, no permission mends either.
  kind === 'denied' && !/Signature|AuthenticationToken/.test(error)

/** Why a Region did not list its clusters: `eu-west-1 (profile prod) denied cloudhsm:DescribeClusters: AccessDenied…`. */
export const gapInWords = (problem: DiscoveryProblem): string => {
  const { region, profile, error } = problem
  return `${region}${profile === null ? '' : ` (profile ${profile})`} ${isDenied(problem) ? 'denied cloudhsm:DescribeClusters' : SAID[problem.kind]}: ${error}`
}

const SAID: Readonly<Record<DiscoveryProblem['kind'], string>> = {
  denied: 'did not take the request',
  'not-enabled': 'does not know these credentials',
  'no-credentials': 'was asked without valid credentials',
  unreachable: 'did not answer',
  failed: 'answered with an error',
}

/** What mends Regions that deny the permission; empty where none does. */
export const permissionAdvice = (problems: readonly DiscoveryProblem[]): readonly string[] => {
  const regions = new Set(problems.filter(isDenied).map(({ region }) => region))
  return regions.size === 0
    ? []
    : [
        `allow cloudhsm:DescribeClusters in ${[...regions].join(', ')} to these credentials, then the same command again`,
      ]
}
