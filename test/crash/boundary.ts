import type { JournalEntry, JournalEvent } from '../../src/domain/rotation/journal-entry.js'
import { ledgerOf } from '../../src/domain/rotation/ledger.js'
import { rotationOf } from '../../src/domain/rotation/rotation.js'

/**
 * Where a process is killed. What it does to HSMs and the store lies between two lines: after the line of an intent it
 * has not happened, before the line of the answer it has.
 */
export interface Boundary {
  readonly kind: 'before-line' | 'torn-line' | 'after-line'
  /** Counted from 1, among the lines the killed process itself appends. */
  readonly line: number
}

/** A boundary, the row of the table it is counted in, and what its line is about. */
export interface PlacedBoundary extends Boundary {
  readonly row: string
  readonly event: JournalEvent['type']
}

/**
 * Which boundaries of a run are taken.
 * - `all`: every one.
 * - `all-and-torn`: each line is also cut in the middle. All that differs from a kill before the line is the end of the
 *   journal, which is dropped before it is read, whatever the fleet and the command.
 * - `effects`: without those that lie behind a reading, see `isBehindReading`.
 */
export type BoundaryChoice = 'all' | 'all-and-torn' | 'effects'

/**
 * All boundaries of the lines one process appended to a journal. Where nothing is done between two lines, after the
 * one is the same as before the next and counted once.
 * @param journal the whole journal
 * @param from how many lines stood there before the process
 * @param options the row they are counted in, or else that of their stage; which of them are taken
 */
export const boundariesOf = (
  journal: readonly JournalEntry[],
  from: number,
  { row, boundaries }: { readonly row?: string; readonly boundaries: BoundaryChoice },
): PlacedBoundary[] =>
  journal.slice(from).flatMap(({ event, seq }, index) => {
    const last = seq === journal.length
    const previous = index === 0 ? null : (journal[from + index - 1]?.event ?? null)
    const kinds: readonly Boundary['kind'][] = [
      ...(boundaries === 'effects' && isBehindReading(event, previous) ? [] : BEFORE),
      ...(boundaries === 'all-and-torn' ? TORN : []),
      ...(last || isIntent(event) ? AFTER : []),
    ]
    const place = row ?? stageOf(journal.slice(0, from + index))
    return kinds.map((kind) => ({ kind, line: index + 1, row: place, event: event.type }))
  })

const BEFORE = ['before-line'] as const
const TORN = ['torn-line'] as const
const AFTER = ['after-line'] as const

const isIntent = (event: JournalEvent): boolean =>
  event.type === 'intent' || (event.type === 'store' && event.phase === 'intent')

/** What is written after something was read, or for people: until the next line nothing is done but to read on. */
const READINGS: ReadonlySet<JournalEvent['type']> = new Set(['listed', 'serials', 'aws', 'stage-completed', 'resumed'])

/**
 * Whether nothing but reading is done between a line and the one before it, which is one of `READINGS`. A kill there leaves
 * what a kill before that one leaves, and a reading more in the journal. A line that tells of something done is not meant:
 * of units that are worked on side by side, one may be read while another is written.
 * @param previous the line before it by the same process; null where it is the first
 */
const isBehindReading = (event: JournalEvent, previous: JournalEvent | null): boolean =>
  previous !== null && READINGS.has(previous.type) && !isReport(event)

const isReport = (event: JournalEvent): boolean =>
  event.type === 'answer' ||
  event.type === 'unanswered' ||
  event.type === 'applications-told' ||
  (event.type === 'store' && event.phase === 'read-back')

/** The stage the next line is written in. */
const stageOf = (before: readonly JournalEntry[]): string =>
  before.length === 0 ? 'preflight' : (rotationOf(ledgerOf(before)).stage ?? 'finalize')
