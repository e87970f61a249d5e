import { hash } from 'node:crypto'
import type { JournalEntry } from '../../domain/rotation/journal-entry.js'

/** What the first line names as the one before it. */
export const CHAIN_START = '0'.repeat(64)

/** Links a line to the one before it: SHA-256 of that line's bytes without its line end, in hexadecimal. */
export const linkTo = (line: string | Buffer): string => hash('sha256', line, 'hex')

/** One line of a journal file, without its line end. */
export const renderLine = (entry: JournalEntry, previous: string): string => JSON.stringify({ ...entry, previous })

/** The entry and the link of a line, or null when the line is not one of a journal. */
export const parseLine = (line: string): { entry: JournalEntry; previous: string } | null => {
  try {
    const { seq, at, event, previous } = JSON.parse(line) as JournalEntry & { previous: unknown }
    const wellFormed =
      typeof previous === 'string' && Number.isInteger(seq) && typeof at === 'string' && typeof event?.type === 'string'
    return wellFormed ? { entry: { seq, at, event }, previous } : null
  } catch {
    return null
  }
}
