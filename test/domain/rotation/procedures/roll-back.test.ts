import { describe, expect, test } from '@jest/globals'
import type { HsmId } from '../../../../src/domain/ids.js'
import type { JournalEvent } from '../../../../src/domain/rotation/journal-entry.js'
import { currentRow } from '../../../../src/domain/rotation/procedure.js'
import { rotationOf } from '../../../../src/domain/rotation/rotation.js'
import {
  AWS_AGREES,
  back,
  change,
  copy,
  DONE,
  type Line,
  LOGGED_IN,
  ledgerAfter,
  listing,
  login,
  PROMOTED,
  RESUMED,
  STORED,
  TOLD,
} from '../../../helpers/journal-lines.js'
import { APP, type FactsGiven, hsm, rosterOf } from '../../../helpers/rotation.js'

const [a, b, c, d] = [hsm('a'), hsm('b'), hsm('c'), hsm('d')]
const roster = rosterOf(2, 2)
const DISCARDING: JournalEvent = { type: 'store', act: 'discard', phase: 'intent' }
const DISCARDED: JournalEvent = { type: 'store', act: 'discard', phase: 'read-back' }
/** The new credential stands on the first HSM and on the canary. */
const HALF: readonly Line[] = [STORED, [change(a), DONE], [login(a), DONE], [copy(a, c), DONE], [login(c), DONE]]

const rowAfter = (lines: readonly Line[], facts: FactsGiven = {}): string | null =>
  currentRow(ledgerAfter(lines, facts, roster))?.effect ?? null

const copiedBack = (from: HsmId, to: HsmId): Line => [copy(from, to, 'current'), DONE]
const changedBack = (hsmId: HsmId): Line[] => [
  [change(hsmId, 'current'), DONE],
  [login(hsmId, 'current'), DONE],
]

describe('the first row of a rollback that is not done', () => {
  const restored = [...HALF, back(), copiedBack(b, a), copiedBack(d, c)]

  test.each<[string, string | null, readonly Line[]]>([
    ['cells hold the new credential', 'restore', [...HALF, back()]],
    ['one of them does', 'restore', [...HALF, back(), copiedBack(b, a)]],
    ['a copy back was never answered', 'restore', [...HALF, back(), copiedBack(b, a), [copy(d, c, 'current')]]],
    ['a copy back was refused', 'restore', [...HALF, back(), copiedBack(b, a), [copy(d, c, 'current'), LOGGED_IN]]],
    ['a change was not answered before it began', 'restore', [STORED, [change(a)], back()]],
    ['every cell is old', 'verify-back', restored],
    ['AWS reports an HSM that was added', 'verify-back', [...restored, { type: 'aws', differences: ['one more'] }]],
    ['AWS agrees', 'discard', [...restored, AWS_AGREES]],
    ['AWS agreed in an earlier invocation', 'verify-back', [...restored, AWS_AGREES, RESUMED]],
    ['PENDING may be gone', 'discard', [...restored, AWS_AGREES, DISCARDING]],
    ['PENDING may be gone since an earlier invocation', 'verify-back', [...restored, AWS_AGREES, DISCARDING, RESUMED]],
    ['PENDING is gone', null, [...restored, AWS_AGREES, DISCARDED]],
  ])('%s: %s', (_words, row, lines) => {
    expect(rowAfter(lines)).toBe(row)
  })

  test('is the discarding where nothing is to be taken back, or all of it was', () => {
    expect(rowAfter([STORED, back('none')])).toBe('discard')
    expect(rowAfter([...restored, AWS_AGREES, DISCARDING])).toBe('discard')
  })

  test('asks cells again that logged in with the current credential in an earlier invocation', () => {
    const byChange = [...HALF, back('change'), ...changedBack(a), ...changedBack(c)]
    expect(rowAfter([...byChange, AWS_AGREES])).toBe('discard')
    expect(rowAfter([...byChange, RESUMED, AWS_AGREES])).toBe('verify-back')
    const again: Line[] = [a, c].map((hsmId): Line => [login(hsmId, 'current'), DONE])
    expect(rowAfter([...byChange, RESUMED, ...again, AWS_AGREES])).toBe('discard')
  })

  test('leaves a user alone that is missing, and one that nobody wrote', () => {
    const missing = listing(c, { absent: [APP] })
    expect(rowAfter([STORED, missing, [change(a), DONE], back(), copiedBack(b, a)])).toBe('verify-back')
    expect(rowAfter([STORED, [change(a), DONE], back(), copiedBack(b, a)])).toBe('verify-back')
  })

  test('takes in an HSM that joined a cluster which was written', () => {
    const [first] = roster
    const joined: JournalEvent = {
      type: 'targets-added',
      roster: first === undefined ? [] : [{ ...first, hsmId: hsm('e') }],
    }
    expect(rowAfter([...restored, joined])).toBe('restore')
    expect(rowAfter([...restored, joined, copiedBack(b, hsm('e'))])).toBe('verify-back')
  })

  test('takes in an HSM that was allowed to stay behind, where it was written', () => {
    const debt: JournalEvent = { type: 'debt', debt: { hsmId: c, reason: 'x' } }
    expect(rowAfter([...HALF, debt, back(), copiedBack(b, a)])).toBe('restore')
  })
})

describe('the direction', () => {
  test('is back for good from the first rollback on', () => {
    const direction = (...lines: Line[]) => rotationOf(ledgerAfter(lines, {}, roster)).direction
    expect([direction(...HALF), direction(...HALF, back()), direction(...HALF, back(), RESUMED)]).toEqual([
      'forward',
      'back',
      'back',
    ])
  })

  test('is forward again once nothing is left to copy from', () => {
    const abandoned: JournalEvent = { type: 'rollback-abandoned', evidence: 'x' }
    expect(rowAfter([...HALF, back(), abandoned])).toBe(rowAfter(HALF))
    expect(rotationOf(ledgerAfter([...HALF, back(), abandoned], {}, roster)).direction).toBe('forward')
  })

  test('a rotation that went back is rolled back, not completed', () => {
    const { outcome, stage, closed } = rotationOf(ledgerAfter([STORED, back('none'), DISCARDED], {}, roster))
    expect([outcome, stage, closed]).toEqual(['rolled-back', null, true])
  })

  test('does not matter to a rotation that is through', () => {
    const through = [
      ...[a, b, c, d].flatMap((hsmId): Line[] => [
        [change(hsmId), DONE],
        [login(hsmId), DONE],
      ]),
    ]
    expect(rowAfter([STORED, ...through, PROMOTED, TOLD])).toBeNull()
  })
})
