import type { FleetBackup } from '../fleet/fleet.js'
import type { AwsCall } from './describe-clusters.js'
import { BACKUP_ID, CLUSTER_ID, passes, readFilters } from './filters.js'
import { pageOf } from './paging.js'
import type { AwsWorld } from './world.js'

const KNOWN_FILTERS = {
  backupIds: BACKUP_ID,
  sourceBackupIds: BACKUP_ID,
  clusterIds: CLUSTER_ID,
  states: /^[A-Z_]+$/,
  neverExpires: /^(true|false)$/,
}
const MOST_PER_PAGE = 50

/** `DescribeBackups`: the caller's own backups in the Region or, with `Shared`, those others share with it. */
export const describeBackups = (world: AwsWorld, { account, region, input }: AwsCall): object => {
  const filters = readFilters(input['Filters'], KNOWN_FILTERS)
  const shared = input['Shared'] === true
  const newestFirst = input['SortAscending'] !== true
  const found = world
    .backups()
    .filter((backup) => backup.region === region)
    .filter((backup) => (shared ? backup.sharedWith.includes(account) : backup.account === account))
    .filter(
      (backup) =>
        passes(filters, 'backupIds', backup.backupId) &&
        passes(filters, 'sourceBackupIds', backup.copy?.backupId) &&
        passes(filters, 'clusterIds', backup.clusterId) &&
        passes(filters, 'states', 'READY') &&
        passes(filters, 'neverExpires', 'false'),
    )
    .sort((a, b) => (a.createdAt - b.createdAt) * (newestFirst ? -1 : 1))
  const query = ['backups', account, region, shared, newestFirst, [...filters]]
  const page = pageOf(found, query, input, MOST_PER_PAGE)
  return { Backups: page.items.map(backupRecord), ...(page.nextToken && { NextToken: page.nextToken }) }
}

const backupRecord = (backup: FleetBackup): object => ({
  BackupId: backup.backupId,
  BackupArn: `arn:aws:cloudhsm:${backup.region}:${backup.account}:backup/${backup.backupId}`,
  BackupState: 'READY',
  ClusterId: backup.clusterId,
  CreateTimestamp: backup.createdAt,
  ...(backup.copy && {
    CopyTimestamp: backup.copy.copiedAt,
    SourceRegion: backup.copy.region,
    SourceBackup: backup.copy.backupId,
    SourceCluster: backup.clusterId,
  }),
  NeverExpires: false,
  TagList: [],
  HsmType: backup.hsmType,
  ...(backup.mode !== null && { Mode: backup.mode }),
})
