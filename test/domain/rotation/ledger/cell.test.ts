import { describe, expect, test } from '@jest/globals'
import { rotationOf } from '../../../../src/domain/rotation/rotation.js'
import {
  back,
  cellAfter,
  change,
  copy,
  DONE,
  type Line,
  LOGGED_IN,
  ledgerAfter,
  loggedIn,
  login,
  REFUSED,
  rehearsal,
  UNCLEAR,
} from '../../../helpers/journal-lines.js'
import { APP, hsm } from '../../../helpers/rotation.js'

const [a, b] = [hsm('a'), hsm('b')]
const PARTLY = { ...UNCLEAR, partly: true } as const

describe('a cell, as the journal tells it', () => {
  test('is old and untouched before anything was meant to be written', () => {
    expect(cellAfter(a, [])).toBe('old untouched')
  })

  test('is old by login where the current credential was proved at the start', () => {
    expect(cellAfter(a, [], { observed: [loggedIn(a)] })).toBe('old login-current')
  })

  test('is unknown from the intent on, and stays so after a success that nobody proved', () => {
    expect(cellAfter(a, [[change(a)]])).toBe('unknown none')
    expect(cellAfter(a, [[change(a), DONE]])).toBe('unknown none')
  })

  test('is new only by a login with the new credential', () => {
    const through: Line[] = [
      [change(a), DONE],
      [login(a), DONE],
    ]
    expect(cellAfter(a, through)).toBe('new login-new')
    expect(cellAfter(a, [...through, [change(a), DONE]])).toBe('unknown none')
  })

  test('stays unknown after an answer that says nothing clear', () => {
    expect(cellAfter(a, [[change(a), UNCLEAR]])).toBe('unknown none')
    expect(cellAfter(a, [[change(a), PARTLY]])).toBe('unknown none')
  })

  test('a copy of the new credential is not yet new, a copy of the old one is old once the rotation goes back', () => {
    expect(cellAfter(b, [[copy(a, b), DONE]])).toBe('unknown copy')
    expect(cellAfter(b, [[copy(a, b, 'current'), DONE]])).toBe('unknown copy')
    expect(cellAfter(b, [back(), [copy(a, b, 'current'), DONE]])).toBe('old copy')
  })

  test('a copy of what nobody knows is all the proof there is', () => {
    const repair = { procedure: 'repair', newCredential: 'unknown', from: a } as const
    expect(cellAfter(b, [[copy(a, b), DONE]], repair)).toBe('new copy')
    expect(cellAfter(a, [], repair)).toBe('new untouched')
  })

  test('a rehearsal leaves the cell old whether or not it is answered, and unproved until it is', () => {
    expect(cellAfter(b, [[rehearsal(a, b)]])).toBe('old none')
    expect(cellAfter(b, [[rehearsal(a, b), DONE]])).toBe('old copy')
  })

  test('a refused login leaves it unknown and is counted', () => {
    const ledger = ledgerAfter([[login(a), REFUSED]])
    expect(ledger.cell(APP, a)).toMatchObject({ state: 'unknown', proof: 'none' })
    expect([ledger.refused(APP, a), ledger.failedLogins]).toEqual([['new'], 1])
  })

  test('is other once it refused both credentials, or the one it was proved to hold, and until it is written', () => {
    const both: Line[] = [
      [login(a), REFUSED],
      [login(a, 'current'), REFUSED],
    ]
    expect(cellAfter(a, both)).toBe('other none')
    expect(cellAfter(a, [...both, [change(a)]])).toBe('unknown none')
    expect(
      cellAfter(a, [
        [login(a), DONE],
        [login(a), REFUSED],
      ]),
    ).toBe('other none')
    expect(
      cellAfter(a, [
        [login(a), REFUSED],
        [change(a), DONE],
        [login(a, 'current'), REFUSED],
      ]),
    ).toBe('unknown none')
  })

  test('is written once its last write reported success', () => {
    const written = (...lines: Line[]) => ledgerAfter(lines).isWritten(APP, a)
    expect(written([change(a)])).toBe(false)
    expect(written([change(a), DONE])).toBe(true)
    expect(written([change(a), DONE], [change(a)])).toBe(false)
    expect(written([change(a), PARTLY])).toBe(false)
  })

  test('was copied to in vain where it then refused the new credential, and nothing was written since', () => {
    const inVain = (...lines: Line[]) => ledgerAfter(lines).copiedInVain(APP, b)
    expect(inVain([copy(a, b), DONE], [login(b), REFUSED])).toBe(true)
    expect(inVain([copy(a, b), DONE], [login(b), REFUSED], [change(b)])).toBe(false)
    expect(inVain([copy(a, b, 'current'), DONE], [login(b), REFUSED])).toBe(false)
  })

  test('was changed at some time, although a copy came after it', () => {
    const changed = (...lines: Line[]) => ledgerAfter(lines).everChanged(APP, b)
    expect(changed([copy(a, b), DONE])).toBe(false)
    expect(changed([change(b), DONE], [copy(a, b), DONE])).toBe(true)
    expect(changed([change(b)])).toBe(true)
  })
})

describe('a write that was refused', () => {
  const refused: Line = [change(a), LOGGED_IN]

  test.each<[string, string, readonly Line[]]>([
    ['what was never written', 'old untouched', []],
    ['what was proved new', 'new login-new', [[login(a), DONE]]],
    ['what was proved current', 'old login-current', [[login(a, 'current'), DONE]]],
    [
      'what somebody else has written',
      'other none',
      [
        [login(a), REFUSED],
        [login(a, 'current'), REFUSED],
      ],
    ],
    ['what a rehearsal copied', 'old copy', [[rehearsal(b, a), DONE]]],
    ['what an unanswered write left', 'unknown none', [[change(a)]]],
  ])('leaves %s as it was', (_words, expected, before) => {
    expect(cellAfter(a, before)).toBe(expected)
    expect(cellAfter(a, [...before, refused])).toBe(expected)
  })

  test('gives back which credentials the cell refused, and whether its last write was made', () => {
    const before: Line[] = [
      [change(a), DONE],
      [login(a), REFUSED],
    ]
    const ledger = ledgerAfter([...before, refused])
    expect([ledger.refused(APP, a), ledger.isWritten(APP, a), ledger.refusedNewAlone(APP, a)]).toEqual([
      ['new'],
      true,
      true,
    ])
  })

  test('is no write: the cell was never written', () => {
    expect(ledgerAfter([refused]).everWritten(APP, a)).toBe(false)
    expect(ledgerAfter([[change(a)]]).everWritten(APP, a)).toBe(true)
  })

  test('that came to a user who is missing leaves it missing', () => {
    const missing = { type: 'listed', hsms: [{ hsmId: b, counted: true, absent: [APP] }] } as const
    expect(cellAfter(b, [missing, [copy(a, b)]])).toBe('unknown none')
    expect(cellAfter(b, [missing, [copy(a, b), LOGGED_IN]])).toBe('absent untouched')
  })
})

describe('a cell of a cluster that is asked as one', () => {
  const both = [a, b]

  test('is believed by a login on all of it, which is less than one of its own', () => {
    const evidence = (...lines: Line[]) => ledgerAfter(lines).cell(APP, a)
    expect(evidence([change(both), DONE], [login(both), DONE])).toMatchObject({ state: 'new', evidence: 'cluster' })
    expect(evidence([change(both), DONE], [login(a), DONE])).toMatchObject({ state: 'new', evidence: 'hsm' })
  })

  test('says nothing for certain once the journal was lost, before it is written', () => {
    expect(cellAfter(a, [[login(both), DONE]], { recovered: true })).toBe('unknown login-new')
    expect(cellAfter(a, [[login(a), DONE]], { recovered: true })).toBe('new login-new')
    const written: Line[] = [
      [change(both), DONE],
      [login(both), DONE],
    ]
    expect(cellAfter(a, written, { recovered: true })).toBe('new login-new')
  })

  test('that refuses does not tell which of its HSMs refused', () => {
    expect(ledgerAfter([[login(both), REFUSED]]).refusedNewAlone(APP, a)).toBe(false)
    expect(ledgerAfter([[login(a), REFUSED]]).refusedNewAlone(APP, a)).toBe(true)
  })

  test('costs one failed login of each user, however many HSMs it reached', () => {
    expect(rotationOf(ledgerAfter([[login(both), REFUSED]])).failedLogins).toBe(1)
  })
})
