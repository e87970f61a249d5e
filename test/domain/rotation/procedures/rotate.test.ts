import { describe, expect, test } from '@jest/globals'
import type { HsmId } from '../../../../src/domain/ids.js'
import type { JournalEvent } from '../../../../src/domain/rotation/journal-entry.js'
import { currentRow } from '../../../../src/domain/rotation/procedure.js'
import { rotationOf } from '../../../../src/domain/rotation/rotation.js'
import {
  AWS_AGREES,
  change,
  copies,
  copy,
  DONE,
  type Line,
  LOGGED_IN,
  ledgerAfter,
  listing,
  loggedIn,
  login,
  PROMOTED,
  REFUSED,
  RESUMED,
  rehearsal,
  STORED,
  STORED_WITH_CURRENT,
  TOLD,
} from '../../../helpers/journal-lines.js'
import { APP, type FactsGiven, hsm, rosterOf } from '../../../helpers/rotation.js'

// a is changed first, c is the canary, b a sibling in the one wave, d the restore point.
const [a, b, c, d] = [hsm('a'), hsm('b'), hsm('c'), hsm('d')]
const roster = rosterOf(2, 2)
const proved: FactsGiven = { observed: [a, b, c, d].map((hsmId) => loggedIn(hsmId)) }

const rowAfter = (lines: readonly Line[], facts: FactsGiven = {}): string | null =>
  currentRow(ledgerAfter(lines, facts, roster))?.effect ?? null

const isNew = (hsmId: HsmId): Line => [login(hsmId), DONE]
const BY_COPY: JournalEvent = { type: 'propagation', method: 'sync', evidence: 'x' }
const REHEARSED: readonly Line[] = [STORED, [rehearsal(d, c), DONE], copies('accepted')]
const CHANGED: readonly Line[] = [...REHEARSED, [change(a), DONE]]
const PROVED: readonly Line[] = [...CHANGED, isNew(a)]
const CANARY: readonly Line[] = [...PROVED, [copy(a, c), DONE], isNew(c), copies('overwrites'), BY_COPY]
const SPREAD: readonly Line[] = [...CANARY, [copy(a, b), DONE], isNew(b)]
const READ_AGAIN: readonly Line[] = [...[a, b, c, d].map((hsmId) => listing(hsmId)), AWS_AGREES]
const VERIFIED: readonly Line[] = [...SPREAD, ...READ_AGAIN]
const FOLLOWED: readonly Line[] = [...VERIFIED, [copy(a, d), DONE], isNew(d)]

describe('the first row of a rotation that is not done', () => {
  test.each<[string, string | null, readonly Line[]]>([
    ['nothing was kept in the store', 'store-pending', []],
    ['the store was told and nobody read it back', 'store-pending', [{ ...STORED, phase: 'intent' } as JournalEvent]],
    ['nobody knows what a copy does', 'rehearse', [STORED]],
    ['a copy was tried, and its verdict not settled', 'rehearse', [STORED, [rehearsal(d, c), DONE]]],
    ['a copy is taken', 'change', REHEARSED],
    ['a copy is refused and nothing else gives the old password back', 'rehearse', [STORED, copies('refused')]],
    ['the change was never answered', 'change', [...REHEARSED, [change(a)]]],
    ['the change was refused', 'change', [...REHEARSED, [change(a), LOGGED_IN]]],
    ['the change was made', 'prove', CHANGED],
    ['the change was made, and the HSM refuses the new credential', 'change', [...CHANGED, [login(a), REFUSED]]],
    ['the first HSM was proved', 'canary', PROVED],
    ['the canary holds it and nobody said how the rest gets it', 'canary', [...PROVED, [copy(a, c), DONE], isNew(c)]],
    ['the canary was written and not proved', 'canary', [...PROVED, [copy(a, c), DONE], BY_COPY]],
    ['the canary was proved and the way settled', 'spread', CANARY],
    ['all but the restore point hold it', 'verify', SPREAD],
    ['AWS was not asked again', 'verify', [...SPREAD, ...[a, b, c].map((hsmId) => listing(hsmId))]],
    ['AWS reports other HSMs', 'verify', [...VERIFIED, { type: 'aws', differences: ['one was added'] }]],
    ['the attributes differ', 'verify', [...VERIFIED, listing(b, { different: [[APP, 'ID 9']] })]],
    ['everything was read again', 'restore-point', VERIFIED],
    ['the restore point was written and not proved', 'restore-point', [...VERIFIED, [copy(a, d), DONE]]],
    ['every HSM holds it', 'finalize', FOLLOWED],
    ['PENDING may have become CURRENT', 'finalize', [...FOLLOWED, { ...PROMOTED, phase: 'intent' } as JournalEvent]],
    ['the applications were not told', 'finalize', [...FOLLOWED, PROMOTED]],
    ['all is through', null, [...FOLLOWED, PROMOTED, TOLD]],
  ])('%s: %s', (_words, row, lines) => {
    expect(rowAfter(lines)).toBe(row)
  })

  test('is what its cells say, whatever an earlier invocation believed', () => {
    const done: JournalEvent = { type: 'stage-completed', stage: 'finalize' }
    const finished: JournalEvent = { type: 'finished', outcome: 'completed' }
    expect(rowAfter([...PROVED, done, finished])).toBe('canary')
    expect(rowAfter([STORED, { type: 'stage-completed', stage: 'rehearse' }])).toBe('rehearse')
  })

  test('is a row before once what it rests on is no longer so', () => {
    expect(rowAfter([...VERIFIED, [login(a), REFUSED]])).toBe('change')
    expect(rowAfter([...VERIFIED, [login(c), REFUSED]])).toBe('canary')
    expect(rowAfter([...FOLLOWED, listing(b, { absent: [APP] })])).toBe('spread')
    expect(rowAfter([...FOLLOWED, listing(d, { locked: [APP] })])).toBe('restore-point')
  })

  test('is verify in every invocation: an earlier one proves nothing', () => {
    expect(rowAfter([...VERIFIED, RESUMED])).toBe('verify')
    expect(rowAfter([...FOLLOWED, RESUMED])).toBe('verify')
    expect(rowAfter([...FOLLOWED, RESUMED, ...READ_AGAIN])).toBe('verify')
    expect(rowAfter([...FOLLOWED, RESUMED, ...[a, b, c].map(isNew), ...READ_AGAIN])).toBe('verify')
    expect(rowAfter([...FOLLOWED, RESUMED, ...[a, b, c, d].map(isNew), ...READ_AGAIN])).toBe('finalize')
  })
})

describe('the rehearsal', () => {
  const refused = [STORED, copies('refused')]

  test('is settled where copies are refused but the current credential is known, and kept', () => {
    expect(rowAfter([STORED_WITH_CURRENT, copies('refused')], proved)).toBe('change')
    expect(rowAfter([STORED_WITH_CURRENT, copies('refused')])).toBe('rehearse')
    expect(rowAfter(refused, proved)).toBe('rehearse')
  })

  test('is settled where the operator does without a way back, at the start or later', () => {
    expect(rowAfter(refused, { acceptedNoWayBack: true })).toBe('change')
    expect(rowAfter([...refused, { type: 'accepted', what: 'no-way-back' }])).toBe('change')
  })

  test('is too late once something was meant to be new, and after the journal was lost', () => {
    expect(rowAfter([STORED, [change(a)]])).toBe('change')
    expect(rowAfter([], { recovered: true })).toBe('change')
    // A rollback that tried a copy of the old one in vain, and was refused for it.
    const triedBack: Line[] = [[copy(b, a, 'current'), DONE], [login(a), DONE], copies('without-effect')]
    expect(rowAfter([...CHANGED, ...triedBack])).toBe('canary')
  })

  test('is settled by copies that had no effect only with another way back', () => {
    expect(rowAfter([STORED, copies('without-effect')])).toBe('rehearse')
    expect(rowAfter([STORED, copies('unused')])).toBe('rehearse')
    expect(rowAfter([STORED_WITH_CURRENT, copies('unused')], proved)).toBe('change')
  })
})

describe('HSMs that stay behind', () => {
  const behind = (hsmId: HsmId): JournalEvent => ({ type: 'debt', debt: { hsmId, reason: 'x' } })

  test('hold up no row, and are a debt at the end', () => {
    const lines = [...SPREAD, behind(d), ...READ_AGAIN]
    expect(rowAfter(lines)).toBe('finalize')
    const rotation = rotationOf(ledgerAfter([...lines, PROMOTED, TOLD], {}, roster))
    expect([rotation.outcome, rotation.stage, rotation.closed]).toEqual(['completed-with-debt', null, false])
  })

  test('hand on what they were first in', () => {
    expect(rowAfter([...REHEARSED, behind(a)])).toBe('change')
    expect(rowAfter([...PROVED, behind(a)])).toBe('change')
    // The canary is changed first in its place, and the sibling is the canary now.
    expect(rowAfter([...CANARY, behind(a)])).toBe('canary')
    expect(rowAfter([...SPREAD, behind(a)])).toBe('verify')
  })
})

describe('HSMs that joined', () => {
  const [first] = roster
  const e = hsm('e')
  const joined: JournalEvent = {
    type: 'targets-added',
    roster: first === undefined ? [] : [{ ...first, hsmId: e }],
  }

  test('are given the credential as a wave of their own', () => {
    expect(rowAfter([...VERIFIED, joined])).toBe('spread')
    expect(rowAfter([...VERIFIED, joined, [copy(a, e), DONE], isNew(e)])).toBe('verify')
  })
})

test('stage and outcome of a rotation follow from its first row', () => {
  const { stage, outcome, closed } = rotationOf(ledgerAfter(CANARY, {}, roster))
  expect([stage, outcome, closed]).toEqual(['spread', 'paused', false])
  const through = rotationOf(ledgerAfter([...FOLLOWED, PROMOTED, TOLD], {}, roster))
  expect([through.stage, through.outcome, through.closed]).toEqual([null, 'completed', true])
})
