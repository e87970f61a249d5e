import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { toBackupRecord } from '../../src/adapters/cloudhsm-api/to-backup-record.js'
import { toCluster } from '../../src/adapters/cloudhsm-api/to-cluster.js'
import { ApiFailure } from '../../src/domain/api-failure.js'
import type { BackupRecord } from '../../src/domain/backup-record.js'
import type { DiscoveryProblem } from '../../src/domain/clone-family.js'
import type { RegionName } from '../../src/domain/ids.js'
import type { BackupRecordCache, CloudHsmApi, Place, PlaceApi } from '../../src/domain/ports.js'

type RawCluster = Parameters<typeof toCluster>[0] & { Mode?: string }
type RawBackup = Parameters<typeof toBackupRecord>[0] & { BackupArn?: string }

/** What one Region answers. */
export interface RegionAnswers {
  Clusters: RawCluster[]
  Backups: RawBackup[]
}

const root = join(fileURLToPath(import.meta.url), '../../../../fixtures/aws')

/** The answers of a case of `fixtures/aws`, by Region; each call reads them anew. */
export const fixture = (name: string): Record<string, RegionAnswers> =>
  Object.fromEntries(
    readdirSync(join(root, name)).map((file) => [
      file.replace('.json', ''),
      JSON.parse(readFileSync(join(root, name, file), 'utf8')) as RegionAnswers,
    ]),
  )

/** An API that answers from `answers`, and fails where `failures` says so. */
export class FixtureApi implements CloudHsmApi {
  readonly regions: readonly RegionName[]
  readonly opened: Place[] = []
  readonly askedBackups: string[] = []

  constructor(
    private readonly answers: Record<string, RegionAnswers>,
    private readonly failures: Partial<Record<string, DiscoveryProblem['kind']>> = {},
    private readonly backupFailures: Partial<Record<string, DiscoveryProblem['kind']>> = {},
  ) {
    this.regions = [...new Set([...Object.keys(answers), ...Object.keys(failures)])] as RegionName[]
  }

  async open(place: Place): Promise<PlaceApi> {
    this.opened.push(place)
    const fail = (kind: DiscoveryProblem['kind'] | undefined): void => {
      if (kind !== undefined) throw new ApiFailure(kind, `made to fail: ${kind}`)
    }
    const { Clusters, Backups } = this.answers[place.region] ?? { Clusters: [], Backups: [] }
    return {
      describeClusters: async () => {
        fail(this.failures[place.region])
        return Clusters.map((cluster) => toCluster(cluster, { ...cluster }, place))
      },
      describeBackups: async (ids) => {
        fail(this.backupFailures[place.region])
        this.askedBackups.push(...ids.map((id) => `${place.region}/${id}`))
        return Backups.filter(({ BackupId }) => ids.includes(BackupId ?? '')).map((backup) =>
          toBackupRecord(backup, { ...backup }, place.region),
        )
      },
      close: () => undefined,
    }
  }
}

/** A cache in memory. */
export class MemoryCache implements BackupRecordCache {
  constructor(readonly records: BackupRecord[] = []) {}

  async load(): Promise<readonly BackupRecord[]> {
    return this.records.map((record) => ({ ...record, seen: 'cached' }))
  }

  async add(records: readonly BackupRecord[]): Promise<void> {
    this.records.push(...records)
  }
}
