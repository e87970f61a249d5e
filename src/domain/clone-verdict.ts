import { backupLookup } from './backup-record.js'
import { contradiction } from './clone-evidence.js'
import {
  type Certainty,
  CLONE_CERTAINTY,
  type CloneEvidence,
  type CloneVerdict,
  type Discovery,
  familyOf,
  isGap,
} from './clone-family.js'
import type { Cluster } from './cluster.js'
import { type ClusterOrigin, originOf } from './cluster-origin.js'

/** Verdict over all of `clusters` (two or more): that of the weakest pair, and the evidence of every pair. */
export const judgeClones = (discovery: Discovery, clusters: readonly Cluster[]): CloneVerdict => {
  const verdicts = clusters.flatMap((a, index) => clusters.slice(index + 1).map((b) => judgePair(discovery, a, b)))
  const decisive = [...verdicts].sort((a, b) => rank(a) - rank(b))[0]
  if (decisive === undefined) throw new Error('a verdict needs two clusters')
  const evidence = verdicts.flatMap((verdict) => verdict.evidence)
  return { ...decisive, evidence: evidence.filter((item, index) => evidence.indexOf(item) === index) }
}

/**
 * Verdict over two clusters. "Not a clone" is said only on certificates or modes that contradict one another, or
 * where both origins are known and differ and every Region asked has answered.
 */
export const judgePair = (discovery: Discovery, a: Cluster, b: Cluster): CloneVerdict => {
  const against = contradiction(a, b)
  if (against !== null) {
    const conflict = discovery.conflicts.find(({ clusterIds }) => isPair(clusterIds, a, b))
    const missing = conflict === undefined ? null : `the backup records disagree: ${conflict.says.detail}`
    const evidence = conflict === undefined ? [against] : [against, conflict.says]
    return { verdict: 'not-a-clone', certainty: against.certainty, evidence, missing }
  }
  const evidence = strongestPath(discovery, a, b)
  const certainty = certaintyOf(evidence)
  if (certainty >= CLONE_CERTAINTY) {
    const verdict = certainty === CLONE_CERTAINTY ? 'probably-clone' : 'clone'
    return { verdict, certainty, evidence, missing: verdict === 'clone' ? null : certificateGap([a, b]) }
  }
  return unproven(discovery, a, b)
}

/** Whether certificates or modes rule the pair out, so that no flag may waive it. */
export const isDisproved = (verdict: CloneVerdict): boolean =>
  verdict.evidence.some(({ kind }) => kind === 'different-cluster-certificates' || kind === 'different-modes')

const unproven = (discovery: Discovery, a: Cluster, b: Cluster): CloneVerdict => {
  const conflict = discovery.conflicts.find(({ clusterIds }) => isPair(clusterIds, a, b))
  if (conflict !== undefined) {
    // some relative of one contradicts the other: one of the two readings is wrong, and it is not for us to choose
    const missing = `the records contradict one another: ${conflict.says.detail}, yet ${conflict.against.detail}`
    return { verdict: 'unknown', certainty: 0, evidence: [conflict.against, conflict.says], missing }
  }
  const lookup = backupLookup(discovery.backups)
  const origins = [a, b].map((cluster) => [cluster, originOf(cluster, lookup)] as const)
  const gaps = discovery.problems.filter(isGap)
  const certificates = certificateGap([a, b])
  if (gaps.length === 0 && origins.every(([, origin]) => origin.kind === 'root')) {
    return {
      verdict: 'not-a-clone',
      certainty: 3,
      evidence: [],
      missing: `${certificates}; neither cluster was made from a backup`,
    }
  }
  const missing = [
    ...origins.flatMap(([cluster, origin]) => originGap(discovery, cluster, origin)),
    certificates,
    ...gaps.map(
      ({ region, profile, kind }) =>
        `${region}${profile === null ? '' : ` (profile ${profile})`} did not answer in full: ${kind}`,
    ),
  ]
  return { verdict: 'unknown', certainty: 0, evidence: [], missing: missing.join('; ') }
}

const originGap = (discovery: Discovery, cluster: Cluster, origin: ClusterOrigin): string[] => {
  if (origin.kind === 'unresolved') {
    return [
      `${cluster.clusterId} was made from ${origin.backupId}, whose record is gone or not visible to these credentials`,
    ]
  }
  if (origin.kind === 'root') return []
  const listed = discovery.clusters.some(({ clusterId }) => clusterId === origin.parentId)
  if (listed) return []
  return [`${cluster.clusterId} goes back to ${origin.parentId ?? origin.original}, which was not listed`]
}

const certificateGap = (clusters: readonly Cluster[]): string => {
  const unread = clusters.filter(({ certificateFingerprint }) => certificateFingerprint === null)
  return `no readable cluster certificate for ${unread.map(({ clusterId }) => clusterId).join(' and ')}`
}

/**
 * The links from `a` to `b` inside their family: the direct one, or the chain whose weakest link is strongest.
 * Empty when there is none.
 */
const strongestPath = (discovery: Discovery, a: Cluster, b: Cluster): readonly CloneEvidence[] => {
  const links = familyOf(discovery, a.clusterId)?.evidence ?? []
  const direct = links.filter(({ clusterIds }) => isPair(clusterIds, a, b))
  if (direct.length > 0) return direct
  // links come strongest first, so the first time a cluster is reached it is by the strongest weakest link
  const paths = new Map<string, readonly CloneEvidence[]>([[a.clusterId, []]])
  for (const floor of [4, 3, 2]) {
    const usable = links.filter(({ certainty }) => certainty >= floor)
    for (let grown = true; grown; ) {
      grown = false
      for (const link of usable) {
        for (const [from, to] of [link.clusterIds, [...link.clusterIds].reverse()]) {
          const path = paths.get(from as string)
          if (path === undefined || paths.has(to as string)) continue
          paths.set(to as string, [...path, link])
          grown = true
        }
      }
    }
  }
  return paths.get(b.clusterId) ?? []
}

/** Direct evidence counts for what it is; a chain is inferred at best. */
const certaintyOf = (evidence: readonly CloneEvidence[]): Certainty => {
  const [first] = evidence
  if (first === undefined) return 0
  const direct = evidence.every(({ clusterIds }) => clusterIds.join() === first.clusterIds.join())
  return direct ? first.certainty : (Math.min(2, ...evidence.map(({ certainty }) => certainty)) as Certainty)
}

const isPair = (ids: readonly string[], a: Cluster, b: Cluster): boolean =>
  ids.includes(a.clusterId) && ids.includes(b.clusterId)

const VERDICTS = ['not-a-clone', 'unknown', 'probably-clone', 'clone']

const rank = ({ verdict, certainty }: CloneVerdict): number => VERDICTS.indexOf(verdict) * 10 + certainty
