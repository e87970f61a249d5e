import type { FoundLock, LockFinder } from '../../domain/cluster-lock.js'
import { EXIT, OperatorError, refusal } from '../../domain/errors.js'
import type { ClusterId, RotationId } from '../../domain/ids.js'
import type { Operator } from '../../domain/operator.js'

/**
 * Removes the locks that a rotation left behind. One whose holder may still run elsewhere is removed only when the
 * operator knows that it does not. All locks are judged before the first is removed.
 * @returns the clusters whose lock was removed; empty where there was none
 * @throws {OperatorError} `LOCKED` (exit 5) while a holder runs, `DECLINED` (exit 3)
 */
export const unlockRotation = async (
  rotationId: RotationId,
  locks: LockFinder,
  operator: Operator,
): Promise<readonly ClusterId[]> => {
  const found = await locks.find(rotationId)
  const alive = found.find((lock) => lock.process === 'runs')
  if (alive !== undefined) {
    throw new OperatorError('LOCKED', `${rotationId} is being worked on: ${held(alive)}`, {
      exitCode: EXIT.locked,
      suggestions: [`lockstep rotate status --rotation ${rotationId}`, adviceFor(alive)],
    })
  }
  for (const lock of found.filter(({ process }) => process === 'unknown')) {
    if (await operator.confirm(`${held(lock)}. Is that process certainly gone?`)) continue
    throw refusal('DECLINED', `declined; no lock of ${rotationId} was removed`, [
      'a process that still runs could change HSMs beside another run; --yes answers the question',
    ])
  }
  const removed = new Set<ClusterId>()
  for (const lock of found) if (await lock.remove()) removed.add(lock.clusterId)
  return [...removed].sort()
}

/** What ends a lock whose holder lives: a local one has no lease. */
const adviceFor = ({ leased, holder }: FoundLock): string =>
  leased
    ? 'if that machine is gone, its lease runs out within minutes; repeat the command then'
    : `wait until that process ends, or kill -INT ${holder.pid} there: it finishes the HSM in hand, and resume goes on`

const held = ({ clusterId, holder, place }: FoundLock): string =>
  `${clusterId} is locked in ${place} by ${holder.user}@${holder.host}, process ${holder.pid}, since ${holder.since}`
