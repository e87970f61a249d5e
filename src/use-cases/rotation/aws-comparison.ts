import type { Discovery } from '../../domain/clone-family.js'
import type { ServerId } from '../../domain/ids.js'
import type { RosterEntry } from '../../domain/roster.js'
import type { RotationLedger } from '../../domain/rotation/rotation.js'
import { Pause } from './pause.js'
import type { RotationRun } from './rotation-run.js'

/** How AWS's view differs from the roster of a rotation. */
export interface RosterChanges {
  /** HSMs that can become targets: ACTIVE, in a cluster of the rotation, and new. */
  readonly added: readonly RosterEntry[]
  /** Everything else, in words: HSMs replaced, lost or not ACTIVE. */
  readonly other: readonly string[]
}

/**
 * Compares what AWS reports now with the roster of the rotation.
 * @param ledger HSMs it lists as debts are expected to be in any state, or gone
 */
export const rosterChanges = ({ plan, debts }: RotationLedger, now: Discovery): RosterChanges => {
  const added: RosterEntry[] = []
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
    for (const { hsmId, eniIp } of planned) {
      if (debts.has(hsmId)) continue
      const hsm = cluster.hsms.find((candidate) => candidate.hsmId === hsmId)
      if (hsm === undefined) other.push(`${hsmId} (${eniIp}) is gone from ${clusterId}`)
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
  return { added, other }
}

/**
 * @throws {Pause} `ROSTER_CHANGED`, naming every HSM that was added, replaced, lost or is not ACTIVE
 */
export const refuseRosterChanges = (run: RotationRun, now: Discovery): void => {
  const { added, other } = rosterChanges(run.ledger, now)
  const words = [...other, ...added.map(({ hsmId, clusterId }) => `${hsmId} was added to ${clusterId}`)]
  if (words.length === 0) return
  throw new Pause(
    'ROSTER_CHANGED',
    `AWS reports other HSMs than this rotation was planned for: ${words.join('; ')}`,
    other.length === 0 ? ['resume takes the added HSMs along'] : [],
  )
}
