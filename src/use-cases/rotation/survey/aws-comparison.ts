import type { Discovery } from '../../../domain/clone-family.js'
import { type OperatorError, refusal } from '../../../domain/errors.js'
import type { ServerId } from '../../../domain/ids.js'
import type { RosterEntry } from '../../../domain/roster.js'
import type { RotationLedger } from '../../../domain/rotation/ledger.js'
import type { RotationRun } from '../run/rotation-run.js'

/** How AWS's view differs from the roster of a rotation. */
export interface RosterChanges {
  /** HSMs that can become targets: ACTIVE, in a cluster of the rotation, and new. */
  readonly added: readonly RosterEntry[]
  /** HSMs that AWS does not list any more, those with debts among them; another one may have taken their place. */
  readonly gone: readonly RosterEntry[]
  /** Everything else, in words: clusters and HSMs that are not listed, not ACTIVE, or elsewhere. */
  readonly other: readonly string[]
}

/**
 * Compares what AWS reports now with the roster of the rotation.
 * @param ledger HSMs it lists as debts may be in any state
 */
export const rosterChanges = ({ plan, debts }: RotationLedger, now: Discovery): RosterChanges => {
  const added: RosterEntry[] = []
  const gone: RosterEntry[] = []
  const other: string[] = []
  for (const { clusterId, region } of [plan.source, ...plan.destinations]) {
    const cluster = now.clusters.find((candidate) => candidate.clusterId === clusterId && candidate.region === region)
    if (cluster === undefined) {
      const problem = now.problems.find((candidate) => candidate.region === region)
      other.push(`${region}/${clusterId} is not listed${problem === undefined ? '' : ` (${problem.error})`}`)
      continue
    }
    if (cluster.state !== 'ACTIVE') other.push(`${clusterId} is ${cluster.state}`)
    const planned = plan.roster.filter((entry) => entry.clusterId === clusterId)
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
        other.push(`${hsmId} was added to ${clusterId} and is ${state}`)
        continue
      }
      const serverId = (plan.roster.length + added.length) as ServerId
      added.push({ serverId, hsmId, eniIp, clusterId, region, role })
    }
  }
  return { added, gone, other }
}

/** Every change in words. */
export const changesInWords = ({ added, gone, other }: RosterChanges): readonly string[] => [
  ...other,
  ...gone.map(({ hsmId, eniIp, clusterId }) => `${hsmId} (${eniIp}) is gone from ${clusterId}`),
  ...added.map(({ hsmId, clusterId }) => `${hsmId} was added to ${clusterId}`),
]

/** The refusal to work with other HSMs than were planned, and what to do about it. */
export const rosterChanged = (changes: RosterChanges): OperatorError => {
  const [first] = changes.gone
  return refusal(
    'ROSTER_CHANGED',
    `AWS reports other HSMs than this rotation was planned for: ${changesInWords(changes).join('; ')}`,
    [
      'lockstep clusters list',
      ...(first === undefined
        ? []
        : [
            `where it is gone for good, resume with --allow-unreachable ${first.hsmId} --reason TEXT; one in its place is taken along`,
          ]),
      ...(changes.added.length > 0 ? ['resume takes the added HSMs along'] : []),
    ],
  )
}

/**
 * Asks AWS and writes down how its answer differs from the roster.
 * @throws {OperatorError} `ROSTER_CHANGED`, naming every HSM that was added, replaced, lost or is not ACTIVE
 */
export const askAws = async (run: RotationRun): Promise<void> => {
  const { added, gone, other } = rosterChanges(run.ledger, await run.parts.discover())
  await agree(run, { added, gone: gone.filter(({ hsmId }) => !run.ledger.debts.has(hsmId)), other })
}

/**
 * HSMs that were added during a rollback may have been built from one that held the new credential; what else AWS reports
 * is no matter to a rotation that goes back.
 * @throws {OperatorError} `ROSTER_CHANGED`
 */
export const refuseAddedHsms = async (run: RotationRun): Promise<void> => {
  const { added } = rosterChanges(run.ledger, await run.parts.discover())
  await agree(run, { added, gone: [], other: [] })
}

const agree = async (run: RotationRun, changes: RosterChanges): Promise<void> => {
  const differences = changesInWords(changes)
  await run.record({ type: 'aws', differences })
  if (differences.length > 0) throw rosterChanged(changes)
}
