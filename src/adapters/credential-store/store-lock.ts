import { setTimeout as sleep } from 'node:timers/promises'
import lockfile from 'proper-lockfile'
import { EXIT, OperatorError, refusal } from '../../domain/errors.js'
import { fileTrouble } from '../files/trouble.js'

/** After this long without a sign of life a lock counts as left behind by a process that was killed. */
const STALE_MS = 5_000
/** Together longer than `STALE_MS`, so that a lock left behind delays a command and does not end it. */
const WAITS_MS = [25, 50, 100, 200, ...Array<number>(36).fill(250)]

/**
 * Does `work` while no other process updates the store: two that read, change and write at the same time would lose
 * one of the changes.
 * @param work gets a check that throws when the lock was lost meanwhile
 * @throws {OperatorError} `STORE_BUSY` (exit 5), `STORE_UNWRITABLE` (exit 3)
 */
export const withStoreLock = async (path: string, work: (assertLocked: () => void) => Promise<void>): Promise<void> => {
  let lost = false
  const release = await whenFree(() =>
    lockfile.lock(path, {
      realpath: false,
      stale: STALE_MS,
      update: STALE_MS / 5,
      onCompromised: () => {
        lost = true
      },
    }),
  ).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ELOCKED') throw busy(path, 'is being updated by another process')
    throw refusal('STORE_UNWRITABLE', `the credential store cannot be locked: ${path}.lock ${lockTrouble(error)}`, [
      isForeign(error)
        ? `where it is nobody's: move ${path}.lock away`
        : 'the folder of the store must exist and be open to you',
    ])
  })
  try {
    await work(() => {
      if (lost) throw busy(path, 'was taken over by another process')
    })
  } finally {
    if (!lost) await release().catch(() => undefined)
  }
}

/** Tries again for as long as somebody else has the lock; the library would do so whatever stands in the way. */
const whenFree = async <T>(take: () => Promise<T>): Promise<T> => {
  for (const waitMs of WAITS_MS) {
    try {
      return await take()
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ELOCKED') throw error
    }
    await sleep(waitMs)
  }
  return take()
}

/** The lock is an empty folder: anything else under its name was not made by this program, and is not removed. */
const isForeign = ({ code }: NodeJS.ErrnoException): boolean => code === 'ENOTDIR' || code === 'ENOTEMPTY'

const lockTrouble = (error: NodeJS.ErrnoException): string =>
  isForeign(error) ? 'is something else than a lock' : fileTrouble(error)

const busy = (path: string, why: string) =>
  new OperatorError('STORE_BUSY', `the credential store ${path} ${why}`, {
    suggestions: ['repeat the command when the other one has ended'],
    exitCode: EXIT.locked,
  })
