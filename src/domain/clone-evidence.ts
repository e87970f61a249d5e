import { type BackupRecord, backupLookup } from './backup-record.js'
import type { CloneEvidence } from './clone-family.js'
import type { Cluster } from './cluster.js'
import { type ClusterOrigin, originOf } from './cluster-origin.js'

/**
 * Everything that links two of `clusters` directly, strongest first. Source of the rules: AWS CloudHSM User Guide on
 * cloned clusters; KMS API, `CloudHsmClusterNotRelatedException` (equal cluster certificate = shared backup history).
 */
export const cloneEvidence = (clusters: readonly Cluster[], records: readonly BackupRecord[]): CloneEvidence[] => {
  const lookup = backupLookup(records)
  const origins = new Map(clusters.map((cluster) => [cluster, originOf(cluster, lookup)]))
  return [...certificateEvidence(clusters), ...sourceBackupEvidence(clusters), ...lineageEvidence(origins)].sort(
    byStrength,
  )
}

/**
 * What rules out that two clusters share a backup history, or null. A certificate that is absent or unreadable says
 * nothing, nor does a mode that AWS does not report (records from before June 2024).
 */
export const contradiction = (a: Cluster, b: Cluster): CloneEvidence | null => {
  if (a.certificateFingerprint !== null && b.certificateFingerprint !== null) {
    if (a.certificateFingerprint !== b.certificateFingerprint) {
      const shown = `${short(a.certificateFingerprint)} and ${short(b.certificateFingerprint)}`
      return evidence([a, b], 4, 'different-cluster-certificates', `the cluster certificates differ: ${shown}`)
    }
  }
  if (a.mode !== null && b.mode !== null && a.mode !== b.mode) {
    const detail = `${a.clusterId} is in mode ${a.mode}, ${b.clusterId} in ${b.mode}; a backup restores to its own mode only`
    return evidence([a, b], 4, 'different-modes', detail)
  }
  return null
}

/** The start of a SHA-256, enough to compare by eye. */
const short = (sha256: string): string => sha256.slice(0, 16)

const certificateEvidence = (clusters: readonly Cluster[]): CloneEvidence[] =>
  pairsSharing(clusters, (cluster) => cluster.certificateFingerprint).map(([a, b, fingerprint]) =>
    evidence([a, b], 4, 'equal-cluster-certificate', `same cluster certificate, SHA-256 ${short(fingerprint)}…`),
  )

const sourceBackupEvidence = (clusters: readonly Cluster[]): CloneEvidence[] =>
  pairsSharing(clusters, ({ region, sourceBackupId }) => sourceBackupId && `${region}/${sourceBackupId}`).map(
    ([a, b, backup]) => evidence([a, b], 4, 'same-source-backup', `both were created from ${backup}`),
  )

type FromBackup = Extract<ClusterOrigin, { kind: 'backup' }>

const lineageEvidence = (origins: ReadonlyMap<Cluster, ClusterOrigin>): CloneEvidence[] => {
  const restored = [...origins].filter((entry): entry is [Cluster, FromBackup] => entry[1].kind === 'backup')
  const originFor = new Map(restored)
  const children = restored.map(([cluster]) => cluster)
  const parents = new Map<string, Cluster>([...origins.keys()].map((cluster) => [cluster.clusterId, cluster]))

  const fromParent = restored.flatMap(([child, origin]) => {
    const parent = origin.parentId === null ? undefined : parents.get(origin.parentId)
    if (parent === undefined || parent === child) return []
    const detail = `${child.clusterId} was created from ${origin.backupId}, a backup of ${parent.clusterId}${fromCache(origin)}`
    return [evidence([parent, child], origin.cached ? 3 : 4, 'backup-lineage', detail)]
  })

  const fromOneBackup = pairsSharing(children, (child) => originFor.get(child)?.original ?? null)
    .filter(([a, b]) => a.region !== b.region || a.sourceBackupId !== b.sourceBackupId)
    .map(([a, b, backup]) => {
      const [one, two] = [originFor.get(a), originFor.get(b)] as [FromBackup, FromBackup]
      const parentSeen = one.parentId !== null && parents.has(one.parentId)
      const certainty = parentSeen && !one.cached && !two.cached ? 4 : 3
      return evidence([a, b], certainty, 'backup-lineage', `both go back to ${backup}${fromCache(one, two)}`)
    })

  const fromOneParent = pairsSharing(children, (child) => originFor.get(child)?.parentId ?? null)
    .filter(([a, b]) => originFor.get(a)?.original !== originFor.get(b)?.original)
    .map(([a, b, parent]) =>
      evidence(
        [a, b],
        2,
        'backup-lineage',
        `both were created from backups of ${parent}, though not from the same one`,
      ),
    )
  return [...fromParent, ...fromOneBackup, ...fromOneParent]
}

const fromCache = (...origins: readonly FromBackup[]): string =>
  origins.some(({ cached }) => cached) ? ' (as an earlier run recorded)' : ''

const evidence = (
  pair: readonly [Cluster, Cluster],
  certainty: CloneEvidence['certainty'],
  kind: CloneEvidence['kind'],
  detail: string,
): CloneEvidence => {
  const [a, b] = pair.map(({ clusterId }) => clusterId).sort() as [Cluster['clusterId'], Cluster['clusterId']]
  return { clusterIds: [a, b], certainty, kind, detail }
}

/** Every pair of `clusters` with the same key; a null key matches nothing. */
const pairsSharing = (
  clusters: readonly Cluster[],
  keyOf: (cluster: Cluster) => string | null,
): [Cluster, Cluster, string][] => {
  const groups = new Map<string, Cluster[]>()
  for (const cluster of clusters) {
    const key = keyOf(cluster)
    if (key !== null) groups.set(key, [...(groups.get(key) ?? []), cluster])
  }
  return [...groups].flatMap(([key, group]) =>
    group.flatMap((a, index) => group.slice(index + 1).map((b): [Cluster, Cluster, string] => [a, b, key])),
  )
}

const KIND_ORDER = ['equal-cluster-certificate', 'same-source-backup', 'backup-lineage']

const byStrength = (a: CloneEvidence, b: CloneEvidence): number =>
  b.certainty - a.certainty ||
  KIND_ORDER.indexOf(a.kind) - KIND_ORDER.indexOf(b.kind) ||
  a.clusterIds.join().localeCompare(b.clusterIds.join(), 'en')
