import type { Backup } from '@aws-sdk/client-cloudhsm-v2'
import type { BackupRecord } from '../../domain/backup-record.js'
import type { RegionName } from '../../domain/ids.js'
import { BadAnswer } from './bad-answer.js'

/**
 * The record as this program knows it.
 * @param raw the same record before the SDK dropped the ARN, the only field that names an account
 * @throws {BadAnswer} no backup ID
 */
export const toBackupRecord = (from: Backup, raw: Record<string, unknown>, region: RegionName): BackupRecord => {
  if (typeof from.BackupId !== 'string') throw new BadAnswer('a backup without a backup ID')
  const arn = raw['BackupArn']
  return {
    backupId: from.BackupId,
    region,
    account: typeof arn === 'string' ? (arn.split(':')[4] ?? null) : null,
    clusterId: from.ClusterId ?? null,
    sourceRegion: from.SourceRegion ?? null,
    sourceBackup: from.SourceBackup ?? null,
    sourceCluster: from.SourceCluster ?? null,
    seen: 'live',
  }
}
