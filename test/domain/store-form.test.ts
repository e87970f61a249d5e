import { expect, test } from '@jest/globals'
import { parseStoreForm } from '../../src/domain/store-form.js'
import { operatorErrorOf } from '../helpers/errors.js'

test('file:PATH names a store', () => {
  expect(parseStoreForm('file:/var/lib/a:b.age')).toEqual({ kind: 'file', path: '/var/lib/a:b.age' })
})

test.each(['secretsmanager:hsm', 'command:keep'])('%s waits for a later version and says so', async (text) => {
  const error = await operatorErrorOf(() => parseStoreForm(text))
  expect([error.code, error.exitCode]).toEqual(['STORE_NOT_SUPPORTED', 2])
  expect(error.message).toContain('this version keeps credentials in "file:" stores only')
})

test.each(['', 'file:', '/var/lib/store', 'vault:x'])('%j is no store', async (text) => {
  const error = await operatorErrorOf(() => parseStoreForm(text))
  expect([error.code, error.exitCode]).toEqual(['STORE_MALFORMED_NAME', 2])
})
