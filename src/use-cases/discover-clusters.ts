import pLimit from 'p-limit'
import { ApiFailure } from '../domain/api-failure.js'
import { type BackupRecord, backupLookup } from '../domain/backup-record.js'
import type { Discovery, DiscoveryProblem } from '../domain/clone-family.js'
import type { Cluster } from '../domain/cluster.js'
import { refusal } from '../domain/errors.js'
import { groupDiscovery } from '../domain/group-discovery.js'
import type { RegionName } from '../domain/ids.js'
import { placesOf } from '../domain/places.js'
import type { BackupRecordCache, CloudHsmApi, DiscoveryScope, Place, PlaceApi } from '../domain/ports.js'

/** What this use case needs. */
export interface DiscoveryPorts {
  readonly api: CloudHsmApi
  readonly cache: BackupRecordCache
}

/** Far above one account's Regions, and below the open files a process is allowed. */
const PLACES_AT_ONCE = 200

/** Copies of copies looked up beyond the first, in Regions that were asked anyway. */
const COPY_LOOKUPS = 4

/**
 * Asks every place of the scope at once, and groups the clusters into clone families.
 * @throws {OperatorError} `NO_CREDENTIALS`, `DISCOVERY_FAILED`: not one Region answered
 */
export const discoverClusters = async ({ api, cache }: DiscoveryPorts, scope: DiscoveryScope): Promise<Discovery> => {
  const places = placesOf(scope, api.regions)
  const limit = pLimit(PLACES_AT_ONCE)
  const open = (place: Place): Promise<PlaceApi> => api.open(place, scope.endpointUrl)
  const answers = settleUnknownCredentials(
    await Promise.all(places.map((place) => limit(() => askPlace(place, () => open(place))))),
  )
  if (!answers.some(({ listed }) => listed)) {
    throw nothingAnswered(answers, [...new Set(places.map(({ region }) => region))])
  }

  const clusters = uniqueClusters(answers.flatMap((answer) => answer.clusters))
  const live = await followCopies(answers, clusters, open)
  const backups = await withCachedRecords(cache, clusters, live)
  const asked = places.map(({ region, profile }) => ({ region, profile }))
  return groupDiscovery({ clusters, backups, asked, problems: answers.flatMap(({ problems }) => problems) })
}

interface Answer {
  readonly place: Place
  /** Whether the list of clusters is complete. */
  readonly listed: boolean
  readonly clusters: readonly Cluster[]
  readonly backups: readonly BackupRecord[]
  readonly problems: readonly DiscoveryProblem[]
}

const askPlace = async (place: Place, open: () => Promise<PlaceApi>): Promise<Answer> => {
  const nothing = { place, listed: false, clusters: [], backups: [] }
  let region: PlaceApi
  try {
    region = await open()
  } catch (error) {
    return { ...nothing, problems: [problem(place, 'DescribeClusters', error)] }
  }
  let clusters: readonly Cluster[] = []
  try {
    clusters = await region.describeClusters()
    const origins = clusters.flatMap(({ sourceBackupId }) => sourceBackupId ?? [])
    const backups = origins.length === 0 ? [] : await describeBackups(place, region, origins)
    return { place, listed: true, clusters, ...splitBackups(backups) }
  } catch (error) {
    return { ...nothing, problems: [problem(place, 'DescribeClusters', error)] }
  } finally {
    region.close()
  }
}

/** The records, or the problem that kept them back: the clusters of the Region count either way. */
const describeBackups = async (
  place: Place,
  region: PlaceApi,
  backupIds: readonly string[],
): Promise<readonly BackupRecord[] | DiscoveryProblem> => {
  try {
    return await region.describeBackups([...new Set(backupIds)].sort())
  } catch (error) {
    return problem(place, 'DescribeBackups', error)
  }
}

const splitBackups = (answer: readonly BackupRecord[] | DiscoveryProblem): Pick<Answer, 'backups' | 'problems'> =>
  'kind' in answer ? { backups: [], problems: [answer] } : { backups: answer, problems: [] }

const problem = (place: Place, operation: DiscoveryProblem['operation'], error: unknown): DiscoveryProblem => {
  if (!(error instanceof ApiFailure)) throw error
  const { region, profile, named, roleArn } = place
  const facts = { region, profile, error: error.message, kind: error.kind, operation, named }
  return roleArn === undefined ? facts : { ...facts, roleArn }
}

/** "AWS does not know these credentials" means a Region that is not enabled only where another Region knew them. */
const settleUnknownCredentials = (answers: readonly Answer[]): readonly Answer[] => {
  const known = new Set(answers.filter(({ listed }) => listed).map(({ place }) => identity(place)))
  return answers.map((answer) => ({
    ...answer,
    problems: answer.problems.map((one) =>
      one.kind === 'not-enabled' && !known.has(identity(answer.place)) ? { ...one, kind: 'denied' as const } : one,
    ),
  }))
}

const identity = ({ profile, roleArn, externalId }: Place): string =>
  JSON.stringify([profile, roleArn ?? null, externalId ?? null])

/** Two profiles of one account list the same clusters: the first to be named keeps the record. */
const uniqueClusters = (clusters: readonly Cluster[]): Cluster[] => {
  const byKey = new Map<string, Cluster>()
  for (const cluster of clusters) {
    const key = `${cluster.region}/${cluster.clusterId}`
    const first = byKey.get(key)
    if (first === undefined) {
      byKey.set(key, cluster)
      continue
    }
    const others = first.otherProfiles ?? []
    if (cluster.profile === first.profile || others.includes(cluster.profile)) continue
    byKey.set(key, { ...first, otherProfiles: [...others, cluster.profile] })
  }
  return [...byKey.values()]
}

/**
 * Reads the source of a copied backup where its record does not lead to a listed cluster: the copy may be a copy of
 * a copy. Only Regions that were asked anyway are asked; a lookup that fails leaves the lineage as it was.
 */
const followCopies = async (
  answers: readonly Answer[],
  clusters: readonly Cluster[],
  open: (place: Place) => Promise<PlaceApi>,
): Promise<BackupRecord[]> => {
  const listed = new Set<string>(clusters.map(({ clusterId }) => clusterId))
  const records: BackupRecord[] = []
  const walk = async ({ place, backups }: Answer): Promise<void> => {
    records.push(...backups)
    let frontier: readonly BackupRecord[] = backups
    for (let step = 0; step < COPY_LOOKUPS && frontier.length > 0; step++) {
      const wanted = frontier.filter(({ sourceCluster }) => sourceCluster === null || !listed.has(sourceCluster))
      frontier = (await Promise.all(wanted.map((record) => sourceOf(record, place)))).flat()
      records.push(...frontier)
    }
  }
  const sourceOf = async (
    { sourceRegion, sourceBackup }: BackupRecord,
    from: Place,
  ): Promise<readonly BackupRecord[]> => {
    const there = answers.find(
      ({ place, listed: answered }) => answered && place.region === sourceRegion && identity(place) === identity(from),
    )
    if (there === undefined || sourceBackup === null) return []
    if (backupLookup(records)(there.place.region, sourceBackup) !== undefined) return []
    try {
      const region = await open(there.place)
      return await region.describeBackups([sourceBackup]).finally(() => region.close())
    } catch (error) {
      if (error instanceof ApiFailure) return []
      throw error
    }
  }
  await Promise.all(answers.map(walk))
  return records
}

const withCachedRecords = async (
  cache: BackupRecordCache,
  clusters: readonly Cluster[],
  live: readonly BackupRecord[],
): Promise<BackupRecord[]> => {
  if (clusters.every(({ sourceBackupId }) => sourceBackupId === null)) return [...live]
  await cache.add(live)
  const lookup = backupLookup(live)
  const cached = await cache.load()
  return [...live, ...cached.filter(({ region, backupId }) => lookup(region, backupId) === undefined)]
}

const nothingAnswered = (answers: readonly Answer[], asked: readonly RegionName[]): Error => {
  const problems = answers.flatMap((answer) => answer.problems)
  const reasons = [...new Set(problems.map(({ error }) => error))]
  const profiles = [...new Set(problems.flatMap(({ profile }) => profile ?? []))]
  if (problems.every(({ kind }) => kind === 'no-credentials')) {
    return refusal('NO_CREDENTIALS', `no AWS credentials: ${reasons.join('; ')}`, [
      ...(profiles.length > 0
        ? [...profiles.map((profile) => `aws sso login --profile ${profile}`), 'aws configure list-profiles']
        : ['set AWS_PROFILE, or name a profile with --profile']),
      'aws sts get-caller-identity   shows whether the credentials work at all',
    ])
  }
  const shown = problems.slice(0, 3).map(({ region, error }) => `${region}: ${error}`)
  const more = problems.length > shown.length ? [`and ${problems.length - shown.length} more`] : []
  return refusal(
    'DISCOVERY_FAILED',
    `not one Region answered (asked ${asked.join(', ')}): ${[...shown, ...more].join('; ')}`,
    ['check the network, the endpoint and the permissions cloudhsm:DescribeClusters and cloudhsm:DescribeBackups'],
  )
}
