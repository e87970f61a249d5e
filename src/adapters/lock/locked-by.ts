import type { LockHolder } from '../../domain/cluster-lock.js'
import { EXIT, OperatorError } from '../../domain/errors.js'
import type { ClusterId } from '../../domain/ids.js'

/** The refusal that tells who holds a cluster, since when, and what was done last. */
export const lockedBy = (
  clusterId: ClusterId,
  holder: LockHolder,
  lastAction: string | null,
  suggestions?: readonly string[],
): OperatorError =>
  new OperatorError(
    'LOCKED',
    `${clusterId} is in use by ${holder.rotationId ?? 'a rotation that is being prepared'}: ${holder.user}@${holder.host}, ` +
      `process ${holder.pid}, since ${holder.since}${lastAction === null ? '' : `, last action: ${lastAction}`}`,
    {
      exitCode: EXIT.locked,
      suggestions: suggestions ?? [
        holder.rotationId === null ? 'wait until it ends' : `lockstep rotate status --rotation ${holder.rotationId}`,
      ],
    },
  )

/** The error for a lock that is not held any more, or may not be before the next command has ended. */
export const lockLost = (what: string): OperatorError =>
  new OperatorError('LOCK_LOST', what, {
    exitCode: EXIT.locked,
    suggestions: ['lockstep rotate list   shows whether another rotation works on it'],
  })
