import { describe, expect, test } from '@jest/globals'
import { parseSecretForm, parseUserSecret } from '../../src/domain/secret-form.js'
import { operatorErrorOf, shownParts } from '../helpers/errors.js'

describe('where a secret comes from', () => {
  test.each([
    ['prompt', { kind: 'prompt' }],
    ['env:APP_PASSWORD', { kind: 'env', name: 'APP_PASSWORD' }],
    ['file:/run/secrets/a=b', { kind: 'file', path: '/run/secrets/a=b' }],
    ['command:pass show hsm/app', { kind: 'command', command: 'pass show hsm/app' }],
    ['secretsmanager:hsm/app', { kind: 'secretsmanager', id: 'hsm/app', key: null }],
    ['secretsmanager:hsm/app#password', { kind: 'secretsmanager', id: 'hsm/app', key: 'password' }],
    [
      'secretsmanager:arn:aws:secretsmanager:eu-west-1:111122223333:secret:hsm-AbCdEf#k#2',
      { kind: 'secretsmanager', id: 'arn:aws:secretsmanager:eu-west-1:111122223333:secret:hsm-AbCdEf', key: 'k#2' },
    ],
  ])('%s is understood', (text, form) => {
    expect(parseSecretForm(text, '--officer-password')).toEqual(form)
  })

  test.each([
    'TEST-SECRET-literal',
    '',
    'env:',
    'env:TEST-SECRET-no-name',
    'file:',
    'file: ',
    'command:',
    'secretsmanager:',
    'secretsmanager:#TEST-SECRET',
    'secretsmanager:id#',
    'PROMPT',
    'TEST-SECRET:colon',
    'generate',
  ])('%j is taken for a password and refused without being shown', async (text) => {
    const error = await operatorErrorOf(() => parseSecretForm(text, '--officer-password'))
    expect(error.code).toBe('LITERAL_SECRET')
    expect(error.exitCode).toBe(2)
    expect(error.message).toContain('--officer-password')
    expect(error.suggestions[0]).toBe(
      'accepted forms: prompt, env:NAME, file:PATH, command:CMD, secretsmanager:ID[#KEY]',
    )
    expect(shownParts(error)).not.toContain('TEST-SECRET')
  })
})

describe('a secret for one user or for all', () => {
  test('without a user it is for all', () => {
    expect(parseUserSecret('env:X', '--new-password')).toEqual({ user: null, form: { kind: 'env', name: 'X' } })
  })

  test.each(['CU:app_crypto', 'crypto-user:app_crypto'])('%s= names one', (user) => {
    expect(parseUserSecret(`${user}=file:/a=b`, '--new-password')).toEqual({
      user: { type: 'CU', name: 'app_crypto' },
      form: { kind: 'file', path: '/a=b' },
    })
  })

  test('an equals sign in a command names nobody', () => {
    expect(parseUserSecret('command:A=b CU:x=prompt', '--new-password').user).toBeNull()
  })

  test('generate is understood where a password may be made, and only there', async () => {
    expect(parseUserSecret('generate', '--new-password', { generate: true }).form).toEqual({ kind: 'generate' })
    expect(parseUserSecret('CU:a=generate', '--new-password', { generate: true })).toEqual({
      user: { type: 'CU', name: 'a' },
      form: { kind: 'generate' },
    })
    const error = await operatorErrorOf(() => parseUserSecret('CU:a=generate', '--current-password'))
    expect(error.code).toBe('LITERAL_SECRET')
  })

  test.each([
    'CU:app=TEST-SECRET-x',
    'app=env:X',
    'TEST-SECRET=env:X',
    'ZZ:app=env:X',
    'CU:a b=env:X',
    '=env:X',
  ])('%j is refused without being shown', async (text) => {
    const error = await operatorErrorOf(() => parseUserSecret(text, '--new-password', { generate: true }))
    expect(error.code).toBe('LITERAL_SECRET')
    expect(error.suggestions).toContain('for one user alone: --new-password CU:app_crypto=env:NAME')
    expect(shownParts(error)).not.toContain('TEST-SECRET')
  })
})
