import { join } from 'node:path'
import type { JournalShelf } from '../domain/rotation/journal.js'
import { journalShelf } from './journal-file/shelf.js'
import { stateDirectory } from './state-directory.js'

/** Journals below the state directory. */
export const journals = (): JournalShelf => journalShelf(join(stateDirectory(), 'rotations'), () => new Date())
