import { CloudHSMV2Client, DescribeBackupsCommand, DescribeClustersCommand } from '@aws-sdk/client-cloudhsm-v2'
import type { BackupRecord } from '../../domain/backup-record.js'
import type { Cluster } from '../../domain/cluster.js'
import type { Place, PlaceApi } from '../../domain/ports.js'
import { BadAnswer } from './bad-answer.js'
import { callWithRetry } from './call.js'
import type { CredentialsProvider } from './credentials.js'
import { toFailure } from './failure.js'
import type { CallLimits } from './limits.js'
import { allPages } from './pages.js'
import { keepRawAnswers, type RawAnswers, rawById } from './raw-answers.js'
import { toBackupRecord } from './to-backup-record.js'
import { toCluster } from './to-cluster.js'

const CLUSTERS_PER_PAGE = 25
const BACKUPS_PER_PAGE = 50

/** The CloudHSM v2 API of one Region, asked with the credentials of one identity. */
export class AwsPlace implements PlaceApi {
  readonly #client: CloudHSMV2Client
  readonly #raw: RawAnswers
  readonly #deadlineAt: number

  constructor(
    private readonly place: Place,
    credentials: CredentialsProvider,
    private readonly limits: CallLimits,
    endpointUrl: string | undefined,
  ) {
    this.#deadlineAt = performance.now() + limits.placeMs
    this.#client = new CloudHSMV2Client({
      region: place.region,
      credentials,
      // exactly one request per call; `callWithRetry` decides about the next
      maxAttempts: 0,
      retryMode: 'standard',
      // this client ignores AWS_ENDPOINT_URL, and refuses FIPS or dual-stack settings beside an endpoint
      ...(endpointUrl !== undefined && { endpoint: endpointUrl, useFipsEndpoint: false, useDualstackEndpoint: false }),
    })
    this.#raw = keepRawAnswers(this.#client)
  }

  async describeClusters(): Promise<readonly Cluster[]> {
    return this.#ask(() =>
      allPages(async (next) => {
        const output = await this.#send((signal) =>
          this.#client.send(new DescribeClustersCommand({ MaxResults: CLUSTERS_PER_PAGE, ...nextPage(next) }), {
            abortSignal: signal,
          }),
        )
        if (!Array.isArray(output.Clusters)) throw new BadAnswer('the answer holds no list of clusters')
        const raw = rawById(this.#raw(output), 'Clusters', 'ClusterId')
        const items = output.Clusters.map((cluster) => toCluster(cluster, raw.get(cluster.ClusterId) ?? {}, this.place))
        return { items, nextToken: output.NextToken }
      }),
    )
  }

  async describeBackups(backupIds: readonly string[]): Promise<readonly BackupRecord[]> {
    return this.#ask(async () => {
      const own = await this.#backups(backupIds, false)
      const known = new Set(own.map(({ backupId }) => backupId))
      const missing = backupIds.filter((id) => !known.has(id))
      // a backup that another account shares shows up in a listing of its own
      return missing.length === 0 ? own : [...own, ...(await this.#backups(missing, true))]
    })
  }

  close(): void {
    this.#client.destroy()
  }

  async #backups(backupIds: readonly string[], shared: boolean): Promise<BackupRecord[]> {
    const found: BackupRecord[] = []
    for (let start = 0; start < backupIds.length; start += BACKUPS_PER_PAGE) {
      found.push(...(await this.#backupBatch(backupIds.slice(start, start + BACKUPS_PER_PAGE), shared)))
    }
    return found
  }

  async #backupBatch(backupIds: readonly string[], shared: boolean): Promise<BackupRecord[]> {
    try {
      return await allPages((token) => this.#backupPage(backupIds, shared, token))
    } catch (error) {
      // one purged backup can fail the whole list; alone, it is simply not there
      if ((error as Error).name !== 'CloudHsmResourceNotFoundException') throw error
      if (backupIds.length < 2) return []
      const half = Math.ceil(backupIds.length / 2)
      const halves = [backupIds.slice(0, half), backupIds.slice(half)]
      return (await Promise.all(halves.map((ids) => this.#backupBatch(ids, shared)))).flat()
    }
  }

  async #backupPage(
    backupIds: readonly string[],
    shared: boolean,
    next: string | undefined,
  ): Promise<{ items: BackupRecord[]; nextToken: string | undefined }> {
    // `Shared` is newer than the types of the installed client, which sends it all the same
    const input = {
      Filters: { backupIds: [...backupIds] },
      MaxResults: BACKUPS_PER_PAGE,
      ...nextPage(next),
      ...(shared && { Shared: true }),
    }
    const output = await this.#send((signal) =>
      this.#client.send(new DescribeBackupsCommand(input), { abortSignal: signal }),
    )
    if (!Array.isArray(output.Backups)) throw new BadAnswer('the answer holds no list of backups')
    const raw = rawById(this.#raw(output), 'Backups', 'BackupId')
    const items = output.Backups.map((backup) =>
      toBackupRecord(backup, raw.get(backup.BackupId) ?? {}, this.place.region),
    )
    return { items, nextToken: output.NextToken }
  }

  #send<T>(send: (signal: AbortSignal) => Promise<T>): Promise<T> {
    return callWithRetry(send, this.limits, this.#deadlineAt)
  }

  /** @throws {ApiFailure} whatever went wrong */
  async #ask<T>(ask: () => Promise<T>): Promise<T> {
    try {
      return await ask()
    } catch (error) {
      throw toFailure(error)
    }
  }
}

const nextPage = (token: string | undefined): { NextToken?: string } =>
  token === undefined ? {} : { NextToken: token }
