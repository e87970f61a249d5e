import { join } from 'node:path'
import { OperatorError } from '../domain/errors.js'
import type { RotationId } from '../domain/ids.js'
import type { JournalShelf } from '../domain/rotation/journal.js'
import type { JournalEntry } from '../domain/rotation/journal-entry.js'
import { ledgerOf } from '../domain/rotation/ledger.js'
import { type Rotation, rotationOf } from '../domain/rotation/rotation.js'
import { followJournalNow } from './journal-file/follow.js'
import { journalPath, journalShelf } from './journal-file/shelf.js'
import { stateDirectory } from './state-directory.js'

const folder = () => join(stateDirectory(), 'rotations')

/** Journals below the state directory. */
export const journals = (): JournalShelf => journalShelf(folder(), () => new Date())

/** A rotation as its journal tells it at this moment, read without waiting; null where there is none that can be read. */
export const rotationNow = (rotationId: RotationId): Rotation | null => {
  const entries: JournalEntry[] = []
  try {
    followJournalNow(journalPath(folder(), rotationId), rotationId, (entry) => entries.push(entry))
  } catch (error) {
    if (error instanceof OperatorError) return null
    throw error
  }
  return rotationOf(ledgerOf(entries))
}
