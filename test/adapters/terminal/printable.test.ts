import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { painted } from '../../../src/adapters/terminal/painted.js'
import { printable, printableJson, printableLines } from '../../../src/adapters/terminal/printable.js'
import { renderTable } from '../../../src/adapters/terminal/table.js'

/** What could steer a terminal, hide text or turn it round. */
const STEERING = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Co}\p{Cs}]/u

describe('text from outside', () => {
  test.each([
    ['\u001b]0;title\u0007', '\\x1b]0;title\\x07'],
    ['a\rb\nc\td', 'a\\rb\\nc\\td'],
    ['\u009b2J\u007f\u0000', '\\x9b2J\\x7f\\x00'],
    ['user\u202egnp.exe', 'user\\u202egnp.exe'],
    ['a\u200bb\ufeffc\u2028d', 'a\\u200bb\\ufeffc\\u2028d'],
    ['\u{e0041}\ud800', '\\u{e0041}\\ud800'],
    ['Zürich 東京 C:\\new', 'Zürich 東京 C:\\new'],
  ])('%j is shown as %s', (text, shown) => {
    expect(printable(text)).toBe(shown)
  })

  const anything = fc.string({ unit: 'binary', maxLength: 60 })

  test('whatever it is, nothing of it steers the terminal', () => {
    fc.assert(
      fc.property(anything, (text) => {
        expect(printable(text)).not.toMatch(STEERING)
        expect(printableLines(text).replaceAll('\n', '')).not.toMatch(STEERING)
      }),
      { numRuns: 500, seed: 1 },
    )
  })

  test('as JSON it says the same, in characters that steer nothing', () => {
    fc.assert(
      fc.property(anything, (text) => {
        const json = printableJson(JSON.stringify({ [text]: text }, null, 2))
        expect(JSON.parse(json)).toEqual({ [text]: text })
        expect(json.replaceAll('\n', '')).not.toMatch(STEERING)
      }),
      { numRuns: 500, seed: 1 },
    )
  })
})

test('a table is painted after everything in it was made printable', () => {
  const table = renderTable(['USER'], [['a\u001b[31mb'], ['c\nd']], { decorated: true })
  expect(table).not.toContain('\u001b')
  const shown = painted(printableLines(table))
  expect(shown).toContain('a\\x1b[31mb')
  expect(shown).toContain('c\\nd')
  expect(shown).toContain('\u001b[1m USER')
  expect([1, 22, 90, 39].reduce((text, code) => text.replaceAll(`\u001b[${code}m`, ''), shown)).toBe(table)
})
