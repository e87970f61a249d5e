import type { UnitId } from '../../domain/ids.js'
import { nameUnit, type RotationPlan } from '../../domain/rotation/plan.js'

/** The plan in words, for the question before the first change. */
export const renderPlan = (plan: RotationPlan): string => {
  const { parts, roster } = plan
  const where = (unitId: UnitId) => nameUnit(roster, unitId)
  const lines = [
    `users          ${plan.users.map((user) => user.key).join(', ')}`,
    `first          ${where(parts.first)}`,
    `canary         ${where(parts.canary)}`,
    ...parts.waves.map((wave, index) => `wave ${index + 1}         ${wave.name}: ${wave.units.join(', ')}`),
    `restore point  ${where(parts.restorePoint)}`,
    `logins         one per user and HSM with the new credential, ${roster.length * plan.users.length} in all`,
  ]
  if (plan.leftOut.length > 0) {
    lines.push(`left out       ${plan.leftOut.map((cluster) => `${cluster.region}/${cluster.clusterId}`).join(', ')}`)
  }
  return lines.join('\n')
}
