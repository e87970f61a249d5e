import { describe, expect, test } from '@jest/globals'
import type { UserKey } from '../../../../src/domain/hsm-user.js'
import type { HsmId } from '../../../../src/domain/ids.js'
import type { JournalEvent } from '../../../../src/domain/rotation/journal-entry.js'
import { exitCodeFor } from '../../../../src/domain/rotation/outcome.js'
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
  loggedIn,
  login,
  REFUSED,
  RESUMED,
  rehearsal,
  STORED,
} from '../../../helpers/journal-lines.js'
import { APP, type FactsGiven, hsm, rosterOf } from '../../../helpers/rotation.js'

/** Two HSMs in the source, two in the destination. */
const [a, b, c, d] = [hsm('a'), hsm('b'), hsm('c'), hsm('d')]
const missing = listing(c, { absent: [APP] })
const written: Line = [change(c), DONE]
const DISCARDED: JournalEvent = { type: 'store', act: 'discard', phase: 'read-back' }

interface Given {
  readonly lines: readonly Line[]
  readonly facts?: FactsGiven
}

const proved: FactsGiven = { observed: [a, b, c, d].map((hsmId) => loggedIn(hsmId)) }

const isAsBefore = ({ lines, facts = {} }: Given): boolean =>
  ledgerAfter(lines, facts, rosterOf(2, 2)).isAsBefore(APP, c)

describe('a cell counts as what it was before', () => {
  test.each<[string, Given]>([
    ['it was never written', { lines: [] }],
    ['the HSM refused what was to be written', { lines: [[change(c), LOGGED_IN]] }],
    ['a rehearsal was refused there', { lines: [[rehearsal(a, c), LOGGED_IN]] }],
    ['a rehearsal copied from its own cluster', { lines: [[rehearsal(d, c), DONE]] }],
    ['a rehearsal from its own cluster was never answered', { lines: [[rehearsal(d, c)]] }],
    [
      'it held the current credential, proved, and a rehearsal from another cluster put it there again',
      { lines: [[rehearsal(a, c), DONE]], facts: proved },
    ],
    [
      'it held the current credential, and holds it again by a login',
      { lines: [written, back('change'), [change(c, 'current'), DONE], [login(c, 'current'), DONE]], facts: proved },
    ],
    [
      'it was proved late, before anything was written there',
      {
        lines: [
          [login(c, 'current'), DONE],
          written,
          back('change'),
          [change(c, 'current'), DONE],
          [login(c, 'current'), DONE],
        ],
      },
    ],
    [
      'it logs in with the current credential after a rehearsal from another cluster',
      {
        lines: [
          [rehearsal(a, c), DONE],
          [login(c, 'current'), DONE],
        ],
      },
    ],
    [
      'it was given the current credential and logs in with it, although nobody had asked it before',
      { lines: [written, back('change'), [change(c, 'current'), DONE], [login(c, 'current'), DONE]] },
    ],
    [
      'the journal was lost, and it logs in with the current credential',
      { lines: [[login(c, 'current'), DONE]], facts: { recovered: true } },
    ],
    ['it was copied back from its own cluster', { lines: [written, back(), [copy(d, c, 'current'), DONE]] }],
    [
      'it was copied back from its own cluster after one from another one',
      { lines: [written, back(), [copy(a, c, 'current'), DONE], [copy(d, c, 'current'), DONE]] },
    ],
    ['the user was missing, and is', { lines: [missing] }],
    ['the user is gone although nobody wrote it', { lines: [listing(c), missing] }],
  ])('%s', (_words, given) => {
    expect(isAsBefore(given)).toBe(true)
  })
})

describe('a cell may hold something else than before', () => {
  test.each<[string, Given]>([
    ['it was written', { lines: [written] }],
    ['it was to be written, and nobody answered', { lines: [[change(c)]] }],
    ['it holds the new credential', { lines: [written, [login(c), DONE]] }],
    ['a rehearsal copied from another cluster', { lines: [[rehearsal(a, c), DONE]] }],
    ['a rehearsal from another cluster was never answered', { lines: [[rehearsal(a, c)]] }],
    ['it was copied back from another cluster', { lines: [written, back(), [copy(a, c, 'current'), DONE]] }],
    [
      'it was copied back from another cluster, although it had held the current credential once',
      { lines: [written, back(), [copy(a, c, 'current'), DONE]], facts: proved },
    ],
    ['a copy from its own cluster was never answered', { lines: [written, back(), [copy(d, c, 'current')]] }],
    [
      'it was copied back from its own cluster, and refused what it had been proved to hold since',
      {
        lines: [
          written,
          back(),
          [copy(d, c, 'current'), DONE],
          [login(c, 'current'), DONE],
          [login(c, 'current'), REFUSED],
        ],
      },
    ],
    ['the user was missing, and was made by a copy', { lines: [missing, [copy(a, c), DONE], listing(c)] }],
    [
      'the user was missing, and a rehearsal from its own cluster made it',
      { lines: [missing, [rehearsal(d, c), DONE], listing(c)] },
    ],
    ['the user was written, and is gone since', { lines: [listing(c), written, missing] }],
    ['the journal was lost', { lines: [], facts: { recovered: true } }],
  ])('%s', (_words, given) => {
    expect(isAsBefore(given)).toBe(false)
  })
})

describe('what a rollback says of cells without proof', () => {
  const rolledBack = (...lines: Line[]) => {
    const rotation = rotationOf(ledgerAfter([STORED, ...lines, RESUMED, AWS_AGREES, DISCARDED], {}, rosterOf(2, 2)))
    const cells = rotation.withoutProof.map(({ user, hsmId }): [UserKey, HsmId] => [user, hsmId])
    return [rotation.outcome, cells, exitCodeFor(rotation)]
  }

  test('exit 0 and nothing, where every cell is as before', () => {
    expect(rolledBack(written, back(), [copy(d, c, 'current'), DONE])).toEqual(['rolled-back', [], 0])
  })

  test('exit 6 and their names, where one was given what another cluster held', () => {
    expect(rolledBack(written, back(), [copy(a, c, 'current'), DONE])).toEqual(['rolled-back', [[APP, c]], 6])
    expect(rolledBack([rehearsal(a, c), DONE], back('none'))).toEqual(['rolled-back', [[APP, c]], 6])
  })

  test('a rotation that goes forward names none', () => {
    expect(rotationOf(ledgerAfter([written], {}, rosterOf(2, 2))).withoutProof).toEqual([])
  })
})
