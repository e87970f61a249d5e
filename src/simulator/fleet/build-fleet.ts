import { OPERATIONS, type Operation } from '../hsm/requests.js'
import { backupIdIn, backupsOf } from './backups.js'
import { clusterCertificate } from './cluster-certificate.js'
import type { Fleet, FleetAccount, FleetCluster, FleetHsm } from './fleet.js'
import { FleetError } from './fleet-error.js'
import { deriveId } from './identifiers.js'
import type { FleetFile, FleetFileCluster } from './schema.js'
import { usersOf } from './users.js'

const DEFAULT_ACCOUNT = '111122223333'
/** 2025-01-01; the clusters of a fleet were created a day apart. */
const FIRST_CREATION = 1_735_689_600
const DAY = 86_400

/**
 * Fills in defaults, derives IDs, and checks what no schema can.
 * @throws {FleetError} names the place in the file
 */
export const buildFleet = (file: FleetFile): Fleet => {
  const places = placesOf(file)
  const byId = new Map<string, Place>()
  for (const place of places) {
    if (byId.has(place.clusterId)) throw new FleetError(place.path, `${place.clusterId} is listed twice`)
    byId.set(place.clusterId, place)
  }
  const parentPlaces = new Map(places.map((place) => [place.clusterId, parentOf(place, byId)]))
  for (const place of places) refuseCircle(place, parentPlaces)
  const clusters = places.map((place, index) => clusterAt(file, place, parentPlaces.get(place.clusterId), index))
  refuseDoubles(clusters)
  const parents = new Map<string, FleetCluster>()
  for (const [clone, parent] of parentPlaces) {
    const cluster = clusters.find(({ clusterId }) => clusterId === parent?.clusterId)
    if (cluster) parents.set(clone, cluster)
  }
  const gone = new Set(places.filter(({ cluster }) => cluster.backupGone).map(({ clusterId }) => clusterId))
  return {
    clusters,
    backups: backupsOf(clusters, parents, gone),
    accounts: accountsOf(file, clusters),
    latencyMs: latencyOf(file.latencyMs),
    awsDelayMs: file.awsDelayMs,
    lockoutLimit: file.lockoutLimit,
    behaviour: file.behaviour,
  }
}

/** A cluster in the file. */
interface Place {
  readonly path: string
  readonly family: FleetFile['families'][number]
  readonly familyIndex: number
  readonly cluster: FleetFileCluster
  readonly clusterId: string
}

const placesOf = (file: FleetFile): Place[] => {
  const names = new Set<string>()
  return file.families.flatMap((family, familyIndex) => {
    if (names.has(family.name)) throw new FleetError(`families[${familyIndex}].name`, `"${family.name}" is used twice`)
    names.add(family.name)
    return family.clusters.map((cluster, index) => ({
      path: `families[${familyIndex}].clusters[${index}]`,
      family,
      familyIndex,
      cluster,
      clusterId: cluster.clusterId ?? deriveId('cluster', family.name, index),
    }))
  })
}

const parentOf = (place: Place, byId: ReadonlyMap<string, Place>): Place | undefined => {
  const { clonedFrom } = place.cluster
  if (clonedFrom === undefined) return undefined
  const parent = byId.get(clonedFrom)
  const path = `${place.path}.clonedFrom`
  if (!parent) throw new FleetError(path, `no cluster ${clonedFrom} in this fleet`)
  if (parent.family !== place.family) {
    throw new FleetError(
      path,
      `${clonedFrom} belongs to family "${parent.family.name}", a clone to its source's family`,
    )
  }
  return parent
}

const refuseCircle = (place: Place, parents: ReadonlyMap<string, Place | undefined>): void => {
  const seen = new Set<string>()
  for (let at: Place | undefined = place; at; at = parents.get(at.clusterId)) {
    if (seen.has(at.clusterId)) throw new FleetError(`${place.path}.clonedFrom`, 'leads back to the cluster itself')
    seen.add(at.clusterId)
  }
}

const clusterAt = (file: FleetFile, place: Place, parent: Place | undefined, index: number): FleetCluster => {
  const { cluster, clusterId, family } = place
  const mode = cluster.mode ?? 'FIPS'
  const shown = cluster.certificate ?? 'shown'
  return {
    clusterId,
    region: cluster.region,
    account: cluster.account ?? file.accounts?.[0]?.account ?? DEFAULT_ACCOUNT,
    family: family.name,
    hsmType: cluster.hsmType ?? 'hsm1.medium',
    mode: mode === 'absent' ? null : mode,
    state: cluster.state ?? 'ACTIVE',
    sourceBackupId: parent
      ? backupIdIn(cluster.region, { clusterId: parent.clusterId, region: parent.cluster.region })
      : null,
    createdAt: FIRST_CREATION + index * 7 * DAY,
    certificate: shown === 'absent' ? null : shown === 'shown' ? clusterCertificate(family.name) : 'not a certificate',
    quorum: cluster.quorum ?? 0,
    tags: cluster.tags ?? {},
    hsms: hsmsOf(place),
  }
}

const hsmsOf = ({ cluster, clusterId, family, familyIndex, path }: Place): FleetHsm[] => {
  const lists = [
    { path: `families[${familyIndex}].users`, users: family.users ?? [] },
    { path: `${path}.users`, users: cluster.users ?? [] },
  ]
  // One list for all HSMs without their own keeps a large fleet small.
  const common = usersOf(lists)
  const listed = typeof cluster.hsms === 'number' ? Array.from({ length: cluster.hsms }, () => ({})) : cluster.hsms
  return listed.map((hsm: Exclude<FleetFileCluster['hsms'], number>[number], index) => ({
    hsmId: hsm.hsmId ?? deriveId('hsm', clusterId, index),
    eniIp: hsm.eniIp ?? null,
    state: hsm.state ?? 'ACTIVE',
    users: hsm.users ? usersOf([...lists, { path: `${path}.hsms[${index}].users`, users: hsm.users }]) : common,
  }))
}

const refuseDoubles = (clusters: readonly FleetCluster[]): void => {
  const seen = new Set<string>()
  for (const { hsmId, eniIp } of clusters.flatMap(({ hsms }) => hsms)) {
    for (const value of eniIp === null ? [hsmId] : [hsmId, eniIp]) {
      if (seen.has(value)) throw new FleetError('families', `${value} is given to two HSMs`)
      seen.add(value)
    }
  }
}

const accountsOf = (file: FleetFile, clusters: readonly FleetCluster[]): FleetAccount[] => {
  const keys = new Map<string, string>()
  const add = (account: string, accessKeyId?: string): void => {
    if (!keys.has(account)) keys.set(account, accessKeyId ?? accessKeyOf(account))
  }
  for (const { account, accessKeyId } of file.accounts ?? []) add(account, accessKeyId)
  for (const { account } of clusters) add(account)
  return [...keys].map(([account, accessKeyId]) => ({ account, accessKeyId }))
}

/** `AKIA` and 16 characters, always the same for an account. */
export const accessKeyOf = (account: string): string =>
  `AKIA${`${deriveId('', account)}${deriveId('', account, 'key')}`.replaceAll('-', '').toUpperCase().slice(0, 16)}`

const latencyOf = (latency: FleetFile['latencyMs']): Record<Operation, number> => {
  const given = typeof latency === 'number' ? { default: latency } : latency
  return Object.fromEntries(OPERATIONS.map((op) => [op, given[op] ?? given.default ?? 0])) as Record<Operation, number>
}
