import { describe, expect, test } from '@jest/globals'
import type { PlacedBoundary } from './boundary.js'
import { type CrashCase, casesOf } from './crash-case.js'
import { start } from './killed-runs.js'
import { judgeAll } from './table.js'
import { SMALLEST } from './variant.js'

const LANES = 3

/**
 * The first boundary of each kind in each stage, with one answer each; which one changes from case to case. All
 * boundaries of all variants with both answers are `npm run crash-table`.
 */
const sampleOf = (cases: readonly CrashCase[]): readonly CrashCase[] => {
  const place = ({ row, kind }: PlacedBoundary) => `${row} ${kind}`
  const first = new Map([...cases].reverse().map((crashCase) => [place(crashCase.boundary), crashCase]))
  return cases
    .filter((crashCase) => first.get(place(crashCase.boundary)) === crashCase)
    .map((crashCase) => ({ ...crashCase, answers: crashCase.answers.slice(0, 1) }))
}

describe('a rotation over two HSMs killed with SIGKILL', () => {
  test('ends all new by resume, and all old by rollback while there is a way back', async () => {
    const sample = sampleOf(await casesOf(start(SMALLEST)))

    const { rows, failures } = await judgeAll(sample, LANES)

    expect(failures).toEqual([])
    expect(rows.map((row) => row.name)).toEqual([
      'preflight',
      'store-pending',
      'rehearse',
      'change',
      'prove',
      'canary',
      'spread',
      'verify',
      'restore-point',
      'finalize',
    ])
    expect(rows.every((row) => row.boundaries >= 2)).toBe(true)
  }, 300_000)
})
