import type { FileHandle } from 'node:fs/promises'
import { OperatorError, refusal } from '../../domain/errors.js'
import type { Journal } from '../../domain/rotation/journal.js'
import type { JournalEntry, JournalEvent } from '../../domain/rotation/journal-entry.js'
import { linkTo, renderLine } from './line.js'

interface Waiting {
  readonly event: JournalEvent
  readonly done: (entry: JournalEntry) => void
  readonly failed: (error: unknown) => void
}

/** Calls that arrive while a write is under way share the next one: one fsync for all of them. */
export class JournalFile implements Journal {
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

/** The error for a journal that cannot be begun or gone on with. */
export const unwritable = (path: string, error: unknown): OperatorError =>
  error instanceof OperatorError
    ? error
    : refusal('JOURNAL_UNWRITABLE', `the journal ${path} cannot be written: ${(error as Error).message}`, [
        'free some space or set LOCKSTEP_STATE_DIR to a folder that can be written',
      ])
