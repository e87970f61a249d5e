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
 * All boundaries of the lines one process appended to a journal. Where nothing is done between two lines, after the
 * one is the same as before the next and counted once.
 * @param journal the whole journal
 * @param from how many lines stood there before the process
 * @param options the row they are counted in, or else that of their stage; whether lines are also cut in the middle
 */
export const boundariesOf = (
  journal: readonly JournalEntry[],
  from: number,
  { row, tornLines }: { readonly row?: string; readonly tornLines: boolean },
): PlacedBoundary[] =>
  journal.slice(from).flatMap(({ event, seq }, index) => {
    const last = seq === journal.length
    const kinds: readonly Boundary['kind'][] = [
      'before-line',
      ...(tornLines ? TORN : []),
      ...(last || isIntent(event) ? AFTER : []),
    ]
    const place = row ?? stageOf(journal.slice(0, from + index))
    return kinds.map((kind) => ({ kind, line: index + 1, row: place, event: event.type }))
  })

const TORN = ['torn-line'] as const
const AFTER = ['after-line'] as const

const isIntent = (event: JournalEvent): boolean =>
  event.type === 'intent' || (event.type === 'store' && event.phase === 'intent')

/** The stage the next line is written in. */
const stageOf = (before: readonly JournalEntry[]): string =>
  before.length === 0 ? 'preflight' : (rotationOf(ledgerOf(before)).stage ?? 'finalize')
