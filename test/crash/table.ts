import { type CrashCase, judge, type Verdict } from './crash-case.js'

/** Counts of one row. */
export interface Row {
  readonly name: string
  /** Boundaries met; each is met once by resume and once by rollback. */
  boundaries: number
  resumed: number
  rolledBack: number
  failed: number
}

export interface Failure {
  readonly variant: string
  readonly boundary: string
  readonly verdict: string
}

/** What a set of cases found. */
export interface CrashTable {
  readonly rows: readonly Row[]
  readonly failures: readonly Failure[]
  readonly passed: number
}

/** Judges all cases, so many at a time. */
export const judgeAll = async (cases: readonly CrashCase[], lanes: number): Promise<CrashTable> => {
  const rows = new Map<string, Row>()
  const failures: Failure[] = []
  const met = new Set<string>()
  const count = (crashCase: CrashCase, verdict: Verdict): void => {
    const { run, boundary, answer } = crashCase
    const row = rows.get(boundary.row) ?? { name: boundary.row, boundaries: 0, resumed: 0, rolledBack: 0, failed: 0 }
    rows.set(boundary.row, row)
    const where = `${run.command} ${boundary.kind} ${boundary.line} (${boundary.row})`
    if (!met.has(where)) row.boundaries += 1
    met.add(where)
    if (verdict === null) row[answer === 'resume' ? 'resumed' : 'rolledBack'] += 1
    else {
      row.failed += 1
      failures.push({ variant: run.variant.name, boundary: `${where}, then ${answer}`, verdict })
    }
  }
  // In the order of the journal, whichever case ends first.
  for (const { boundary } of cases) {
    if (!rows.has(boundary.row)) {
      rows.set(boundary.row, { name: boundary.row, boundaries: 0, resumed: 0, rolledBack: 0, failed: 0 })
    }
  }
  const waiting = [...cases]
  const lane = async (): Promise<void> => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) count(next, await judge(next))
  }
  await Promise.all(Array.from({ length: lanes }, lane))
  return { rows: [...rows.values()], failures, passed: cases.length - failures.length }
}

/** The table as people read it. */
export const renderTable = (title: string, { rows, failures }: CrashTable): string => {
  const cells = [
    ['stage', 'boundaries', 'resumed', 'rolled back', 'failed'],
    ...rows.map((row) => [row.name, ...[row.boundaries, row.resumed, row.rolledBack, row.failed].map(String)]),
  ]
  const lines = cells.map(
    ([name = '', ...numbers]) => name.padEnd(16) + numbers.map((cell) => cell.padStart(13)).join(''),
  )
  const failed = failures.map(({ boundary, verdict }) => `  FAILED ${boundary}: ${verdict}`)
  return [title, ...lines, ...failed, ''].join('\n')
}
