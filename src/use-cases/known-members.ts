import { type CloneFamily, type Discovery, gapInWords } from '../domain/clone-family.js'
import { type ClusterRef, refOf } from '../domain/cluster.js'
import { OperatorError } from '../domain/errors.js'
import type { ClusterId, HsmId, RotationId } from '../domain/ids.js'
import { followReadable } from '../domain/rotation/follow-rotation.js'
import type { JournalShelf } from '../domain/rotation/journal.js'
import type { RotationLedger } from '../domain/rotation/ledger.js'
import { gapsIn } from './find-cluster.js'

/** A cluster that a journal of this machine counts to a family. */
export interface KnownMember extends ClusterRef {
  /** The newest rotation that knows it. */
  readonly rotationId: RotationId
  /** Why it is owed what that rotation gave the others, whole or in part; null where it is not. */
  readonly owed: string | null
}

/** What one rotation of this machine knew of its family. */
export interface KnownFamily {
  readonly family: string
  readonly members: readonly KnownMember[]
  /** Clusters of which AWS listed no HSM any more, and without which the operator went on. */
  readonly gone: readonly ClusterId[]
}

/**
 * The families that the journals of this machine know, oldest first. What a broken journal says at its beginning counts:
 * which clusters a rotation was about does not change. Where the journals cannot be listed none is known: nothing that writes
 * begins then, whatever this says.
 */
export const knownFamilies = async (shelf: JournalShelf): Promise<readonly KnownFamily[]> => {
  const families: KnownFamily[] = []
  const rotationIds = await shelf.list().catch((error: unknown) => {
    if (error instanceof OperatorError) return []
    throw error
  })
  for (const rotationId of rotationIds) {
    const { ledger } = await followReadable(shelf, rotationId)
    if (ledger === null) continue
    const { plan } = ledger
    const isLeft = ({ clusterId }: { readonly clusterId: ClusterId }) =>
      plan.roster.some((entry) => entry.clusterId === clusterId)
    const gone = [plan.source, ...plan.destinations].filter((cluster) => !isLeft(cluster))
    families.push({
      family: plan.family,
      members: membersOf(ledger, rotationId),
      gone: gone.map(({ clusterId }) => clusterId),
    })
  }
  return families
}

const membersOf = ({ facts, plan, debts, lostClusters }: RotationLedger, rotationId: RotationId): KnownMember[] => {
  const owedIn = (clusterId: ClusterId): string | null => {
    const isThere = (hsmId: HsmId) =>
      plan.roster.some((entry) => entry.hsmId === hsmId && entry.clusterId === clusterId)
    return lostClusters.get(clusterId)?.reason ?? [...debts].find(([hsmId]) => isThere(hsmId))?.[1] ?? null
  }
  return [plan.source, ...plan.destinations, ...plan.leftOut, ...facts.lostClusters].map((cluster) => ({
    ...refOf(cluster),
    rotationId,
    owed: owedIn(cluster.clusterId),
  }))
}

/**
 * Members of a family as the journals of this machine know it: what a rotation took along, left out or lost whose family has
 * the same name or shares a cluster with it, or with a rotation that does.
 * @param clusterIds those that are named and those that AWS reports
 */
export const membersKnown = (
  families: readonly KnownFamily[],
  family: CloneFamily['family'],
  clusterIds: readonly ClusterId[],
): readonly KnownMember[] => {
  const members = new Map<ClusterId, KnownMember>()
  for (const known of relativesOf(families, family, clusterIds)) {
    for (const member of known.members) {
      const before = members.get(member.clusterId)
      // A debt that nobody paid since outlasts what newer rotations know.
      if (member.owed !== null || (before?.owed ?? null) === null) members.set(member.clusterId, member)
    }
    for (const clusterId of known.gone) members.delete(clusterId)
  }
  return [...members.values()]
}

const relativesOf = (
  families: readonly KnownFamily[],
  family: CloneFamily['family'],
  clusterIds: readonly ClusterId[],
): readonly KnownFamily[] => {
  const shared = new Set(clusterIds)
  const isRelative = (known: KnownFamily) =>
    known.family === family || known.members.some(({ clusterId }) => shared.has(clusterId))
  for (let before = -1; before !== shared.size; ) {
    before = shared.size
    for (const { members } of families.filter(isRelative)) for (const { clusterId } of members) shared.add(clusterId)
  }
  return families.filter(isRelative)
}

/** Why nobody knows whether a cluster that AWS does not list is there. */
export interface Unanswered {
  /** `not-asked`: the operator named other Regions. */
  readonly kind: 'silent' | 'not-asked'
  readonly why: string
}

/** Why a cluster is not listed that may be there; null where its Region answered by its profile, so that it is gone. */
export const whyUnseen = (
  discovery: Discovery,
  { region, profile }: Pick<ClusterRef, 'region' | 'profile'>,
): Unanswered | null => {
  // That a Region is not enabled counts as well: the cluster was seen there.
  const problems = discovery.problems.filter(({ operation }) => operation === 'DescribeClusters')
  const silent =
    region === undefined ? gapsIn(discovery) : problems.filter((one) => one.region === region).map(gapInWords)
  if (silent.length > 0) return { kind: 'silent', why: silent.join('; ') }
  if (region === undefined) return null
  const profiles = discovery.asked.flatMap((place) => (place.region === region ? [place.profile] : []))
  if (profiles.length === 0) return { kind: 'not-asked', why: `${region} was not asked` }
  // Another profile may be one of another account, which lists other clusters.
  if (profile === undefined || profiles.includes(profile)) return null
  return { kind: 'not-asked', why: `${region} was not asked by the profile ${profile}` }
}
