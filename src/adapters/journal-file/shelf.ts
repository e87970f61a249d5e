import { constants } from 'node:fs'
import { type FileHandle, mkdir, open, readdir, truncate } from 'node:fs/promises'
import { join } from 'node:path'
import { OperatorError, refusal } from '../../domain/errors.js'
import { isRotationId, type RotationId } from '../../domain/ids.js'
import { followRotation } from '../../domain/rotation/follow-rotation.js'
import type { FoundJournal, Journal, JournalShelf } from '../../domain/rotation/journal.js'
import type { JournalEntry, JournalEvent, RotationFacts } from '../../domain/rotation/journal-entry.js'
import type { Rotation } from '../../domain/rotation/rotation.js'
import { CHAIN_START, linkTo, parseLine, renderLine } from './line.js'
import { readLines } from './read-lines.js'

const SUFFIX = '.jsonl'

/**
 * Journals as JSON Lines below `folder`, one file per rotation, append-only. Each line names the hash of the line
 * before it, so that an edited or lost line is noticed.
 */
export const journalShelf = (folder: string, now: () => Date): JournalShelf => {
  const pathOf = (rotationId: RotationId) => join(folder, `${rotationId}${SUFFIX}`)
  const follow = async (rotationId: RotationId, entry: (entry: JournalEntry) => void): Promise<Followed> => {
    try {
      return await followJournal(pathOf(rotationId), entry)
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
      throw refusal('ROTATION_NOT_FOUND', `there is no rotation "${rotationId}" in ${folder}`, ['lockstep rotate list'])
    }
  }
  return {
    async create(facts: RotationFacts) {
      try {
        await mkdir(folder, { recursive: true, mode: 0o700 })
        const path = pathOf(facts.rotationId)
        const file = await open(
          path,
          constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_APPEND,
          0o600,
        )
        const journal = new JournalFile(path, file, now, 0, CHAIN_START)
        const first = await journal.append({ type: 'started', facts })
        await syncFolder(folder)
        return { journal, first }
      } catch (error) {
        throw unwritable(pathOf(facts.rotationId), error)
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
        return { rotationId, entries, torn, journal: new JournalFile(path, file, now, entries.length, previous) }
      } catch (error) {
        throw unwritable(path, error)
      }
    },
    async openRotations() {
      const open: Rotation[] = []
      for (const rotationId of await this.list()) {
        const found = await followRotation(this, rotationId).catch(whenNeverBegun)
        const rotation = found === null ? null : found.ledger.rotation()
        if (rotation !== null && rotation.finished === null) open.push(rotation)
      }
      return open
    },
    async list() {
      const names = await readdir(folder).catch((error: NodeJS.ErrnoException) => {
        if (error.code === 'ENOENT') return []
        throw error
      })
      return names
        .filter((name) => name.endsWith(SUFFIX))
        .map((name) => name.slice(0, -SUFFIX.length))
        .filter(isRotationId)
        .sort()
    },
  }
}

interface Followed {
  readonly torn: boolean
  /** Length of what is whole. */
  readonly bytes: number
  /** Link to the last whole line. */
  readonly previous: string
}

/**
 * Reads the lines and checks that each follows from the one before. Only the very last line may be cut off: a crash
 * can do that, and what it announced was never begun.
 */
const followJournal = async (path: string, entry: (entry: JournalEntry) => void): Promise<Followed> => {
  let previous = CHAIN_START
  let count = 0
  const { wholeBytes, tail } = await readLines(path, (line) => {
    const parsed = parseLine(line.toString())
    count += 1
    if (parsed === null || parsed.previous !== previous || parsed.entry.seq !== count) {
      throw refusal('JOURNAL_BROKEN', `line ${count} of ${path} does not follow from the line before it`, [
        'the file was edited or damaged: restore it from a copy, or rebuild the cells with lockstep rotate recover',
      ])
    }
    previous = linkTo(line)
    entry(parsed.entry)
  })
  if (count === 0) {
    throw refusal('JOURNAL_EMPTY', `${path} has no complete line`, ['the rotation had not begun: delete the file'])
  }
  return { torn: tail.length > 0, bytes: wholeBytes, previous }
}

/** A crash before the first line was on the disk: nothing had begun. */
const whenNeverBegun = (error: unknown): null => {
  if (error instanceof OperatorError && error.code === 'JOURNAL_EMPTY') return null
  throw error
}

interface Waiting {
  readonly event: JournalEvent
  readonly done: (entry: JournalEntry) => void
  readonly failed: (error: unknown) => void
}

/** Calls that arrive while a write is under way share the next one: one fsync for all of them. */
class JournalFile implements Journal {
  readonly #path: string
  readonly #file: FileHandle
  readonly #now: () => Date
  #seq: number
  #previous: string
  #waiting: Waiting[] = []
  #writing: Promise<void> | null = null

  constructor(path: string, file: FileHandle, now: () => Date, seq: number, previous: string) {
    this.#path = path
    this.#file = file
    this.#now = now
    this.#seq = seq
    this.#previous = previous
  }

  append(event: JournalEvent): Promise<JournalEntry> {
    return new Promise((done, failed) => {
      this.#waiting.push({ event, done, failed })
      this.#writing ??= this.#drain()
    })
  }

  async close(): Promise<void> {
    await this.#writing
    await this.#file.close()
  }

  async #drain(): Promise<void> {
    // Let everything that was asked for in this turn of the event loop into the first write.
    await Promise.resolve()
    while (this.#waiting.length > 0) {
      const batch = this.#waiting
      this.#waiting = []
      const at = this.#now().toISOString()
      let seq = this.#seq
      let previous = this.#previous
      const entries: JournalEntry[] = []
      let text = ''
      for (const { event } of batch) {
        seq += 1
        const entry: JournalEntry = { seq, at, event }
        const line = renderLine(entry, previous)
        previous = linkTo(line)
        entries.push(entry)
        text += `${line}\n`
      }
      try {
        await this.#file.appendFile(text)
        await this.#file.datasync()
      } catch (error) {
        // What reached the disk is not known: nothing may be written behind it.
        const failure = unwritable(this.#path, error)
        for (const { failed } of [...batch, ...this.#waiting]) failed(failure)
        this.#waiting = []
        break
      }
      this.#seq = seq
      this.#previous = previous
      for (const [index, { done }] of batch.entries()) {
        const entry = entries[index]
        if (entry !== undefined) done(entry)
      }
    }
    this.#writing = null
  }
}

const unwritable = (path: string, error: unknown): OperatorError =>
  error instanceof OperatorError
    ? error
    : refusal('JOURNAL_UNWRITABLE', `the journal ${path} cannot be written: ${(error as Error).message}`, [
        'free some space or set LOCKSTEP_STATE_DIR to a folder that can be written',
      ])

/** A new file survives a crash of the machine only once its folder is on the disk as well. */
const syncFolder = async (folder: string): Promise<void> => {
  const handle = await open(folder, constants.O_RDONLY)
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}
