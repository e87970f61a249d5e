import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { ClusterLocks, LockFinder } from '../domain/cluster-lock.js'
import type { RotationId } from '../domain/ids.js'
import type { LockForm } from '../domain/lock-form.js'
import type { JournalShelf } from '../domain/rotation/journal.js'
import { describeAction } from '../domain/rotation/last-action.js'
import { ledgerOf } from '../domain/rotation/ledger.js'
import { rotationOf } from '../domain/rotation/rotation.js'
import { rotationIdAt } from '../domain/rotation/rotation-id.js'
import type { StartPorts } from '../use-cases/rotation/ports.js'
import { journals } from './journals.js'
import { localLocks } from './lock/local-locks.js'
import { locksTogether } from './lock/locks-together.js'
import { refusedLoginsFile } from './refused-logins-file.js'
import { stateDirectory } from './state-directory.js'

const now = () => new Date()

/**
 * Everything a rotation keeps below the state directory: journals, locks, refused officers.
 * @param notice told what people should know about what was found there
 */
export const rotationState = async (
  shared?: SharedLockChoice,
  notice?: (text: string) => void,
): Promise<Pick<StartPorts, 'locks' | 'shelf' | 'refusedLogins' | 'newRotationId' | 'clock'>> => {
  const root = stateDirectory()
  const shelf = journals()
  return {
    clock: { now, wait: (ms) => sleep(ms) },
    shelf,
    locks: await rotationLocks(shared, notice),
    refusedLogins: refusedLoginsFile(join(root, 'refused-logins.json'), now),
    newRotationId: () =>
      rotationIdAt(now(), randomBytes(8).toString('base64url').toLowerCase().replace(/[-_]/g, 'x').slice(0, 4)),
  }
}

/** A lock that other machines see, beside the one below the state directory. */
export interface SharedLockChoice {
  readonly form: LockForm
  /** The longest an HSM may take for a command, in milliseconds. */
  readonly commandMs: number
  readonly notice: (text: string) => void
}

/** Locks below the state directory, and the shared one where that is wanted. The AWS client is loaded for it alone. */
export const rotationLocks = async (
  shared?: SharedLockChoice,
  notice?: (text: string) => void,
): Promise<ClusterLocks & LockFinder> => {
  const shelf = journals()
  const last = (rotationId: RotationId) => lastAction(shelf, rotationId)
  const local = localLocks(join(stateDirectory(), 'locks'), now, {
    lastAction: last,
    ...(notice === undefined ? {} : { notice }),
  })
  if (shared === undefined) return local
  const [{ LockTable }, { leaseTimes, sharedLocks }] = await Promise.all([
    import('./lock/dynamodb/lock-table.js'),
    import('./lock/dynamodb/shared-locks.js'),
  ])
  const table = new LockTable(shared.form.table, process.env)
  const isFinished = async (rotationId: RotationId) => {
    const found = await shelf.read(rotationId).catch(() => null)
    return found !== null && rotationOf(ledgerOf(found.entries)).outcome !== 'paused'
  }
  const times = leaseTimes(shared.commandMs)
  return locksTogether(local, sharedLocks({ table, times, lastAction: last, isFinished, notice: shared.notice }))
}

/** The newest line of a journal in a few words; null where it cannot be read. */
const lastAction = async (shelf: JournalShelf, rotationId: RotationId): Promise<string | null> => {
  const found = await shelf.read(rotationId).catch(() => null)
  const last = found?.entries.at(-1)
  return last === undefined ? null : describeAction(last)
}
