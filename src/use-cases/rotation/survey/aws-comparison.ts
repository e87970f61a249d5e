import {
  type Discovery,
  type DiscoveryProblem,
  gapInWords,
  isDenied,
  permissionAdvice,
} from '../../../domain/clone-family.js'
import { isDeleted } from '../../../domain/cluster.js'
import { type OperatorError, refusal } from '../../../domain/errors.js'
import type { ServerId } from '../../../domain/ids.js'
import { allowUnreachable, type RosterEntry } from '../../../domain/roster.js'
import type { RotationLedger } from '../../../domain/rotation/ledger.js'
import type { PlannedCluster } from '../../../domain/rotation/plan.js'
import { rollbackOutlook } from '../open/rollback-outlook.js'
import type { RotationRun } from '../run/rotation-run.js'

/** How AWS's view differs from the roster of a rotation. */
export interface RosterChanges {
  /** HSMs that can become targets: ACTIVE, in a cluster of the rotation, and new. */
  readonly added: readonly RosterEntry[]
  /** HSMs that AWS does not list any more, those with debts among them; another one may have taken their place. */
  readonly gone: readonly RosterEntry[]
  /** HSMs of clusters whose Region did not answer, so that nobody knows; not those with debts. */
  readonly unseen: readonly RosterEntry[]
  /** All HSMs of such clusters, those with debts among them. */
  readonly silent: readonly RosterEntry[]
  /** Why they are not seen. */
  readonly problems: readonly DiscoveryProblem[]
  /** HSMs that were added and are not ACTIVE yet, in words. */
  readonly arriving: readonly string[]
  /** What is gone or unseen as a whole cluster, in words. */
  readonly clusters: readonly string[]
  /** Everything else, in words: clusters and HSMs that are not ACTIVE, or elsewhere. */
  readonly other: readonly string[]
}

/**
 * Compares what AWS reports now with the roster of the rotation.
 * @param ledger HSMs it lists as debts may be in any state
 */
export const rosterChanges = ({ plan, debts }: RotationLedger, now: Discovery): RosterChanges => {
  const added: RosterEntry[] = []
  const gone: RosterEntry[] = []
  const unseen: RosterEntry[] = []
  const silent: RosterEntry[] = []
  const problems: DiscoveryProblem[] = []
  const arriving: string[] = []
  const clusters: string[] = []
  const other: string[] = []
  for (const { clusterId, region } of [plan.source, ...plan.destinations]) {
    const cluster = now.clusters.find((candidate) => candidate.clusterId === clusterId && candidate.region === region)
    const planned = plan.roster.filter((entry) => entry.clusterId === clusterId)
    const left = planned.filter(({ hsmId }) => !debts.has(hsmId))
    if (cluster === undefined || isDeleted(cluster)) {
      const problem = cluster === undefined ? whyUnanswered(now, region) : undefined
      if (problem === undefined) gone.push(...planned)
      else {
        unseen.push(...left)
        silent.push(...planned)
        if (!problems.includes(problem)) problems.push(problem)
      }
      if (left.length === 0) continue
      const state = cluster === undefined ? 'not listed' : cluster.state
      clusters.push(`${region}/${clusterId} is ${state}${problem === undefined ? '' : `: ${gapInWords(problem)}`}`)
      continue
    }
    if (cluster.state !== 'ACTIVE' && left.length > 0) other.push(`${clusterId} is ${cluster.state}`)
    for (const server of planned) {
      const { hsmId, eniIp } = server
      const hsm = cluster.hsms.find((candidate) => candidate.hsmId === hsmId)
      if (hsm === undefined) gone.push(server)
      else if (debts.has(hsmId)) continue
      else if (hsm.state !== 'ACTIVE') other.push(`${hsmId} is ${hsm.state}`)
      else if (hsm.eniIp !== eniIp) other.push(`${hsmId} moved from ${eniIp} to ${hsm.eniIp ?? 'no address'}`)
    }
    const role = clusterId === plan.source.clusterId ? 'source' : 'destination'
    for (const { hsmId, eniIp, state } of cluster.hsms) {
      if (planned.some((entry) => entry.hsmId === hsmId)) continue
      if (state !== 'ACTIVE' || eniIp === null) {
        arriving.push(`${hsmId} was added to ${clusterId} and is ${state}`)
        continue
      }
      const serverId = (plan.roster.length + added.length) as ServerId
      added.push({ serverId, hsmId, eniIp, clusterId, region, role })
    }
  }
  return { added, gone, unseen, silent, problems, arriving, clusters, other }
}

/** Whether nobody knows what became of the cluster of an HSM: its Region did not answer. */
export const isUnseen = (now: Discovery, { clusterId, region }: Pick<RosterEntry, 'clusterId' | 'region'>): boolean =>
  !now.clusters.some((cluster) => cluster.clusterId === clusterId && cluster.region === region) &&
  whyUnanswered(now, region) !== undefined

/** Why a Region did not list its clusters; undefined where it did. */
const whyUnanswered = ({ problems }: Discovery, region: PlannedCluster['region']): DiscoveryProblem | undefined =>
  problems.find((problem) => problem.region === region && problem.operation === 'DescribeClusters')

/** Every change in words. */
export const changesInWords = ({ added, gone, arriving, clusters, other }: RosterChanges): readonly string[] => [
  ...clusters,
  ...other,
  ...arriving,
  ...gone.map(({ hsmId, eniIp, clusterId }) => `${hsmId} (${eniIp}) is gone from ${clusterId}`),
  ...added.map(({ hsmId, clusterId }) => `${hsmId} was added to ${clusterId}`),
]

/**
 * The refusal to work with other HSMs than were planned, and what to do about it. Where HSMs are gone, every command on the
 * rotation needs the consent to that, and is advised with it.
 */
export const rosterChanged = (changes: RosterChanges, ledger: RotationLedger): OperatorError => {
  const { facts, rollback } = ledger
  const { added, gone, unseen, problems, arriving, other } = changes
  const isSilent = [...added, ...gone, ...arriving, ...other].length === 0
  const flags = allowUnreachable([...gone, ...unseen])
  const outlook = () =>
    rollbackOutlook(
      ledger,
      gone.map(({ hsmId }) => hsmId),
    ).kind
  const consent = `--rotation ${facts.rotationId} ${flags} --reason TEXT`
  return refusal(
    'ROSTER_CHANGED',
    `${isSilent ? 'AWS does not say which HSMs there are' : 'AWS reports other HSMs than this rotation was planned for'}: ${changesInWords(changes).join('; ')}`,
    [
      'lockstep clusters list',
      ...(gone.length > 0
        ? [`where that is so for good, ${flags} --reason TEXT goes on without; what came in its place is taken along`]
        : []),
      ...(unseen.length > 0 ? unseenAdvice(unseen, problems, gone.length > 0 ? null : flags) : []),
      ...(added.length > 0 ? ['resume takes the added HSMs along'] : []),
      ...(gone.length > 0 ? [`lockstep rotate resume ${consent}`] : []),
      ...(gone.length > 0 && rollback === null && outlook() === 'taken' ? [`lockstep rotate rollback ${consent}`] : []),
    ],
  )
}

/** @param flags null where they are named already */
const unseenAdvice = (
  unseen: readonly RosterEntry[],
  problems: readonly DiscoveryProblem[],
  flags: string | null,
): readonly string[] => {
  const causes = problems.filter(({ region }) => unseen.some((server) => server.region === region))
  const denied = new Set<string>(causes.filter(isDenied).map(({ region }) => region))
  const silent = [...new Set(unseen.map(({ region }) => region))].filter((region) => !denied.has(region))
  const how = flags === null ? 'the same goes' : `until then, the same command with ${flags} --reason TEXT goes`
  const without = `${how} on without what is there`
  return [
    ...permissionAdvice(causes),
    silent.length === 0 ? without : `once ${silent.join(', ')} answers, the same command again; ${without}`,
  ]
}

/**
 * Asks AWS and writes down how its answer differs from the roster.
 * @throws {OperatorError} `ROSTER_CHANGED`, naming every HSM that was added, replaced, lost or is not ACTIVE
 */
export const askAws = async (run: RotationRun): Promise<void> => {
  const changes = rosterChanges(run.ledger, await run.parts.discover())
  await agree(run, { ...changes, gone: changes.gone.filter(({ hsmId }) => !run.ledger.debts.has(hsmId)) })
}

/**
 * HSMs that were added during a rollback may have been built from one that held the new credential; what else AWS reports
 * is no matter to a rotation that goes back.
 * @throws {OperatorError} `ROSTER_CHANGED`
 */
export const refuseAddedHsms = async (run: RotationRun): Promise<void> => {
  const changes = rosterChanges(run.ledger, await run.parts.discover())
  const allowed = [...run.parts.options.mayStayBehind.hsmIds, ...run.ledger.owedBack.keys()]
  const unseen = unseenWhereWritten(run, changes).filter(({ hsmId }) => !allowed.includes(hsmId))
  await agree(run, { ...changes, gone: [], unseen, clusters: silentInWords(unseen, changes), other: [] })
}

/** Clusters of these HSMs, and why their Region does not list them, one phrase each. */
export const silentInWords = (
  unseen: readonly RosterEntry[],
  { problems }: Pick<RosterChanges, 'problems'>,
): readonly string[] => [
  ...new Set(
    unseen.map(({ region, clusterId }) => {
      const why = problems.filter((problem) => problem.region === region).map(gapInWords)
      return `${region}/${clusterId} is not listed: ${why.join('; ')}`
    }),
  ),
]

/** HSMs of silent Regions in whose cluster something was written: one that joined there meanwhile may hold the new credential. */
export const unseenWhereWritten = (
  { ledger, users }: RotationRun,
  { silent }: Pick<RosterChanges, 'silent'>,
): readonly RosterEntry[] =>
  silent.filter(
    ({ clusterId }) =>
      ledger.isWrittenGone(clusterId) ||
      ledger.plan.roster.some(
        (server) => server.clusterId === clusterId && users.some(({ key }) => ledger.mayBeWritten(key, server.hsmId)),
      ),
  )

const agree = async (run: RotationRun, changes: RosterChanges): Promise<void> => {
  const differences = changesInWords(changes)
  await run.record({ type: 'aws', differences })
  if (differences.length > 0) throw rosterChanged(changes, run.ledger)
}
