import type { UnitId } from '../../domain/ids.js'
import { nameUnit, type RotationPlan, unitsOf, wayBackInDoubt } from '../../domain/rotation/plan.js'
import { UTILITY_WORDS } from '../../domain/utility.js'

/**
 * The plan in words, for the question before the first change.
 * @param byCurrent whether the current credential is a way back
 */
export const renderPlan = (plan: RotationPlan, byCurrent = false): string => {
  const { parts, roster } = plan
  const where = (unitId: UnitId) => nameUnit(roster, unitId)
  const lines = [
    `users          ${plan.users.map((user) => user.key).join(', ')}`,
    `first          ${where(parts.first)}`,
    `canary         ${where(parts.canary)}`,
    ...parts.waves.map((wave, index) => `wave ${index + 1}         ${wave.name}: ${wave.units.join(', ')}`),
    `restore point  ${where(parts.restorePoint)}`,
    `logins         ${expectedLogins(plan)}`,
  ]
  const doubt = byCurrent ? null : wayBackInDoubt(plan)
  if (doubt !== null) lines.push(`way back       ${doubt}`)
  if (plan.leftOut.length > 0) {
    lines.push(`left out       ${plan.leftOut.map((cluster) => `${cluster.region}/${cluster.clusterId}`).join(', ')}`)
  }
  return lines.join('\n')
}

/** How many logins prove the new credential. Whether each HSM can be asked alone shows only in a session. */
const expectedLogins = ({ roster, users, utility }: RotationPlan): string => {
  const perHsm = `one per user and HSM with the new credential, ${roster.length * users.length} in all`
  if (UTILITY_WORDS[utility].unit === 'hsm') return perHsm
  const clusters = unitsOf(roster, utility).length
  return `${perHsm}; where ${utility} reaches the whole cluster at once, one per user and cluster, ${clusters * users.length} in all`
}
