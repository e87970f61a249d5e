import type { BackupRecord } from './backup-record.js'
import { cloneEvidence, contradiction } from './clone-evidence.js'
import type { CloneConflict, CloneEvidence, CloneFamily, Discovery } from './clone-family.js'
import { type Cluster, showCluster } from './cluster.js'
import type { ClusterId } from './ids.js'

/** Groups what AWS answered into clone families, in an order that does not depend on who answered first. */
export const groupDiscovery = (found: Pick<Discovery, 'clusters' | 'backups' | 'problems' | 'asked'>): Discovery => {
  const clusters = [...found.clusters].sort((a, b) => compare(showCluster(a), showCluster(b)))
  const problems = [...found.problems].sort((a, b) => compare(problemKey(a), problemKey(b)))
  const { backups, asked } = found
  return { ...groupFamilies(clusters, backups), clusters, problems, asked, backups }
}

/**
 * Joins clusters into families, the strongest evidence first. A link whose two sides hold a member each that
 * contradict one another is not taken: it is returned as a conflict, because one of the two readings must be wrong.
 */
export const groupFamilies = (
  clusters: readonly Cluster[],
  backups: readonly BackupRecord[],
): { families: CloneFamily[]; conflicts: CloneConflict[] } => {
  const groups = new Map<ClusterId, Cluster[]>(clusters.map((cluster) => [cluster.clusterId, [cluster]]))
  const kept: CloneEvidence[] = []
  const conflicts: CloneConflict[] = []
  for (const says of cloneEvidence(clusters, backups)) {
    const [a, b] = says.clusterIds.map((id) => groups.get(id) ?? []) as [Cluster[], Cluster[]]
    const against = firstContradiction(a, b)
    if (against !== undefined) {
      conflicts.push({ clusterIds: says.clusterIds, says, against })
      continue
    }
    kept.push(says)
    if (a === b) continue
    a.push(...b)
    for (const { clusterId } of b) groups.set(clusterId, a)
  }
  const families = distinctNames([...new Set(groups.values())].map((members) => family(members, kept)))
  return { families: families.sort((a, b) => compare(a.family, b.family)), conflicts }
}

const firstContradiction = (a: readonly Cluster[], b: readonly Cluster[]): CloneEvidence | undefined => {
  for (const one of a) {
    for (const two of b) {
      const against = one === two ? null : contradiction(one, two)
      if (against !== null) return against
    }
  }
  return undefined
}

const family = (members: readonly Cluster[], evidence: readonly CloneEvidence[]): CloneFamily => {
  const clusterIds = members.map(({ clusterId }) => clusterId).sort(compare)
  return {
    family: familyName(members),
    clusterIds,
    evidence: evidence.filter(({ clusterIds: [id] }) => clusterIds.includes(id)),
  }
}

const familyName = (members: readonly Cluster[]): string => {
  const fingerprint = members.find(({ certificateFingerprint }) => certificateFingerprint)?.certificateFingerprint
  if (fingerprint) return `family-${fingerprint.slice(0, 12)}`
  const fresh = members.filter(({ sourceBackupId }) => sourceBackupId === null)
  const [oldest] = (fresh.length > 0 ? fresh : members).map(({ clusterId }) => clusterId).sort(compare)
  return `family-${oldest?.replace('cluster-', '')}`
}

/** One certificate in two families means that something else told them apart: the ID of a member does as well. */
const distinctNames = (families: readonly CloneFamily[]): CloneFamily[] =>
  families.map((one) => {
    const shared = families.some((other) => other !== one && other.family === one.family)
    return shared ? { ...one, family: `${one.family}-${one.clusterIds[0]?.replace('cluster-', '')}` } : one
  })

const problemKey = ({ region, profile, roleArn, operation }: Discovery['problems'][number]): string =>
  [region, profile ?? '', roleArn ?? '', operation].join('\0')

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0)
