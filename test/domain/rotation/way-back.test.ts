import { describe, expect, test } from '@jest/globals'
import type { Intent } from '../../../src/domain/rotation/journal-entry.js'
import { untouchedUnits, whereCurrentCanBeAsked } from '../../../src/domain/rotation/way-back.js'
import { change, DONE, type Line, ledgerAfter, listing, loggedIn, login } from '../../helpers/journal-lines.js'
import { APP, type FactsGiven, hsm, rosterOf } from '../../helpers/rotation.js'

/** Two HSMs in the source, of which the first was changed, and two in the destination. */
const [a, b, c, d] = [hsm('a'), hsm('b'), hsm('c'), hsm('d')]
const NO = { kind: 'refused', reason: 'login-refused', text: 'no' } as const
const CHANGED: Line = [change(a), DONE]
const typed: Line = [{ ...login(d, 'current'), typed: true } as Intent, NO]
const proved: FactsGiven = { observed: [a, b, c, d].map((hsmId) => loggedIn(hsmId)) }

const ledgerWith = (lines: readonly Line[], facts: FactsGiven = {}) =>
  ledgerAfter([CHANGED, ...lines], facts, rosterOf(2, 2))

describe('the old credential is copied from what holds it for all that was seen', () => {
  test.each<[string, readonly Line[], FactsGiven?]>([
    ['from each HSM that nobody wrote', []],
    ['from one that was locked and is still', [listing(d, { locked: [APP] })]],
    ['from one that was proved and listed again', [listing(d)], proved],
  ])('%s', (_, lines, facts = {}) => {
    expect(untouchedUnits(ledgerWith(lines, facts))).toEqual([b, c, d])
  })

  test.each<[string, readonly Line[], FactsGiven?]>([
    ['that somebody unlocked, which takes a new password', [listing(d, { locked: [APP] }), listing(d)]],
    ['on which somebody made the user anew', [listing(d, { absent: [APP] }), listing(d)]],
    ['that refused what was typed for the current one', [typed], proved],
    ['that refused it and was proved to hold it', [loggedIn(d, 'current', NO)], proved],
  ])('not from one %s', (_, lines, facts = {}) => {
    expect(untouchedUnits(ledgerWith([listing(d), ...lines], facts))).toEqual([b, c])
  })

  test('but what was typed may be asked for there once more', () => {
    const lines: readonly Line[] = [typed, ...[b, c].map((hsmId): Line => loggedIn(hsmId, 'current', NO))]
    const ledger = ledgerWith(lines, proved)
    expect(untouchedUnits(ledger)).toEqual([])
    expect(whereCurrentCanBeAsked(ledger)).toBe(d)
  })
})

describe('a cell that somebody else may have written is not overwritten without consent', () => {
  test.each<[string, readonly Line[], boolean]>([
    ['one that was unlocked by nothing of ours', [listing(d, { locked: [APP] }), listing(d)], true],
    ['one that we wrote since', [listing(d, { locked: [APP] }), listing(d), [change(d), DONE]], false],
    ['one that we wrote before', [[change(d), DONE], listing(d, { locked: [APP] }), listing(d)], false],
    ['one on which the user was missing from the start', [], false],
  ])('%s', (_, lines, expected) => {
    const facts: FactsGiven = lines.length > 0 ? {} : { observed: [listing(d, { absent: [APP] })] }
    expect(ledgerWith(lines.length > 0 ? lines : [listing(d)], facts).isOther(APP, d)).toBe(expected)
  })
})
