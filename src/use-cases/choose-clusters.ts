import { type CloneFamily, type CloneVerdict, type Discovery, familyOf } from '../domain/clone-family.js'
import { isDisproved, judgePair } from '../domain/clone-verdict.js'
import {
  activeHsms,
  type Cluster,
  type ClusterRef,
  isDeleted,
  refOf,
  showCluster,
  showClusterRef,
} from '../domain/cluster.js'
import { OperatorError, refusal, usageError } from '../domain/errors.js'
import type { ClusterId } from '../domain/ids.js'
import type { UnseenRegion } from '../domain/rotation/plan.js'
import { findCluster, gapsIn, lookForCluster, unansweredIn } from './find-cluster.js'
import { type KnownFamily, type KnownMember, membersKnown, type Unanswered, whyUnseen } from './known-members.js'

/** Which clusters an operator named, and what was waived. */
export interface ClusterChoiceRequest {
  readonly source: ClusterRef
  /** None for a cluster by itself. */
  readonly destinations: readonly ClusterRef[]
  /** Members of the family that are knowingly not taken along (`--leave-out`). */
  readonly leaveOut: readonly ClusterRef[]
  /** `--accept-unproven-clone`: go on where lineage is unknown. Never waives a proof to the contrary. */
  readonly waiveCloneProof: boolean
  /** Whether every known member of the family must be named or left out. */
  readonly requireFamilyNamed: boolean
  /** Whether a cluster that is left out because it is lost is owed what the others get, and needs a reason. */
  readonly lostIsDebt?: boolean
  /** Clusters that are no typing mistake when they are left out, although AWS lists them no more. */
  readonly knownBefore?: readonly ClusterId[]
  /** What earlier rotations of this machine knew of their families. */
  readonly knownFamilies?: readonly KnownFamily[]
  /** Whether a plan file says which clusters take part, so that no flag can. */
  readonly isPlanned?: boolean
}

/** The clusters, found and judged. */
export interface ClusterChoice {
  readonly source: Cluster
  /** In the order they were named. */
  readonly destinations: readonly Cluster[]
  /** Name of the source cluster's family. */
  readonly family: string
  /** Why each destination is held to be a clone of the source, in the order of `destinations`. */
  readonly verdicts: readonly DestinationVerdict[]
  readonly leftOut: readonly Cluster[]
  /** Clusters left out that no Region listed, because one did not answer, or because they are gone. */
  readonly leftOutUnseen: readonly ClusterRef[]
  /** Regions that did not answer, where members of the family may be. */
  readonly unseenRegions: readonly UnseenRegion[]
  /** What an operator should know although it stops nothing: Regions that did not answer, a waived proof. */
  readonly warnings: readonly string[]
}

/** A verdict over the source cluster and one destination. */
export interface DestinationVerdict extends CloneVerdict {
  readonly destination: Cluster['clusterId']
  /** Whether `--accept-unproven-clone` was what let it pass. */
  readonly waived: boolean
}

/**
 * Finds the clusters an operator named and refuses any choice that could not be carried out.
 * @throws {OperatorError} exit 2: see `checkClusterRefs`
 * @throws {OperatorError} exit 3: `CLUSTER_NOT_FOUND`, `AMBIGUOUS_CLUSTER`, `CLUSTER_NOT_ACTIVE`, `NO_ACTIVE_HSM`,
 *   `NOT_A_CLONE` (proved, cannot be waived), `CLONE_UNPROVEN` (can), `FAMILY_MEMBER_NOT_NAMED`, `FAMILY_MEMBER_UNSEEN`
 */
export const chooseClusters = (discovery: Discovery, request: ClusterChoiceRequest): ClusterChoice => {
  checkClusterRefs(request)
  const source = findCluster(discovery, request.source)
  const destinations = request.destinations.map((ref) => findDestination(discovery, ref, request))
  const { leftOut, leftOutUnseen } = findLeftOut(discovery, request)
  refuseUnusable(source)
  for (const cluster of destinations) orWithoutIt(refOf(cluster), request, () => refuseUnusable(cluster))
  const verdicts = destinations.map((destination) => judgeDestination(discovery, source, destination, request))
  const family = familyOf(discovery, source.clusterId)
  const known = membersKnown(request.knownFamilies ?? [], family?.family ?? source.clusterId, [
    ...(family?.clusterIds ?? []),
    ...[source, ...destinations].map(({ clusterId }) => clusterId),
  ])
  const named = [source, ...destinations, ...leftOut]
  const unnamed = unnamedOf(discovery, source, family, known, named)
  const unseen = unseenOf(discovery, known, [...named.map(idOf), ...leftOutUnseen.map(idOf)])
  const familyName = family?.family ?? source.clusterId
  if (request.requireFamilyNamed) {
    refuseUnnamed(unnamed, familyName, request, leftOut)
    refuseUnseen(unseen, familyName, request)
  }
  return {
    source,
    destinations,
    family: familyName,
    verdicts,
    leftOut,
    leftOutUnseen,
    unseenRegions: unansweredIn(discovery).map(({ region, profile, error }) => ({ region, profile, error })),
    warnings: [
      ...warningsOf(discovery, verdicts, leftOutUnseen),
      ...unnamed.map((cluster) => `${showCluster(cluster)} belongs to ${familyName} as well, and takes no part`),
      ...unseen.map(({ member, why }) => `${belongs(member, familyName)}, and takes no part; ${why}`),
    ],
  }
}

/**
 * What is wrong with the references whatever AWS may answer; call it before asking.
 * @throws {OperatorError} exit 2: `SOURCE_IS_DESTINATION`, `DUPLICATE_DESTINATION`, `LEFT_OUT_AND_NAMED`
 */
export const checkClusterRefs = ({
  source,
  destinations,
  leaveOut,
}: Pick<ClusterChoiceRequest, 'source' | 'destinations' | 'leaveOut'>): void => {
  const same = destinations.find((ref) => ref.clusterId === source.clusterId)
  if (same !== undefined) {
    throw usageError('SOURCE_IS_DESTINATION', `${showClusterRef(same)} is both source and destination`, [
      'name each cluster once: lockstep clusters list   shows the members of its family',
    ])
  }
  const twice = destinations.find((ref, index) =>
    destinations.slice(0, index).some(({ clusterId }) => clusterId === ref.clusterId),
  )
  if (twice !== undefined) {
    throw usageError('DUPLICATE_DESTINATION', `${showClusterRef(twice)} is named twice as destination`)
  }
  const both = leaveOut.find((ref) => [source, ...destinations].some(({ clusterId }) => clusterId === ref.clusterId))
  if (both !== undefined) {
    throw usageError('LEFT_OUT_AND_NAMED', `${showClusterRef(both)} is left out and named as well`)
  }
}

/** A typing mistake is refused; a cluster in a Region that is down may be left out unseen, that being the reason. */
const findLeftOut = (
  discovery: Discovery,
  { leaveOut: refs, knownBefore = [], knownFamilies = [] }: ClusterChoiceRequest,
): { leftOut: Cluster[]; leftOutUnseen: ClusterRef[] } => {
  const isKnown = (clusterId: ClusterId) =>
    knownFamilies.some(({ members }) => members.some((member) => member.clusterId === clusterId))
  const mayBeUnseen = (ref: ClusterRef) =>
    gapsIn(discovery, ref.region).length > 0 ||
    knownBefore.includes(ref.clusterId) ||
    (isKnown(ref.clusterId) && whyUnseen(discovery, ref)?.kind === 'silent')
  // It was named to be asked for by its profile, and is there no more.
  const isGone = (ref: ClusterRef) =>
    ref.profile !== undefined &&
    isKnown(ref.clusterId) &&
    lookForCluster(discovery, ref) === undefined &&
    whyUnseen(discovery, ref) === null
  const found = refs
    .filter((ref) => !isGone(ref))
    .map((ref) => ({
      ref,
      cluster: mayBeUnseen(ref) ? lookForCluster(discovery, ref) : findCluster(discovery, ref),
    }))
  return {
    leftOut: found.flatMap(({ cluster }) => cluster ?? []),
    leftOutUnseen: found.filter(({ cluster }) => cluster === undefined).map(({ ref }) => ref),
  }
}

/** One that is not found because its Region did not answer may be left out. */
const findDestination = (discovery: Discovery, ref: ClusterRef, request: ClusterChoiceRequest): Cluster =>
  gapsIn(discovery, ref.region).length > 0
    ? orWithoutIt(ref, request, () => findCluster(discovery, ref))
    : findCluster(discovery, ref)

/** Does something with a destination; where it is refused for now, the others need not wait for it. */
const orWithoutIt = <T>(ref: ClusterRef, request: ClusterChoiceRequest, work: () => T): T => {
  try {
    return work()
  } catch (error) {
    if (!(error instanceof OperatorError)) throw error
    const { code, message, suggestions, exitCode } = error
    const named = `--destination ${showClusterRef(ref)}`
    const advice = request.requireFamilyNamed
      ? onThePlan(request, `to go on without it: ${leaveOut([ref], request)} in the place of ${named}`)
      : `to go on without it: leave ${named} out`
    throw new OperatorError(code, message, { suggestions: [...suggestions, advice], exitCode, cause: error })
  }
}

/** The flags that leave clusters out of which some cannot be taken along now. */
const leaveOut = (refs: readonly ClusterRef[], { lostIsDebt = false }: ClusterChoiceRequest): string =>
  [...refs.map((ref) => `--leave-out ${showClusterRef(ref)}`), ...(lostIsDebt ? ['--reason TEXT'] : [])].join(' ')

const isUsable = (cluster: Cluster): boolean => cluster.state === 'ACTIVE' && activeHsms(cluster).length > 0

const refuseUnusable = (cluster: Cluster): void => {
  const shown = showCluster(cluster)
  if (cluster.state !== 'ACTIVE') {
    throw refusal('CLUSTER_NOT_ACTIVE', `cluster ${shown} is ${cluster.state}, not ACTIVE`, [
      `wait until it is: lockstep clusters list --region ${cluster.region}`,
    ])
  }
  if (activeHsms(cluster).length > 0) return
  const states = cluster.hsms.map(
    ({ hsmId, state, eniIp }) => `${hsmId} ${state}${eniIp === null ? ', no address' : ''}`,
  )
  throw refusal(
    'NO_ACTIVE_HSM',
    `cluster ${shown} has no ACTIVE HSM (${states.length === 0 ? 'it has none at all' : states.join('; ')})`,
    [
      `add one: aws cloudhsmv2 create-hsm --region ${cluster.region} --cluster-id ${cluster.clusterId} --availability-zone ZONE`,
    ],
  )
}

const judgeDestination = (
  discovery: Discovery,
  source: Cluster,
  destination: Cluster,
  { waiveCloneProof }: ClusterChoiceRequest,
): DestinationVerdict => {
  const verdict = judgePair(discovery, source, destination)
  const answer = { ...verdict, destination: destination.clusterId, waived: false }
  if (verdict.verdict === 'clone' || verdict.verdict === 'probably-clone') return answer
  const pair = `${showCluster(destination)} and ${showCluster(source)}`
  if (isDisproved(verdict)) {
    const reasons = [...verdict.evidence.map(({ detail }) => detail), ...(verdict.missing ? [verdict.missing] : [])]
    throw refusal('NOT_A_CLONE', `${pair} are not clones: ${[...new Set(reasons)].join('; ')}`, [
      'lockstep clusters list   shows which clusters form a family',
    ])
  }
  if (waiveCloneProof) return { ...answer, waived: true }
  throw refusal('CLONE_UNPROVEN', `nothing proves that ${pair} are clones: ${verdict.missing}`, [
    `lockstep clusters verify ${showClusterRef(refOf(source))} ${showClusterRef(refOf(destination))}`,
    'if you know that they are, add --accept-unproven-clone',
  ])
}

const idOf = ({ clusterId }: Pick<ClusterRef, 'clusterId'>): ClusterId => clusterId

/**
 * Members of the family that AWS lists, and that are not named. Where AWS shows no lineage of one that journals know, it
 * counts; where AWS proves it to be no clone, not.
 */
const unnamedOf = (
  discovery: Discovery,
  source: Cluster,
  family: CloneFamily | undefined,
  known: readonly KnownMember[],
  named: readonly Cluster[],
): readonly Cluster[] => {
  const isMember = (cluster: Cluster): boolean =>
    family?.clusterIds.includes(cluster.clusterId) === true ||
    (known.some((member) => matchesId(cluster, member)) && !isDisproved(judgePair(discovery, source, cluster)))
  return discovery.clusters.filter((cluster) => !named.includes(cluster) && !isDeleted(cluster) && isMember(cluster))
}

/** A member that journals know and AWS does not list, and why nobody knows whether it is there. */
interface Unseen extends Unanswered {
  readonly member: KnownMember
}

const unseenOf = (
  discovery: Discovery,
  members: readonly KnownMember[],
  named: readonly ClusterId[],
): readonly Unseen[] =>
  members.flatMap((member) => {
    if (named.includes(member.clusterId) || discovery.clusters.some((cluster) => matchesId(cluster, member))) return []
    const unanswered = whyUnseen(discovery, member)
    return unanswered === null ? [] : [{ member, ...unanswered }]
  })

const matchesId = (cluster: Cluster, { clusterId, region }: ClusterRef): boolean =>
  cluster.clusterId === clusterId && (region === undefined || cluster.region === region)

/** `eu-west-1/cluster-… belongs to family-… as well, says r-…, which owes it the credential (the Region is gone)`. */
const belongs = ({ rotationId, owed, ...ref }: KnownMember, family: string): string =>
  `${showClusterRef(ref)} belongs to ${family} as well, says ${rotationId}${owed === null ? '' : `, which owes it the credential (${owed})`}`

const refuseUnnamed = (
  unnamed: readonly Cluster[],
  family: string,
  request: ClusterChoiceRequest,
  leftOut: readonly Cluster[],
): void => {
  if (unnamed.length === 0) return
  const all = [...leftOut, ...unnamed]
  throw refusal(
    'FAMILY_MEMBER_NOT_NAMED',
    `${unnamed.map(showCluster).join(', ')} ${unnamed.length === 1 ? 'belongs' : 'belong'} to ${family} as well, and would keep the old credential`,
    [
      ...unnamed.filter(isUsable).map((cluster) => `${asDestination(refOf(cluster))}   to take it along`),
      `${leaveOut(all.map(refOf), needsReason(all, request) ? request : { ...request, lostIsDebt: false })}   to leave ${all.length === 1 ? 'it' : 'them'} out knowingly`,
    ].map((flags) => onThePlan(request, flags)),
  )
}

/** Whether one of them would be a debt: because it is lost, or because the rotation is about it already. */
const needsReason = (clusters: readonly Cluster[], { knownBefore = [] }: ClusterChoiceRequest): boolean =>
  clusters.some((cluster) => !isUsable(cluster) || knownBefore.includes(cluster.clusterId))

/** What the journals of this machine know counts although AWS does not say it now. */
const refuseUnseen = (unseen: readonly Unseen[], family: string, request: ClusterChoiceRequest): void => {
  if (unseen.length === 0) return
  const refsOf = (kind: Unanswered['kind']): readonly ClusterRef[] =>
    unseen.filter((one) => one.kind === kind).map(({ member }) => member)
  const [silent, unasked] = [refsOf('silent'), refsOf('not-asked')]
  const [byRegion, byProfile] = [
    unasked.filter(({ profile }) => profile === undefined),
    unasked.filter(({ profile }) => profile !== undefined),
  ]
  const them = (refs: readonly ClusterRef[]) => (refs.length === 1 ? 'it' : 'them')
  throw refusal(
    'FAMILY_MEMBER_UNSEEN',
    `${unseen.map(({ member, why }) => `${belongs(member, family)}, and was not seen: ${why}`).join('; ')}; ${unseen.length === 1 ? 'it' : 'they'} would keep the old credential`,
    [
      ...(silent.length === 0
        ? []
        : [
            `${silent.map(asDestination).join(' ')}   to take ${them(silent)} along, once AWS answers there`,
            `${leaveOut([...request.leaveOut, ...silent], request)}   to leave ${them(silent)} out knowingly: a debt until rotate resume finds ${them(silent)} back`,
          ]),
      ...(unasked.length === 0
        ? []
        : [
            `${unasked.map(asDestination).join(' ')}   to take ${them(unasked)} along`,
            ...(byRegion.length > 0
              ? [
                  `${byRegion.map(({ region }) => `--region ${region}`).join(' ')}   to ask whether ${them(byRegion)} can be left out`,
                ]
              : []),
            ...(byProfile.length > 0
              ? [
                  `${leaveOut([...request.leaveOut, ...byProfile], request)}   to ask by ${byProfile.length === 1 ? 'its profile' : 'their profiles'}, and to leave ${them(byProfile)} out knowingly`,
                ]
              : []),
          ]),
    ].map((flags) => onThePlan(request, flags)),
  )
}

const asDestination = (ref: ClusterRef): string => `--destination ${showClusterRef(ref)}`

/** Flags that say who takes part belong to a plan where there is one. */
const onThePlan = ({ isPlanned = false }: ClusterChoiceRequest, advice: string): string =>
  isPlanned ? `on a new plan (rotate plan): ${advice}` : advice

const warningsOf = (
  discovery: Discovery,
  verdicts: readonly DestinationVerdict[],
  unseen: readonly ClusterRef[],
): string[] => [
  ...gapsIn(discovery).map((gap) => `not every Region was seen, members of the family may be missing: ${gap}`),
  ...unseen.map((ref) => `${showClusterRef(ref)} is left out and was not seen`),
  ...verdicts.filter(({ waived }) => waived).map((one) => `clone proof waived for ${one.destination}: ${one.missing}`),
]
