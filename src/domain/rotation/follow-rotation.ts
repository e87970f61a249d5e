import { OperatorError } from '../errors.js'
import type { RotationId } from '../ids.js'
import type { JournalShelf } from './journal.js'
import type { JournalEntry } from './journal-entry.js'
import { RotationLedger } from './ledger.js'

/**
 * A rotation as its journal tells it, read without keeping the journal in memory.
 * @throws {OperatorError} as `JournalShelf.read`
 */
export const followRotation = async (
  shelf: Pick<JournalShelf, 'follow'>,
  rotationId: RotationId,
): Promise<{ readonly ledger: RotationLedger; readonly torn: boolean; readonly last: JournalEntry }> => {
  const ledgers: RotationLedger[] = []
  let last: JournalEntry | null = null as JournalEntry | null
  const { torn } = await shelf.follow(rotationId, (entry) => {
    last = entry
    if (ledgers[0] === undefined) ledgers.push(new RotationLedger(entry))
    else ledgers[0].apply(entry)
  })
  const [ledger] = ledgers
  if (ledger === undefined || last === null) throw new Error('a journal begins with the facts of its rotation')
  return { ledger, torn, last }
}

/**
 * A rotation as far as its journal can be read. With a `trouble` it cannot be read to its end: `ledger` knows its
 * beginning then, or is null where not even the first line can be read, and nothing may be built on it.
 */
export type ReadableRotation =
  | { readonly ledger: RotationLedger; readonly trouble: null }
  | { readonly ledger: RotationLedger | null; readonly trouble: OperatorError }

/** As `followRotation`, where a journal that cannot be used must not stand in the way of others. */
export const followReadable = async (
  shelf: Pick<JournalShelf, 'follow'>,
  rotationId: RotationId,
): Promise<ReadableRotation> => {
  const ledgers: RotationLedger[] = []
  const faults: unknown[] = []
  const take = (entry: JournalEntry) => {
    if (faults.length > 0) return
    try {
      if (ledgers[0] === undefined) ledgers.push(new RotationLedger(entry))
      else ledgers[0].apply(entry)
    } catch (error) {
      // An edited line shows only by the one behind it, which is still to come.
      faults.push(error)
    }
  }
  const trouble = await shelf.follow(rotationId, take).then(
    () => null,
    (error: unknown) => {
      if (error instanceof OperatorError) return error
      throw error
    },
  )
  const ledger = ledgers[0] ?? null
  if (trouble !== null) return { ledger, trouble }
  if (faults.length > 0) throw faults[0]
  if (ledger === null) throw new Error('a journal begins with the facts of its rotation')
  return { ledger, trouble }
}
