import type { JournalEntry } from '../../src/domain/rotation/journal-entry.js'

/** What the contract promises for a journal as it was left. */
export interface Promised {
  /** What every HSM holds once the rotation was resumed; null where there is nothing to resume. */
  readonly resumed: 'old' | 'new' | null
  /** What every HSM holds once it was rolled back, or the code of the refusal. */
  readonly rolledBack: 'old' | { readonly refused: string }
}

/**
 * Judged from the lines on the disk and the contract's rules, not by the program's own reading of them.
 * @param hsms how many HSMs the rotation has
 * @param currentKnown whether the old password was proved at the start
 */
export const promised = (journal: readonly JournalEntry[], hsms: number, currentKnown: boolean): Promised => {
  const events = journal.map(({ event }) => event)
  if (events.length === 0) return { resumed: null, rolledBack: { refused: 'JOURNAL_EMPTY' } }
  if (events.some((event) => event.type === 'rollback-started')) return { resumed: 'old', rolledBack: 'old' }
  if (events.some((event) => event.type === 'store' && event.act === 'promote')) {
    return { resumed: 'new', rolledBack: { refused: 'ROLLBACK_TOO_LATE' } }
  }
  const written = new Set(
    events.flatMap((event) => {
      if (event.type !== 'intent' || event.intent.act === 'login') return []
      const { intent } = event
      return intent.act === 'sync' && intent.rehearsal ? [] : intent.hsmIds
    }),
  )
  const wayBack = currentKnown || written.size < hsms
  return { resumed: 'new', rolledBack: wayBack ? 'old' : { refused: 'NO_WAY_BACK' } }
}
