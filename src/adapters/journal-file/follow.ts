import { readFileSync } from 'node:fs'
import { OperatorError, refusal } from '../../domain/errors.js'
import type { RotationId } from '../../domain/ids.js'
import { RECOVER_ADVICE } from '../../domain/rotation/journal.js'
import type { JournalEntry } from '../../domain/rotation/journal-entry.js'
import { CHAIN_START, linkTo, parseLine } from './line.js'
import { readLines } from './read-lines.js'

/** How far a journal file was read. */
export interface Followed {
  readonly torn: boolean
  /** Length of what is whole. */
  readonly bytes: number
  /** Link to the last whole line. */
  readonly previous: string
}

/**
 * Reads the lines and checks that each follows from the one before. Only the very last line may be cut off: a crash
 * can do that, and what it announced was never begun.
 * @param entry told each entry up to the end, or to the place where the chain breaks
 * @throws {OperatorError} `ROTATION_NOT_FOUND`, `JOURNAL_BROKEN`, `JOURNAL_EMPTY`, `JOURNAL_UNREADABLE`
 */
export const followJournal = async (
  path: string,
  rotationId: RotationId,
  entry: (entry: JournalEntry) => void,
): Promise<Followed> => {
  const chain = new Chain(path, rotationId, entry)
  const { wholeBytes, tail } = await readLines(path, (line) => chain.take(line)).catch((error: unknown) => {
    throw unreadable(path, rotationId, error)
  })
  if (chain.count === 0) throw empty(path, rotationId)
  return { torn: tail.length > 0, bytes: wholeBytes, previous: chain.previous }
}

/** The same without waiting, for a program that is about to end; a torn last line is left out. */
export const followJournalNow = (path: string, rotationId: RotationId, entry: (entry: JournalEntry) => void): void => {
  const chain = new Chain(path, rotationId, entry)
  try {
    const text = readFileSync(path)
    let from = 0
    for (let at = text.indexOf(LINE_FEED); at >= 0; at = text.indexOf(LINE_FEED, from)) {
      chain.take(text.subarray(from, at))
      from = at + 1
    }
  } catch (error) {
    throw unreadable(path, rotationId, error)
  }
  if (chain.count === 0) throw empty(path, rotationId)
}

const LINE_FEED = 0x0a

/** Lines one after the other, each of which has to follow from the one before. */
class Chain {
  /** Link to the last line. */
  previous = CHAIN_START
  count = 0
  readonly #path: string
  readonly #rotationId: RotationId
  readonly #entry: (entry: JournalEntry) => void

  constructor(path: string, rotationId: RotationId, entry: (entry: JournalEntry) => void) {
    this.#path = path
    this.#rotationId = rotationId
    this.#entry = entry
  }

  /** @throws {OperatorError} `JOURNAL_BROKEN` */
  take(line: Buffer): void {
    const parsed = parseLine(line.toString())
    this.count += 1
    if (parsed === null || parsed.previous !== this.previous || parsed.entry.seq !== this.count) {
      throw broken(`line ${this.count} of ${this.#path} does not follow from the line before it`, this.#rotationId)
    }
    this.previous = linkTo(line)
    this.#entry(parsed.entry)
  }
}

const broken = (what: string, rotationId: RotationId): OperatorError =>
  refusal('JOURNAL_BROKEN', what, [
    'the file was edited or damaged: restore it from a copy',
    `without a copy, where the store keeps PENDING credentials of ${rotationId}: lockstep rotate recover   sets the file aside and begins it anew`,
    'where the store keeps none, it had not begun or is over: move the file to another folder; lockstep users prove --config FILE --user CU:NAME --password prompt   says which HSMs hold a password',
  ])

/** A crash before the first line was on the disk leaves this, and so does somebody who empties a file. */
const empty = (path: string, rotationId: RotationId): OperatorError =>
  refusal('JOURNAL_EMPTY', `${path} has no complete line`, [
    `where the store keeps PENDING credentials of ${rotationId}: lockstep rotate recover   sets the file aside and begins it anew`,
    'where the store keeps none, the rotation had not begun or is over: delete the file',
  ])

/** What the system said, as something the operator can put right; faults of the program pass through. */
const unreadable = (path: string, rotationId: RotationId, error: unknown): unknown => {
  const { code } = error as NodeJS.ErrnoException
  if (error instanceof OperatorError || typeof code !== 'string') return error
  if (code === 'ENOENT') {
    return refusal('ROTATION_NOT_FOUND', `there is no rotation "${rotationId}" at ${path}`, [
      'lockstep rotate list',
      RECOVER_ADVICE,
    ])
  }
  return refusal('JOURNAL_UNREADABLE', `the journal ${path} cannot be read: ${(error as Error).message}`, [
    'make the file readable for this user, or restore it from a copy',
  ])
}
