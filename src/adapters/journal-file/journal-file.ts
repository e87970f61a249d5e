import type { FileHandle } from 'node:fs/promises'
import { OperatorError, refusal } from '../../domain/errors.js'
import type { Journal } from '../../domain/rotation/journal.js'
import type { JournalEntry, JournalEvent } from '../../domain/rotation/journal-entry.js'
import { CHAIN_START, linkTo, renderLine } from './line.js'

/** What is asked of an open file. */
export type AppendedFile = Pick<FileHandle, 'appendFile' | 'datasync' | 'truncate' | 'close'>

/** Up to where a journal is known to be whole and on the disk. */
export interface JournalEnd {
  readonly seq: number
  /** Link to the last line. */
  readonly previous: string
  /** Length of the file. */
  readonly bytes: number
}

/** A journal in which nothing stands yet. */
export const JOURNAL_START: JournalEnd = { seq: 0, previous: CHAIN_START, bytes: 0 }

interface Waiting {
  readonly event: JournalEvent
  readonly done: (entry: JournalEntry) => void
  readonly failed: (error: unknown) => void
}

/** Calls that arrive while a write is under way share the next one: one fsync for all of them. */
export class JournalFile implements Journal {
  readonly #path: string
  readonly #file: AppendedFile
  readonly #now: () => Date
  #end: JournalEnd
  #waiting: Waiting[] = []
  #writing: Promise<void> | null = null
  /** Set by the first write that failed: what stands behind `#end` is not known then, so nothing may follow it. */
  #failure: OperatorError | null = null

  constructor(path: string, file: AppendedFile, now: () => Date, end: JournalEnd) {
    this.#path = path
    this.#file = file
    this.#now = now
    this.#end = end
  }

  append(event: JournalEvent): Promise<JournalEntry> {
    if (this.#failure !== null) return Promise.reject(this.#failure)
    return new Promise((done, failed) => {
      this.#waiting.push({ event, done, failed })
      this.#writing ??= this.#drain()
    })
  }

  async close(): Promise<void> {
    await this.#writing
    // Whatever was appended is on the disk already, and what could not be was told to who asked for it.
    await this.#file.close().catch(() => undefined)
  }

  async #drain(): Promise<void> {
    // Let everything that was asked for in this turn of the event loop into the first write.
    await Promise.resolve()
    while (this.#waiting.length > 0) {
      const batch = this.#waiting.splice(0)
      try {
        const entries = await this.#write(batch.map(({ event }) => event))
        for (const [index, { done }] of batch.entries()) {
          const entry = entries[index]
          if (entry !== undefined) done(entry)
        }
      } catch (error) {
        const failure = unwritable(this.#path, error, this.#end.seq === 0 ? ELSEWHERE : MAKE_ROOM)
        this.#failure = failure
        await this.#cutOff()
        for (const { failed } of [...batch, ...this.#waiting.splice(0)]) failed(failure)
      }
    }
    this.#writing = null
  }

  async #write(events: readonly JournalEvent[]): Promise<readonly JournalEntry[]> {
    const at = this.#now().toISOString()
    let { seq, previous } = this.#end
    const entries: JournalEntry[] = []
    let text = ''
    for (const event of events) {
      seq += 1
      const entry: JournalEntry = { seq, at, event }
      const line = renderLine(entry, previous)
      previous = linkTo(line)
      entries.push(entry)
      text += `${line}\n`
    }
    await this.#file.appendFile(text)
    await this.#file.datasync()
    this.#end = { seq, previous, bytes: this.#end.bytes + Buffer.byteLength(text) }
    return entries
  }

  /** Takes off what a failed write left, where the disk lets it; else opening the journal again does. */
  async #cutOff(): Promise<void> {
    await this.#file
      .truncate(this.#end.bytes)
      .then(() => this.#file.datasync())
      .catch(() => undefined)
  }
}

/** What can be done where nothing of the rotation is written yet. */
export const ELSEWHERE = ['free some space or set LOCKSTEP_STATE_DIR to a folder that can be written']
/** What can be done for a journal that is there: under another state directory it would not be found. */
const MAKE_ROOM = ['free some space for it; what it holds is kept, and the rotation goes on from there']

/** The error for a journal that cannot be begun or gone on with. */
export const unwritable = (path: string, error: unknown, suggestions: readonly string[]): OperatorError =>
  error instanceof OperatorError
    ? error
    : refusal('JOURNAL_UNWRITABLE', `the journal ${path} cannot be written: ${(error as Error).message}`, suggestions)
