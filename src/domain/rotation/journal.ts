import type { RotationId } from '../ids.js'
import type { JournalEntry, JournalEvent, RotationFacts } from './journal-entry.js'
import type { Rotation } from './rotation.js'

/** The journal of one rotation, open for writing. */
export interface Journal {
  /**
   * Writes one line and returns once it is on the disk. Calls made at the same time may share one write, and keep
   * the order in which they were made.
   * @throws {OperatorError} `JOURNAL_UNWRITABLE`; then nothing more may be done to an HSM
   */
  append(event: JournalEvent): Promise<JournalEntry>
  close(): Promise<void>
}

/** A journal as it was found on the disk. */
export interface FoundJournal {
  readonly rotationId: RotationId
  readonly entries: readonly JournalEntry[]
  /** The last line was cut off in the middle of being written, and was left out. */
  readonly torn: boolean
}

/** Where journals live: one file per rotation. */
export interface JournalShelf {
  /** Begins the journal of a new rotation with its facts. */
  create(facts: RotationFacts): Promise<{ journal: Journal; first: JournalEntry }>
  /**
   * @throws {OperatorError} `ROTATION_NOT_FOUND`, or `JOURNAL_BROKEN` when a line does not follow from the one before
   */
  read(rotationId: RotationId): Promise<FoundJournal>
  /**
   * Hands over the entries one by one and keeps none: the journal of a large rotation has hundreds of thousands.
   * @throws {OperatorError} as `read`
   */
  follow(rotationId: RotationId, entry: (entry: JournalEntry) => void): Promise<Pick<FoundJournal, 'torn'>>
  /**
   * Opens a journal to go on with it. A torn last line is cut off first: what it announced was never begun.
   * @throws {OperatorError} as `read`
   */
  reopen(rotationId: RotationId): Promise<FoundJournal & { readonly journal: Journal }>
  /** IDs of all rotations known here, oldest first. */
  list(): Promise<readonly RotationId[]>
  /**
   * Rotations that are neither completed nor rolled back.
   * @throws {OperatorError} `JOURNAL_BROKEN`: what cannot be read may be open
   */
  openRotations(): Promise<readonly Rotation[]>
}
