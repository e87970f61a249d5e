import { constants } from 'node:fs'
import { link, mkdir, open, readdir, rm, truncate } from 'node:fs/promises'
import { join } from 'node:path'
import { EXIT, OperatorError, refusal } from '../../domain/errors.js'
import { isRotationId, type RotationId } from '../../domain/ids.js'
import { followReadable } from '../../domain/rotation/follow-rotation.js'
import type { FoundJournal, JournalShelf } from '../../domain/rotation/journal.js'
import type { JournalEntry, RotationFacts } from '../../domain/rotation/journal-entry.js'
import { type Rotation, rotationOf } from '../../domain/rotation/rotation.js'
import { fileTrouble } from '../files/trouble.js'
import { followJournal } from './follow.js'
import { ELSEWHERE, JOURNAL_START, JournalFile, unwritable } from './journal-file.js'

const SUFFIX = '.jsonl'

/** Where the journal of a rotation is kept. */
export const journalPath = (folder: string, rotationId: RotationId): string => join(folder, `${rotationId}${SUFFIX}`)

/**
 * Journals as JSON Lines below `folder`, one file per rotation, append-only. Each line names the hash of the line
 * before it, so that an edited or lost line is noticed.
 */
export const journalShelf = (folder: string, now: () => Date): JournalShelf => {
  const pathOf = (rotationId: RotationId) => journalPath(folder, rotationId)
  const follow = (rotationId: RotationId, entry: (entry: JournalEntry) => void) =>
    followJournal(pathOf(rotationId), rotationId, entry)

  /** Puts a journal that is broken or empty under another name, where no command looks for it. */
  const setAside = async (rotationId: RotationId): Promise<string | null> => {
    const code = await follow(rotationId, () => undefined).then(
      () => 'whole',
      (error: unknown) => (error as { code?: unknown }).code,
    )
    if (code !== 'JOURNAL_BROKEN' && code !== 'JOURNAL_EMPTY') return null
    const path = pathOf(rotationId)
    const stamp = now()
      .toISOString()
      .replaceAll(/[-:]|\.\d+/g, '')
    const aside = `${path}.${code === 'JOURNAL_EMPTY' ? 'empty' : 'broken'}-${stamp}`
    // A rename would replace what an earlier recovery put there.
    await link(path, aside)
    await rm(path)
    return aside
  }

  return {
    async create(facts: RotationFacts) {
      const path = pathOf(facts.rotationId)
      try {
        await mkdir(folder, { recursive: true, mode: 0o700 })
        const aside = await setAside(facts.rotationId)
        const file = await open(
          path,
          constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_APPEND,
          0o600,
        )
        const journal = new JournalFile(path, file, now, JOURNAL_START)
        try {
          const first = await journal.append({ type: 'started', facts })
          await syncFolder(folder)
          return { journal, first, setAside: aside }
        } catch (error) {
          // Nothing has begun: a journal that says otherwise would keep the next rotation off these clusters.
          await journal.close()
          await rm(path, { force: true }).catch(() => undefined)
          throw error
        }
      } catch (error) {
        throw unwritable(path, error, ELSEWHERE)
      }
    },
    async follow(rotationId, entry) {
      const { torn } = await follow(rotationId, entry)
      return { torn }
    },
    async read(rotationId: RotationId): Promise<FoundJournal> {
      const entries: JournalEntry[] = []
      const { torn } = await follow(rotationId, (entry) => entries.push(entry))
      return { rotationId, entries, torn }
    },
    async reopen(rotationId) {
      const entries: JournalEntry[] = []
      const { torn, bytes, previous } = await follow(rotationId, (entry) => entries.push(entry))
      const path = pathOf(rotationId)
      try {
        if (torn) await truncate(path, bytes)
        const file = await open(path, constants.O_WRONLY | constants.O_APPEND)
        const journal = new JournalFile(path, file, now, { seq: entries.length, previous, bytes })
        return { rotationId, entries, torn, journal }
      } catch (error) {
        throw unwritable(path, error, ['make the file writable for this user, and free some space for it'])
      }
    },
    async openRotations(clusterIds) {
      return (await this.rotationsOn(clusterIds)).filter(({ closed }) => !closed)
    },
    async rotationsOn(clusterIds) {
      const rotations: Rotation[] = []
      for (const rotationId of await this.list()) {
        const { ledger, trouble } = await followReadable(this, rotationId)
        // A crash before the first line was on the disk: nothing had begun.
        if (trouble?.code === 'JOURNAL_EMPTY') continue
        const itsIds = ledger?.clusterIds ?? []
        if (itsIds.length > 0 && !itsIds.some((clusterId) => clusterIds.includes(clusterId))) continue
        if (trouble !== null) throw mayBeOpen(rotationId, trouble)
        if (ledger === null) continue
        rotations.push(rotationOf(ledger))
      }
      return rotations.sort((one, other) => (one.startedAt < other.startedAt ? -1 : 1))
    },
    async list() {
      const names = await readdir(folder).catch((error: NodeJS.ErrnoException) => {
        if (error.code === 'ENOENT') return []
        throw refusal('JOURNAL_UNREADABLE', `the journals cannot be listed: ${folder} ${fileTrouble(error)}`, [
          'make the folder readable for this user, or set LOCKSTEP_STATE_DIR to where the journals are',
        ])
      })
      return names
        .filter((name) => name.endsWith(SUFFIX))
        .map((name) => name.slice(0, -SUFFIX.length))
        .filter(isRotationId)
        .sort()
    },
  }
}

const mayBeOpen = (rotationId: RotationId, { code, message, suggestions }: OperatorError): OperatorError =>
  new OperatorError(code, `${message}; ${rotationId} may be unfinished on these clusters`, {
    exitCode: EXIT.locked,
    suggestions,
  })

/** A new file survives a crash of the machine only once its folder is on the disk as well. */
const syncFolder = async (folder: string): Promise<void> => {
  const handle = await open(folder, constants.O_RDONLY)
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}
