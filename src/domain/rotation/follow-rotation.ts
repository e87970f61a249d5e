import type { RotationId } from '../ids.js'
import type { JournalShelf } from './journal.js'
import { RotationLedger } from './rotation.js'

/**
 * A rotation as its journal tells it, read without keeping the journal in memory.
 * @throws {OperatorError} as `JournalShelf.read`
 */
export const followRotation = async (
  shelf: Pick<JournalShelf, 'follow'>,
  rotationId: RotationId,
): Promise<{ readonly ledger: RotationLedger; readonly torn: boolean }> => {
  const ledgers: RotationLedger[] = []
  const { torn } = await shelf.follow(rotationId, (entry) => {
    if (ledgers[0] === undefined) ledgers.push(new RotationLedger(entry))
    else ledgers[0].apply(entry)
  })
  const [ledger] = ledgers
  if (ledger === undefined) throw new Error('a journal begins with the facts of its rotation')
  return { ledger, torn }
}
