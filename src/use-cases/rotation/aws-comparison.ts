import type { Discovery } from '../../domain/clone-family.js'
import type { RotationPlan } from '../../domain/rotation/plan.js'
import { Pause } from './pause.js'

/**
 * Compares what AWS reports now with the roster of the rotation.
 * @throws {Pause} `ROSTER_CHANGED`, naming every HSM that was added, replaced, lost or is not ACTIVE
 */
export const refuseRosterChanges = (plan: RotationPlan, now: Discovery): void => {
  const changes: string[] = []
  for (const { clusterId, region } of [plan.source, ...plan.destinations]) {
    const cluster = now.clusters.find((candidate) => candidate.clusterId === clusterId && candidate.region === region)
    if (cluster === undefined) {
      const problem = now.problems.find((candidate) => candidate.region === region)
      changes.push(`${region}/${clusterId} is not listed${problem === undefined ? '' : ` (${problem.error})`}`)
      continue
    }
    if (cluster.state !== 'ACTIVE') changes.push(`${clusterId} is ${cluster.state}`)
    const planned = plan.roster.filter((entry) => entry.clusterId === clusterId)
    for (const { hsmId, eniIp } of planned) {
      const hsm = cluster.hsms.find((candidate) => candidate.hsmId === hsmId)
      if (hsm === undefined) changes.push(`${hsmId} (${eniIp}) is gone from ${clusterId}`)
      else if (hsm.state !== 'ACTIVE') changes.push(`${hsmId} is ${hsm.state}`)
      else if (hsm.eniIp !== eniIp) changes.push(`${hsmId} moved from ${eniIp} to ${hsm.eniIp ?? 'no address'}`)
    }
    for (const hsm of cluster.hsms) {
      if (!planned.some((entry) => entry.hsmId === hsm.hsmId)) changes.push(`${hsm.hsmId} was added to ${clusterId}`)
    }
  }
  if (changes.length === 0) return
  throw new Pause('ROSTER_CHANGED', `AWS reports other HSMs than this rotation was planned for: ${changes.join('; ')}`)
}
