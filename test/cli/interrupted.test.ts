import { describe, expect, test } from '@jest/globals'
import { interruption } from '../../src/cli/interrupted.js'
import { rotationOf } from '../../src/domain/rotation/rotation.js'
import { change, DONE, type Line, ledgerAfter, login, PROMOTED, STORED, TOLD } from '../helpers/journal-lines.js'
import { hsm, ROTATION } from '../helpers/rotation.js'

const rotationAfter = (...lines: Line[]) => rotationOf(ledgerAfter(lines))
const BOTH = [hsm('a'), hsm('b')]

describe('a run that is left at once', () => {
  test('before there is a rotation: the error alone, and nothing was changed', () => {
    expect(interruption(null, false)).toEqual({
      document: { error: { code: 'INTERRUPTED', message: 'interrupted; no HSM was changed', suggestions: [] } },
      exitCode: 130,
    })
  })

  test('of a rotation that has changed nothing, before its work: 130', () => {
    const { exitCode, document } = interruption(rotationAfter(), false)
    expect([exitCode, document.error]).toMatchObject([130, { message: 'interrupted; no HSM was changed' }])
  })

  test.each([
    [false, 'interrupted before this command did anything; how it stood before is how it stands'],
    [true, 'interrupted in the middle of its work, which was not waited for'],
  ])('of a rotation that has changed something, its work begun: %s: paused, and never "no HSM was changed"', (begun, message) => {
    const ended = interruption(rotationAfter(STORED), begun)
    expect(ended).toMatchObject({
      exitCode: 4,
      document: {
        rotationId: ROTATION,
        outcome: 'paused',
        stage: 'rehearse',
        error: { code: 'INTERRUPTED', message, suggestions: [`lockstep rotate resume --rotation ${ROTATION}`] },
      },
    })
  })

  test('in the moment after its end: completed, and no error', () => {
    const through = [[change(BOTH), DONE], [login(BOTH), DONE], PROMOTED, TOLD] as const
    const { document, exitCode } = interruption(rotationAfter(...through), true)
    expect([document.error, exitCode]).toEqual([undefined, 0])
  })

  test('whose journal cannot be read: never told as if nothing had been changed', () => {
    expect(interruption(null, true)).toMatchObject({ exitCode: 4, document: { error: { code: 'INTERRUPTED' } } })
  })
})
