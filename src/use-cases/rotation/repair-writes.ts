import type { UserKey } from '../../domain/hsm-user.js'
import type { UnitId } from '../../domain/ids.js'
import type { Cell } from '../../domain/rotation/cell.js'
import { unitsOf } from '../../domain/rotation/plan.js'
import type { RepairPreview } from './open/repair.js'

/** What a repair would write to one unit. */
export interface RepairWrite {
  readonly unitId: UnitId
  /** A change where the password is known and nothing has to be created; otherwise a copy. */
  readonly act: 'change' | 'copy'
  /** Where it is copied from; null for a change, and for a copy from whatever holds it by then. */
  readonly from: UnitId | null
  readonly users: readonly UserKey[]
}

/**
 * Every write that a repair would make as things stand, unit by unit. A copy that an HSM refuses is made good by a change
 * where the password is known.
 */
export const repairWrites = ({
  plan,
  from,
  cells,
  isProved,
  inPart,
  notAsked,
  refusals,
}: RepairPreview): readonly RepairWrite[] =>
  unitsOf(plan.roster, plan.utility).flatMap(({ unitId, servers }): RepairWrite[] => {
    const hsmIds = servers.map(({ hsmId }) => hsmId)
    const mine = cells.filter(({ hsmId, state }) => hsmIds.includes(hsmId) && state !== 'unreachable')
    const wanting = plan.users.filter(({ key }) => mine.some((cell) => cell.user === key && cell.state !== 'new'))
    const isCopied = (key: UserKey): boolean => {
      const has = (state: Cell['state']) => mine.some((cell) => cell.user === key && cell.state === state)
      const isMissing = has('absent') || inPart.some(({ user, hsmId }) => user === key && hsmIds.includes(hsmId))
      if (from === unitId) return false
      const hasNoLogin = [...notAsked, ...refusals].some((cell) => cell.user === key && hsmIds.includes(cell.hsmId))
      return from === null ? isMissing : isMissing || !isProved || !(has('locked') || hasNoLogin)
    }
    const keys = wanting.map(({ key }) => key)
    const [copied, changed] = [keys.filter(isCopied), keys.filter((key) => !isCopied(key))]
    return [
      ...(copied.length === 0 ? [] : [{ unitId, act: 'copy', from, users: copied } as const]),
      ...(changed.length === 0 ? [] : [{ unitId, act: 'change', from: null, users: changed } as const]),
    ]
  })
