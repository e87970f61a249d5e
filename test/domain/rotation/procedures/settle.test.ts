import { describe, expect, test } from '@jest/globals'
import type { ClusterId } from '../../../../src/domain/ids.js'
import type { JournalEvent } from '../../../../src/domain/rotation/journal-entry.js'
import { currentRow } from '../../../../src/domain/rotation/procedure.js'
import { rotationOf } from '../../../../src/domain/rotation/rotation.js'
import {
  change,
  DONE,
  type Line,
  ledgerAfter,
  listing,
  login,
  PROMOTED,
  RESUMED,
  STORED,
  TOLD,
} from '../../../helpers/journal-lines.js'
import { APP, type FactsGiven, hsm, rosterOf } from '../../../helpers/rotation.js'

const [a, b] = [hsm('a'), hsm('b')]
const roster = rosterOf(1, 1)
const given = (hsmId: typeof a): Line[] => [
  [change(hsmId), DONE],
  [login(hsmId), DONE],
]
const DEBT: JournalEvent = { type: 'debt', debt: { hsmId: b, reason: 'x' } }
/** Everything is through but for the destination, which was out of reach. */
const INDEBTED: readonly Line[] = [STORED, ...given(a), DEBT, PROMOTED, TOLD]
const LOST = { clusterId: 'cluster-ccccccccccc' as ClusterId, region: null, profile: null, reason: 'x' }

const told = (lines: readonly Line[], facts: FactsGiven = {}) => {
  const ledger = ledgerAfter(lines, facts, roster)
  const { outcome, closed, stage } = rotationOf(ledger)
  return { row: currentRow(ledger)?.effect ?? null, outcome, closed, stage }
}

describe('a rotation that is through', () => {
  test('is completed and closed where nothing stayed behind', () => {
    expect(told([STORED, ...given(a), ...given(b), PROMOTED, TOLD])).toEqual({
      row: null,
      outcome: 'completed',
      closed: true,
      stage: null,
    })
  })

  test('is open for the debts it has, and closed once they are paid', () => {
    const open = { row: 'pay-debts', outcome: 'completed-with-debt', closed: false, stage: null }
    expect(told(INDEBTED)).toEqual(open)
    expect(told([...INDEBTED, RESUMED])).toEqual(open)
    const paid: Line[] = [RESUMED, ...given(b), { type: 'debt-settled', hsmId: b }]
    expect(told([...INDEBTED, ...paid])).toMatchObject({ row: null, outcome: 'completed', closed: true })
  })

  test('is open for a cluster that was lost, until another run or this one brings it along', () => {
    const through = [STORED, ...given(a), ...given(b), PROMOTED, TOLD]
    const facts = { lostClusters: [LOST] }
    expect(told(through, facts)).toMatchObject({ row: 'pay-debts', outcome: 'completed-with-debt', closed: false })
    const by = 'r-20260302-031500-else' as never
    expect(told([...through, { type: 'cluster-settled', clusterId: LOST.clusterId, by }], facts).closed).toBe(true)
  })

  test('whose HSM was replaced is paused until the one in its place holds the credential', () => {
    const [, second] = roster
    const e = hsm('e')
    const replaced: Line[] = [
      RESUMED,
      { type: 'hsm-gone', gone: { hsmId: b, reason: 'x' } },
      { type: 'targets-added', roster: second === undefined ? [] : [{ ...second, hsmId: e }] },
    ]
    expect(told([...INDEBTED, ...replaced])).toMatchObject({ row: 'give-joined', outcome: 'paused', stage: 'verify' })
    expect(told([...INDEBTED, ...replaced, ...given(e)])).toMatchObject({ row: null, closed: true })
  })

  test('is not taken back by what an HSM shows later: that is for a repair', () => {
    const through = [STORED, ...given(a), ...given(b), PROMOTED, TOLD]
    expect(told([...through, RESUMED]).closed).toBe(true)
    expect(told([...through, listing(a, { absent: [APP] })]).outcome).toBe('paused')
  })
})
