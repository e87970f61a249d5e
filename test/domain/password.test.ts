import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { brokenPasswordRule, generatePassword, requireNewPassword, requireTypable } from '../../src/domain/password.js'
import { Secret } from '../../src/domain/secret.js'
import { operatorErrorOf, shownParts } from '../helpers/errors.js'

describe('rules for a new password', () => {
  test.each(['12345678', 'x'.repeat(32), 'a!"#$%&\'()*+,./;<=>?@[]^_`{|}~', 'prompt-8'])('%j is accepted', (text) => {
    expect(brokenPasswordRule(new Secret(text))).toBeNull()
  })

  test.each([
    ['', 'is empty'],
    ['1234567', 'has 7 characters, fewer than 8'],
    ['x'.repeat(33), 'has 33 characters, more than 32'],
    ['TEST:SECRET', 'holds ":"'],
    ['TEST SECRET', 'holds a blank'],
    ['TEST\u00a0SECRET', 'holds a blank'],
    ['TEST\tSECRET', 'holds a control character'],
    ['TEST\x7fSECRET', 'holds a control character'],
    ['TEST\u200bSECRET', 'holds a control character'],
    ['-TESTSECRET', 'begins with "-"'],
    ['-hpswd', 'begins with "-"'],
    ['-2fa', 'begins with "-"'],
    ['TESTSECRÉT', 'holds a character outside of printable ASCII'],
  ])('%j is refused: it %s', async (text, rule) => {
    const error = await operatorErrorOf(() => requireNewPassword(new Secret(text), 'CU:app_crypto'))
    expect(error.code).toBe('PASSWORD_RULES')
    expect(error.exitCode).toBe(2)
    expect(error.message).toBe(`the new password of CU:app_crypto ${rule}`)
    if (text !== '') expect(shownParts(error)).not.toContain(text)
  })

  test('a password in force need only be typable', async () => {
    expect(() => requireTypable(new Secret('old: 7 ä'), 'CO:admin')).not.toThrow()
    expect((await operatorErrorOf(() => requireTypable(new Secret('a\nb'), 'CO:admin'))).code).toBe('PASSWORD_RULES')
    expect((await operatorErrorOf(() => requireTypable(new Secret(''), 'CO:admin'))).code).toBe('PASSWORD_RULES')
  })
})

describe('a generated password', () => {
  test('keeps the rules and holds all three classes', () => {
    for (let count = 0; count < 200; count += 1) {
      const password = generatePassword()
      expect(brokenPasswordRule(password)).toBeNull()
      expect(password.reveal()).toMatch(/^(?=.*[A-Z])(?=.*[a-z])(?=.*[0-9])[A-Za-z0-9]{28}$/)
    }
  })

  test('is drawn again as a whole while a class is missing', () => {
    const draws = [...Array(28).fill(0), ...Array.from({ length: 28 }, (_, at) => at * 2 + 7)]
    let at = 0
    const password = generatePassword(() => draws[at++] as number)
    expect(at).toBe(56)
    expect(password.reveal()).toBe('HJLNPRTVXZbdfhjlnprtvxz13579')
  })

  test('uses each character of the alphabet, and no value of the source is out of range', () => {
    fc.assert(
      fc.property(fc.infiniteStream(fc.nat({ max: 61 })), (stream) => {
        const password = generatePassword((below) => {
          expect(below).toBe(62)
          return stream.next().value
        })
        expect(password.reveal()).toHaveLength(28)
      }),
      { numRuns: 20 },
    )
  })
})
