import { OperatorError, refusal } from '../../domain/errors.js'
import type { RotationId } from '../../domain/ids.js'
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
  let previous = CHAIN_START
  let count = 0
  const { wholeBytes, tail } = await readLines(path, (line) => {
    const parsed = parseLine(line.toString())
    count += 1
    if (parsed === null || parsed.previous !== previous || parsed.entry.seq !== count) {
      throw broken(`line ${count} of ${path} does not follow from the line before it`, rotationId)
    }
    previous = linkTo(line)
    entry(parsed.entry)
  }).catch((error: unknown) => {
    throw unreadable(path, rotationId, error)
  })
  if (count === 0) throw empty(path, rotationId)
  return { torn: tail.length > 0, bytes: wholeBytes, previous }
}

const broken = (what: string, rotationId: RotationId): OperatorError =>
  refusal('JOURNAL_BROKEN', what, [
    'the file was edited or damaged: restore it from a copy',
    `without a copy, where the store keeps PENDING credentials of ${rotationId}: lockstep rotate recover sets the file aside and begins it anew`,
    'where the store keeps none, it had not begun or is over: move the file to another folder; lockstep users prove says which HSMs hold a password',
  ])

/** A crash before the first line was on the disk leaves this, and so does somebody who empties a file. */
const empty = (path: string, rotationId: RotationId): OperatorError =>
  refusal('JOURNAL_EMPTY', `${path} has no complete line`, [
    `where the store keeps PENDING credentials of ${rotationId}: lockstep rotate recover sets the file aside and begins it anew`,
    'where the store keeps none, the rotation had not begun or is over: delete the file',
  ])

/** What the system said, as something the operator can put right; faults of the program pass through. */
const unreadable = (path: string, rotationId: RotationId, error: unknown): unknown => {
  const { code } = error as NodeJS.ErrnoException
  if (error instanceof OperatorError || typeof code !== 'string') return error
  if (code === 'ENOENT') {
    return refusal('ROTATION_NOT_FOUND', `there is no rotation "${rotationId}" at ${path}`, ['lockstep rotate list'])
  }
  return refusal('JOURNAL_UNREADABLE', `the journal ${path} cannot be read: ${(error as Error).message}`, [
    'make the file readable for this user, or restore it from a copy',
  ])
}
