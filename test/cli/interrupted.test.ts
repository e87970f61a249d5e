import { describe, expect, test } from '@jest/globals'
import { interruption } from '../../src/cli/interrupted.js'
import type { JournalEvent } from '../../src/domain/rotation/journal-entry.js'
import { ledgerOf } from '../../src/domain/rotation/rotation.js'
import { factsOf, ROTATION, rosterOf } from '../helpers/rotation.js'

const rotationAfter = (...events: JournalEvent[]) =>
  ledgerOf(
    [{ type: 'started', facts: factsOf(rosterOf(1, 1)) } as const, ...events].map((event, index) => ({
      seq: index + 1,
      at: '2026-03-01T03:15:00.000Z',
      event,
    })),
  ).rotation()

describe('a run that is left at once', () => {
  test('before there is a rotation: the error alone, and nothing was changed', () => {
    expect(interruption(null, false)).toEqual({
      document: { error: { code: 'INTERRUPTED', message: 'interrupted; no HSM was changed', suggestions: [] } },
      exitCode: 130,
    })
  })

  test.each([
    [false, 130, 'interrupted; no HSM was changed'],
    [true, 4, 'interrupted in the middle of its work, which was not waited for'],
  ])('of a rotation, its work begun: %s: the document of the rotation with the error', (begun, exitCode, message) => {
    const ended = interruption(rotationAfter({ type: 'stage-completed', stage: 'store-pending' }), begun)
    expect(ended).toMatchObject({
      exitCode,
      document: {
        rotationId: ROTATION,
        outcome: 'paused',
        stage: 'rehearse',
        error: { code: 'INTERRUPTED', message, suggestions: [`lockstep rotate resume --rotation ${ROTATION}`] },
      },
    })
  })

  test('in the moment after its end: completed, and no error', () => {
    const { document, exitCode } = interruption(rotationAfter({ type: 'finished', outcome: 'completed' }), true)
    expect([document.error, exitCode]).toEqual([undefined, 0])
  })

  test('whose journal cannot be read: never told as if nothing had been changed', () => {
    expect(interruption(null, true)).toMatchObject({ exitCode: 4, document: { error: { code: 'INTERRUPTED' } } })
  })
})
