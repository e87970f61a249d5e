import type { HsmUserRef } from '../domain/hsm-user.js'
import type { UnitId } from '../domain/ids.js'
import type { Roster } from '../domain/roster.js'
import type { UserMatrix } from '../domain/rotation/eligibility.js'
import type { LoginBudget } from '../domain/rotation/login-budget.js'
import { unitsOf } from '../domain/rotation/plan.js'
import type { UtilityName } from '../domain/utility/utility.js'
import { rowsOf } from './rotation/sessions/in-session.js'

/** Asks the login budget, and no HSM, where one of these users could still log in. */
export const whereLoginsAreLeft = async (
  users: readonly HsmUserRef[],
  matrix: UserMatrix,
  roster: Roster,
  utility: UtilityName,
  budget: LoginBudget,
): Promise<(user: HsmUserRef, unitId: UnitId) => boolean> => {
  const spent = new Set<string>()
  for (const { unitId, servers } of unitsOf(roster, utility)) {
    for (const user of users) {
      const rows = rowsOf(matrix, servers, user)
      if ((await budget.objection({ user, reached: servers, rows })) !== null) spent.add(placeOf(user, unitId))
    }
  }
  return (user, unitId) => !spent.has(placeOf(user, unitId))
}

const placeOf = ({ name }: HsmUserRef, unitId: UnitId): string => `${unitId} ${name.toLowerCase()}`
