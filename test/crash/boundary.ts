import type { JournalEntry } from '../../src/domain/rotation/journal-entry.js'
import { ledgerOf } from '../../src/domain/rotation/rotation.js'

/**
 * Where a process is killed. Every effect on an HSM or the store lies between two lines: after the line of an intent
 * it has not happened, before the line of the answer it has.
 */
export interface Boundary {
  readonly kind: 'before-line' | 'torn-line' | 'after-line'
  /** Counted from 1, among the lines the killed process itself appends. */
  readonly line: number
}

/** A boundary and the row of the table it is counted in. */
export interface PlacedBoundary extends Boundary {
  readonly row: string
}

const KINDS = ['before-line', 'torn-line', 'after-line'] as const

/**
 * All boundaries of the lines one process appended to a journal.
 * @param journal the whole journal
 * @param from how many lines stood there before the process
 * @param row their row; the stage a line was written in when absent
 */
export const boundariesOf = (journal: readonly JournalEntry[], from: number, row?: string): PlacedBoundary[] =>
  journal.slice(from).flatMap((entry, index) => {
    const place = row ?? stageOf(journal.slice(0, from + index))
    return KINDS.map((kind) => ({ kind, line: index + 1, row: place }))
  })

/** The stage the next line is written in. */
const stageOf = (before: readonly JournalEntry[]): string =>
  before.length === 0 ? 'preflight' : (ledgerOf(before).stage ?? 'finalize')

/**
 * What must happen now, judged from the lines on the disk and the rules of the contract, not by the program's own
 * reading of them.
 */
export interface Promised {
  /** How the cells end when the rotation is resumed; null where there is nothing to resume. */
  readonly resumed: 'old' | 'new' | null
  /** How they end when it is rolled back; where that is `refused`, the code of the refusal. */
  readonly rolledBack: 'old' | { readonly refused: string }
}

export const promised = (journal: readonly JournalEntry[], hsms: number, currentKnown: boolean): Promised => {
  const events = journal.map(({ event }) => event)
  if (events.length === 0) return { resumed: null, rolledBack: { refused: 'JOURNAL_EMPTY' } }
  if (events.some((event) => event.type === 'rollback-started')) return { resumed: 'old', rolledBack: 'old' }
  const promoting = events.some((event) => event.type === 'store' && event.act === 'promote')
  if (promoting) return { resumed: 'new', rolledBack: { refused: 'ROLLBACK_TOO_LATE' } }
  const written = new Set(
    events.flatMap((event) =>
      event.type === 'intent' &&
      event.intent.act !== 'login' &&
      !(event.intent.act === 'sync' && event.intent.rehearsal)
        ? [event.intent.hsmId]
        : [],
    ),
  )
  const wayBack = currentKnown || written.size < hsms
  return { resumed: 'new', rolledBack: wayBack ? 'old' : { refused: 'NO_WAY_BACK' } }
}
