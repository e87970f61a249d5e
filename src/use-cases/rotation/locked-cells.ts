import { findUser, type HsmUser } from '../../domain/hsm-user.js'
import type { HsmId } from '../../domain/ids.js'
import type { JournalEvent } from '../../domain/rotation/journal-entry.js'
import { isLocked } from '../../domain/rotation/login-budget.js'
import type { PlannedUser } from '../../domain/rotation/plan.js'
import type { RotationLedger } from '../../domain/rotation/rotation.js'

/**
 * What a listing says of locks that the journal does not know yet. Where the utility does not show the lock itself, a
 * count at the limit stands for it.
 * @param limit the failed login that locks
 */
export const lockChanges = (
  ledger: RotationLedger,
  users: readonly PlannedUser[],
  hsmId: HsmId,
  listed: readonly HsmUser[],
  limit: number,
): JournalEvent[] =>
  users.flatMap((user): JournalEvent[] => {
    const row = findUser(listed, user)
    if (row === undefined || (row.locked === null && row.loginFailureCount === null)) return []
    const locked = isLocked(row, limit)
    const known = ledger.cell(user.key, hsmId).state === 'locked'
    if (locked === known) return []
    return [{ type: locked ? 'locked' : 'unlocked', user: user.key, hsmId }]
  })
