import type { ClusterId, RotationId } from '../ids.js'
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
  /**
   * Begins the journal of a rotation with its facts. A broken or empty one of the same rotation is kept under another
   * name; a whole one is left alone.
   * @returns `setAside`: where the earlier one is kept, if there was one
   * @throws {OperatorError} `JOURNAL_UNWRITABLE`
   */
  create(facts: RotationFacts): Promise<{ journal: Journal; first: JournalEntry; setAside?: string | null }>
  /**
   * @throws {OperatorError} `ROTATION_NOT_FOUND`; `JOURNAL_BROKEN` when a line does not follow from the one before;
   *   `JOURNAL_EMPTY` without a whole line; `JOURNAL_UNREADABLE` when the system does not let it be read
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
   * Rotations on one of these clusters, or that owe one something, oldest first, whether or not they have anything left to do.
   * @throws {OperatorError} as `openRotations`
   */
  rotationsOn(clusterIds: readonly ClusterId[]): Promise<readonly Rotation[]>
  /**
   * Those of them that have something left to do, be it a debt.
   * @throws {OperatorError} `JOURNAL_BROKEN`, `JOURNAL_UNREADABLE` (exit 5): what cannot be read to its end may be open, if
   *   its beginning names one of the clusters or cannot be read either
   */
  openRotations(clusterIds: readonly ClusterId[]): Promise<readonly Rotation[]>
}

/** What can be done about a journal that is not there. */
export const RECOVER_ADVICE =
  'where its journal was lost and the store still holds its credential: lockstep rotate recover'
