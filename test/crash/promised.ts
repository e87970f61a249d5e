import type { JournalEntry } from '../../src/domain/rotation/journal-entry.js'

/** What the contract promises for a journal as it was left. */
export interface Promised {
  /** What every HSM holds once the rotation was resumed; null where there is nothing to resume. */
  readonly resumed: 'old' | 'new' | null
  /** What every HSM holds once it was rolled back, or the code of the refusal. */
  readonly rolledBack: 'old' | { readonly refused: string }
}

/** What a rotation could be brought back with. */
export interface Ways {
  /** How many HSMs it has. */
  readonly hsms: number
  /** Whether a copy returns the old password, as long as an HSM still holds it. */
  readonly copiesOverwrite: boolean
  /** Whether the old password was proved at the start. */
  readonly currentKnown: boolean
}

/**
 * Judged from the lines on the disk and the contract's rules, not by the program's own reading of them. A line names
 * every HSM its command reaches, so that HSMs and whole clusters are judged alike.
 */
export const promised = (journal: readonly JournalEntry[], { hsms, copiesOverwrite, currentKnown }: Ways): Promised => {
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
  const wayBack = written.size === 0 || currentKnown || (copiesOverwrite && written.size < hsms)
  return { resumed: 'new', rolledBack: wayBack ? 'old' : { refused: 'NO_WAY_BACK' } }
}
