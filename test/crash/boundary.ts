import type { JournalEntry, JournalEvent } from '../../src/domain/rotation/journal-entry.js'
import { ledgerOf } from '../../src/domain/rotation/rotation.js'

/**
 * Where a process is killed. What it does to HSMs and the store lies between two lines: after the line of an intent it
 * has not happened, before the line of the answer it has.
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

/**
 * All boundaries of the lines one process appended to a journal. Where nothing is done between two lines, after the
 * one is the same as before the next and counted once.
 * @param journal the whole journal
 * @param from how many lines stood there before the process
 * @param row their row; the stage a line was written in when absent
 */
export const boundariesOf = (journal: readonly JournalEntry[], from: number, row?: string): PlacedBoundary[] =>
  journal.slice(from).flatMap(({ event, seq }, index) => {
    const last = seq === journal.length
    const kinds: Boundary['kind'][] = ['before-line', 'torn-line', ...(last || isIntent(event) ? AFTER : [])]
    const place = row ?? stageOf(journal.slice(0, from + index))
    return kinds.map((kind) => ({ kind, line: index + 1, row: place }))
  })

const AFTER = ['after-line'] as const

const isIntent = (event: JournalEvent): boolean =>
  event.type === 'intent' || (event.type === 'store' && event.phase === 'intent')

/** The stage the next line is written in. */
const stageOf = (before: readonly JournalEntry[]): string =>
  before.length === 0 ? 'preflight' : (ledgerOf(before).stage ?? 'finalize')
