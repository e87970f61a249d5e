import type { RegionName } from './ids.js'

/** What `DescribeBackups` says about the origin of one backup. */
export interface BackupRecord {
  readonly backupId: string
  /** Region the record was read in. */
  readonly region: RegionName
  /** Owning account, out of the backup's ARN; null where AWS does not send one. */
  readonly account: string | null
  /** The cluster that was backed up. */
  readonly clusterId: string | null
  /** Set on a copy from another Region only, as are the next two. */
  readonly sourceRegion: string | null
  readonly sourceBackup: string | null
  readonly sourceCluster: string | null
  /** `cached`: AWS no longer shows it, an earlier run did. Backups expire, clusters made from them stay. */
  readonly seen: 'live' | 'cached'
}

/** Finds a record by the Region it lives in and its ID. */
export type BackupLookup = (region: string, backupId: string) => BackupRecord | undefined

/** Indexes `records`; where a backup is known twice the live record wins. */
export const backupLookup = (records: readonly BackupRecord[]): BackupLookup => {
  const byKey = new Map<string, BackupRecord>()
  for (const record of records) {
    const key = `${record.region}/${record.backupId}`
    if (byKey.get(key)?.seen !== 'live') byKey.set(key, record)
  }
  return (region, backupId) => byKey.get(`${region}/${backupId}`)
}
