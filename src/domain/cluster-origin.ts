import type { BackupLookup } from './backup-record.js'
import type { Cluster } from './cluster.js'

/** Where a cluster came from, as far as the backup records tell. */
export type ClusterOrigin =
  /** Created fresh: AWS reports no source backup. */
  | { readonly kind: 'root' }
  /** Created from a backup whose record is gone or not visible. */
  | { readonly kind: 'unresolved'; readonly backupId: string }
  | {
      readonly kind: 'backup'
      /** The backup the cluster was restored from. */
      readonly backupId: string
      /** `region/id` of the backup at the start of the chain of copies, as far as it is known. */
      readonly original: string
      /** Cluster that was backed up. */
      readonly parentId: string | null
      /** Whether a record that AWS no longer shows supplied a link. */
      readonly cached: boolean
    }

/** A copy of a copy of a copy is unheard of; this only bounds a malformed answer. */
const LONGEST_COPY_CHAIN = 8

/** Follows the source backup of `cluster` through its copies to the cluster that was backed up. */
export const originOf = (cluster: Cluster, lookup: BackupLookup): ClusterOrigin => {
  const { sourceBackupId: backupId, region } = cluster
  if (backupId === null) return { kind: 'root' }
  let record = lookup(region, backupId)
  if (record === undefined) return { kind: 'unresolved', backupId }
  let cached = record.seen === 'cached'
  for (
    let step = 0;
    step < LONGEST_COPY_CHAIN && record.sourceBackup !== null && record.sourceRegion !== null;
    step++
  ) {
    const next: typeof record | undefined = lookup(record.sourceRegion, record.sourceBackup)
    if (next === undefined) {
      const original = `${record.sourceRegion}/${record.sourceBackup}`
      return { kind: 'backup', backupId, original, parentId: record.sourceCluster ?? record.clusterId, cached }
    }
    record = next
    cached ||= record.seen === 'cached'
  }
  const original = `${record.region}/${record.backupId}`
  return { kind: 'backup', backupId, original, parentId: record.sourceCluster ?? record.clusterId, cached }
}
