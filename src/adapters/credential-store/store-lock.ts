import lockfile from 'proper-lockfile'
import { EXIT, OperatorError } from '../../domain/errors.js'
import { fileTrouble } from '../files/trouble.js'

/** After this long without a sign of life a lock counts as left behind by a process that was killed. */
const STALE_MS = 5_000
/** Longer than `STALE_MS`, so that a lock left behind delays a command and does not end it. */
const RETRIES = { retries: 40, minTimeout: 25, maxTimeout: 250 }

/**
 * Does `work` while no other process updates the store: two that read, change and write at the same time would lose
 * one of the changes.
 * @param work gets a check that throws when the lock was lost meanwhile
 * @throws {OperatorError} `STORE_BUSY` (exit 5), `STORE_UNWRITABLE` (exit 3)
 */
export const withStoreLock = async (path: string, work: (assertLocked: () => void) => Promise<void>): Promise<void> => {
  let lost = false
  const release = await lockfile
    .lock(path, {
      realpath: false,
      stale: STALE_MS,
      update: STALE_MS / 5,
      retries: RETRIES,
      onCompromised: () => {
        lost = true
      },
    })
    .catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ELOCKED') throw busy(path, 'is being updated by another process')
      throw new OperatorError(
        'STORE_UNWRITABLE',
        `the credential store cannot be locked: ${path}.lock ${fileTrouble(error)}`,
        {
          suggestions: ['the folder of the store must exist and be open to you'],
        },
      )
    })
  try {
    await work(() => {
      if (lost) throw busy(path, 'was taken over by another process')
    })
  } finally {
    if (!lost) await release().catch(() => undefined)
  }
}

const busy = (path: string, why: string) =>
  new OperatorError('STORE_BUSY', `the credential store ${path} ${why}`, {
    suggestions: ['repeat the command when the other one has ended'],
    exitCode: EXIT.locked,
  })
