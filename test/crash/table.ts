import { type CrashCase, judge, type KilledRun, type Verdict } from './crash-case.js'
import { Site } from './site.js'

/** Counts of one row. */
export interface Row {
  readonly name: string
  /** Boundaries at which a run was killed. */
  boundaries: number
  /** Of these, how many ended as promised by resume, and by rollback or its refusal. */
  resumed: number
  rolledBack: number
  /** Answers that did not end as promised. */
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

/**
 * Judges all cases, so many at a time. Each lane has a site of its own, prepared once per run and brought back to that
 * moment before each case.
 * @param told after each case: how many are judged, and what failed in this one
 */
export const judgeAll = async (
  cases: readonly CrashCase[],
  lanes: number,
  told: (judged: number, failures: readonly Failure[]) => void = () => {},
): Promise<CrashTable> => {
  // In the order of the journal, whichever case ends first.
  const rows = new Map(cases.map(({ boundary: { row } }) => [row, emptyRow(row)]))
  const failures: Failure[] = []
  let passed = 0
  let judged = 0
  const count = (crashCase: CrashCase, verdicts: readonly Verdict[]): void => {
    const row = rows.get(crashCase.boundary.row) ?? emptyRow('')
    const failed = verdicts.flatMap((verdict, index) => (verdict === null ? [] : [failure(crashCase, index, verdict)]))
    for (const [index, verdict] of verdicts.entries()) {
      if (verdict === null) row[crashCase.answers[index] === 'resume' ? 'resumed' : 'rolledBack'] += 1
    }
    row.boundaries += 1
    row.failed += failed.length
    passed += verdicts.length - failed.length
    failures.push(...failed)
    judged += 1
    told(judged, failed)
  }
  for (const run of new Set(cases.map((crashCase) => crashCase.run))) {
    const waiting = cases.filter((crashCase) => crashCase.run === run)
    await Promise.all(Array.from({ length: Math.min(lanes, waiting.length) }, () => lane(run, waiting, count)))
  }
  return { rows: [...rows.values()], failures, passed }
}

const lane = async (
  run: KilledRun,
  waiting: CrashCase[],
  count: (crashCase: CrashCase, verdicts: readonly Verdict[]) => void,
): Promise<void> => {
  const site = await Site.open(run.variant)
  try {
    await run.prepare(site)
    const prepared = await site.remember()
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
      await site.restore(prepared)
      count(next, await judge(site, next).catch(asVerdicts(next)))
    }
  } finally {
    await site.close()
  }
}

/** A call that hung is a verdict on the program as well. */
const asVerdicts =
  ({ answers }: CrashCase) =>
  (error: unknown): readonly Verdict[] =>
    answers.map(() => (error as Error).message)

const emptyRow = (name: string): Row => ({ name, boundaries: 0, resumed: 0, rolledBack: 0, failed: 0 })

const failure = ({ run, boundary, answers }: CrashCase, index: number, verdict: string): Failure => ({
  variant: run.variant.name,
  boundary: `${run.command} ${boundary.kind} ${boundary.line} (${boundary.row}, ${boundary.event}), then ${answers[index]}`,
  verdict,
})

/** All rows in one. */
export const sumOf = (name: string, rows: readonly Row[]): Row => {
  const sum = emptyRow(name)
  for (const row of rows) for (const key of COUNTS) sum[key] += row[key]
  return sum
}

const COUNTS = ['boundaries', 'resumed', 'rolledBack', 'failed'] as const

/** The table as people read it. */
export const renderTable = (title: string, { rows, failures }: Pick<CrashTable, 'rows' | 'failures'>): string => {
  const width = Math.max(16, ...rows.map(({ name }) => name.length))
  const cells = [
    ['stage', 'boundaries', 'resumed', 'rolled back', 'failed'],
    ...rows.map((row) => [row.name, ...COUNTS.map((key) => String(row[key]))]),
  ]
  const lines = cells.map(
    ([name = '', ...numbers]) => name.padEnd(width) + numbers.map((cell) => cell.padStart(13)).join(''),
  )
  const failed = failures.map(({ boundary, verdict }) => `  FAILED ${boundary}: ${verdict}`)
  return [title, ...lines, ...failed, ''].join('\n')
}
