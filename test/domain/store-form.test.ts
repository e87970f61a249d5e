import { expect, test } from '@jest/globals'
import { parseStoreForm } from '../../src/domain/store-form.js'
import { operatorErrorOf } from '../helpers/errors.js'

test('a file, a secret and a command can be stores', () => {
  expect(parseStoreForm('file:/var/lib/a:b.age')).toEqual({ kind: 'file', path: '/var/lib/a:b.age' })
  expect(parseStoreForm('secretsmanager:hsm/payments')).toEqual({ kind: 'secretsmanager', id: 'hsm/payments' })
  const arn = 'arn:aws:secretsmanager:eu-west-1:111122223333:secret:hsm-AbCdEf'
  expect(parseStoreForm(`secretsmanager:${arn}`)).toEqual({ kind: 'secretsmanager', id: arn })
  expect(parseStoreForm('command:vault-store --mount kv')).toEqual({
    kind: 'command',
    command: 'vault-store --mount kv',
  })
})

test.each([
  '',
  'file:',
  'command: ',
  'secretsmanager:',
  '/var/lib/store',
  'vault:x',
])('%j is no store', async (text) => {
  const error = await operatorErrorOf(() => parseStoreForm(text))
  expect([error.code, error.exitCode]).toEqual(['STORE_MALFORMED_NAME', 2])
})

test('one key of a secret is no store', async () => {
  const error = await operatorErrorOf(() => parseStoreForm('secretsmanager:hsm#password'))
  expect(error).toMatchObject({ code: 'STORE_MALFORMED_NAME', suggestions: ['--store secretsmanager:hsm'] })
})
