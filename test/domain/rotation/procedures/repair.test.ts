import { describe, expect, test } from '@jest/globals'
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
  ledgerAfter,
  listing,
  loggedIn,
  login,
  REFUSED,
  RESUMED,
  TOLD,
} from '../../../helpers/journal-lines.js'
import { APP, type FactsGiven, hsm, planOver, rosterOf } from '../../../helpers/rotation.js'

const [a, b, c] = [hsm('a'), hsm('b'), hsm('c')]
const roster = rosterOf(1, 2)

/** A repair to what the store keeps, of which c holds another password. */
const KEPT: FactsGiven = {
  procedure: 'repair',
  newCredential: 'kept',
  observed: [loggedIn(a, 'new'), loggedIn(b, 'new'), loggedIn(c, 'new', REFUSED as never)],
}
/** A repair by copies from a, and nobody knows the password. */
const COPIED: FactsGiven = { procedure: 'repair', newCredential: 'unknown', from: a }

const rowAfter = (lines: readonly Line[], facts: FactsGiven): string | null =>
  currentRow(ledgerAfter(lines, facts, roster))?.effect ?? null

const READ_AGAIN: readonly Line[] = [...[a, b, c].map((hsmId) => listing(hsmId)), AWS_AGREES]
/** What was asked before the question was, is asked again after it. */
const ASKED_AGAIN: readonly Line[] = [a, b].map((hsmId): Line => [login(hsmId), DONE])
const GIVEN: readonly Line[] = [
  [change(c), DONE],
  [login(c), DONE],
]

describe('the first row of a repair that is not done, where the password is known', () => {
  test.each<[string, string | null, readonly Line[]]>([
    ['one HSM refused it', 'repair-cells', []],
    ['the change was never answered', 'repair-cells', [[change(c)]]],
    ['it was changed and not proved', 'repair-cells', [[change(c), DONE]]],
    ['every HSM holds it', 'verify', GIVEN],
    ['those that held it were not asked again', 'verify', [...GIVEN, ...READ_AGAIN]],
    ['everything was read again', 'tell-applications', [...GIVEN, ...ASKED_AGAIN, ...READ_AGAIN]],
    ['the applications were told', null, [...GIVEN, ...ASKED_AGAIN, ...READ_AGAIN, TOLD]],
  ])('%s: %s', (_words, row, lines) => {
    expect(rowAfter(lines, KEPT)).toBe(row)
  })

  test('is the asking where some HSM was not asked', () => {
    const unasked = { ...KEPT, observed: [loggedIn(a, 'new')] }
    expect(rowAfter([], unasked)).toBe('ask-cells')
    expect(
      rowAfter(
        [
          [login(b), DONE],
          [login(c), REFUSED],
        ],
        unasked,
      ),
    ).toBe('repair-cells')
  })

  test('one whose budget allows no login is written without being asked', () => {
    const unasked = { ...KEPT, observed: [loggedIn(a, 'new'), loggedIn(b, 'new')] }
    const notAsked: JournalEvent = { type: 'not-asked', user: APP, hsmIds: [c], reason: 'counts 3 failed logins' }
    expect(rowAfter([], unasked)).toBe('ask-cells')
    expect(rowAfter([notAsked], unasked)).toBe('repair-cells')
    expect(rowAfter([notAsked, ...GIVEN], unasked)).toBe('verify')
    expect(ledgerAfter([notAsked, [change(c)]], unasked, roster).mayNotBeAsked(APP, c)).toBe(false)
  })

  test('does not ask an HSM that lacks the user, or has it locked, or was written already', () => {
    const unasked = { ...KEPT, observed: [loggedIn([a, b], 'new')] }
    expect(rowAfter([], unasked)).toBe('ask-cells')
    expect(rowAfter([listing(c, { absent: [APP] })], unasked)).toBe('repair-cells')
    expect(rowAfter([listing(c, { locked: [APP] })], unasked)).toBe('repair-cells')
    expect(rowAfter([[change(c)]], unasked)).toBe('repair-cells')
  })

  test('asks a cluster that is written as a whole until one HSM of it is known not to hold it', () => {
    const plan = planOver(roster, 'cloudhsm-cli')
    const row = (lines: readonly Line[]) => rowAfter(lines, { ...KEPT, plan, observed: [loggedIn(a, 'new')] })
    expect(row([])).toBe('ask-cells')
    expect(row([[login([b, c]), REFUSED]])).toBe('repair-cells')
    expect(row([listing(c, { absent: [APP] })])).toBe('repair-cells')
  })

  test('is verify again in every invocation before it was through, and not after', () => {
    expect(rowAfter([...GIVEN, ...READ_AGAIN, RESUMED], KEPT)).toBe('verify')
    expect(rowAfter([...GIVEN, ...READ_AGAIN, TOLD, RESUMED], KEPT)).toBeNull()
  })
})

describe('the first row of a repair by copies of what nobody knows', () => {
  test.each<[string, string | null, readonly Line[]]>([
    ['nothing was copied: nobody is asked', 'repair-cells', []],
    ['one of two was copied', 'repair-cells', [[copy(a, b), DONE]]],
    [
      'all were copied',
      'verify',
      [
        [copy(a, b), DONE],
        [copy(a, c), DONE],
      ],
    ],
    ['everything was read again', 'tell-applications', [[copy(a, b), DONE], [copy(a, c), DONE], ...READ_AGAIN]],
  ])('%s: %s', (_words, row, lines) => {
    expect(rowAfter(lines, COPIED)).toBe(row)
  })
})

test('a repair that leaves an HSM behind is completed with debt', () => {
  const debt: JournalEvent = { type: 'debt', debt: { hsmId: c, reason: 'x' } }
  const rotation = rotationOf(ledgerAfter([debt, ...READ_AGAIN, TOLD], KEPT, roster))
  expect([rotation.outcome, rotation.stage]).toEqual(['completed-with-debt', null])
})

test('a repair goes back like a rotation', () => {
  expect(rowAfter([[change(c), DONE], back()], KEPT)).toBe('restore')
  expect(rowAfter([back('none')], KEPT)).toBe('discard')
})
