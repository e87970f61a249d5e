import {
  CreateSecretCommand,
  DescribeSecretCommand,
  GetSecretValueCommand,
  PutSecretValueCommand,
} from '@aws-sdk/client-secrets-manager'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { openCredentialStore } from '../../../src/adapters/credential-store/open-credential-store.js'
import { requestToken } from '../../../src/adapters/credential-store/secrets-manager/request-token.js'
import type { CredentialStore } from '../../../src/domain/credential-store.js'
import type { RotationId } from '../../../src/domain/ids.js'
import { credentialsOf, passwordsIn } from '../../helpers/credentials.js'
import { operatorErrorOf, shownParts } from '../../helpers/errors.js'
import { REGION, type SecretsServer, startSecretsServer } from '../../helpers/secrets-server.js'

const R1 = 'r-20260301-031500-aaaa' as RotationId
const R2 = 'r-20260302-031500-bbbb' as RotationId
const CANARY = 'TEST-SECRET-manager-store'
const saved = { ...process.env }
let server: SecretsServer
let made = 0

beforeAll(async () => {
  server = await startSecretsServer()
  // The SDK's own chain reads its credentials here; nothing else in this process does.
  Object.assign(process.env, server.env)
})
afterAll(async () => {
  process.env = saved
  await server.stop()
})

const newSecret = async (value?: string): Promise<string> => {
  made += 1
  const Name = `hsm/store-${made}`
  await server.client().send(new CreateSecretCommand({ Name, ...(value !== undefined && { SecretString: value }) }))
  return Name
}
const open = (id: string): Promise<CredentialStore> => openCredentialStore(`secretsmanager:${id}`, { recipients: [] })
/** What anybody else reads under a label. */
const underLabel = async (SecretId: string, VersionStage: string) => {
  const { SecretString } = await server.client().send(new GetSecretValueCommand({ SecretId, VersionStage }))
  return JSON.parse(SecretString ?? '') as { users: Record<string, string> }
}
const labels = async (SecretId: string) => {
  const { VersionIdsToStages } = await server.client().send(new DescribeSecretCommand({ SecretId }))
  return Object.fromEntries(Object.entries(VersionIdsToStages ?? {}).flatMap(([id, all]) => all.map((l) => [l, id])))
}

describe('a store in AWS Secrets Manager', () => {
  test('keeps, promotes and gives back credentials, also to the next process', async () => {
    const id = await newSecret()
    const store = await open(id)
    expect([store.description, store.onThisMachine]).toEqual([`secretsmanager:${id}`, false])
    await store.checkWritable()
    expect(await labels(id)).toEqual({})
    for (const stage of ['pending', 'current', 'previous'] as const) expect(await store.read(stage)).toBeNull()
    const pending = credentialsOf(R1, { 'CU:a': `${CANARY}-new` })
    await store.putPending(pending, credentialsOf(R1, { 'CU:a': `${CANARY}-old` }))
    expect((await labels(id))['AWSPENDING']).toBe(requestToken(R1))
    expect(await store.read('pending')).toEqual(pending)
    expect(await store.read('current')).toMatchObject({ rotationId: null })
    await store.promote(R1)

    const next = await open(id)
    expect(await next.read('pending')).toBeNull()
    expect(await next.read('current')).toEqual(pending)
    expect(passwordsIn(await next.read('previous'))).toEqual({ 'CU:a': `${CANARY}-old` })
    expect(Object.keys(await labels(id)).sort()).toEqual(['AWSCURRENT', 'AWSPREVIOUS'])
  })

  test('what is pending is never current, not even in a secret that was empty', async () => {
    const id = await newSecret()
    await (await open(id)).putPending(credentialsOf(R1, { 'CU:a': 'a1' }))
    expect((await underLabel(id, 'AWSCURRENT')).users).toEqual({})
    expect(await (await open(id)).read('current')).toBeNull()
  })

  test('a promotion moves labels and loses no user that was not rotated', async () => {
    const id = await newSecret()
    const store = await open(id)
    await store.putPending(credentialsOf(R1, { 'CU:a': 'a1', 'CU:b': 'b1' }))
    await store.promote(R1)
    await store.putPending(credentialsOf(R2, { 'CU:B': 'b2' }))
    expect(passwordsIn(await store.read('pending'))).toEqual({ 'CU:B': 'b2' })
    server.calls.splice(0)
    await store.promote(R2)
    expect(server.calls.filter((call) => call === 'PutSecretValue')).toEqual([])
    expect((await underLabel(id, 'AWSCURRENT')).users).toEqual({ 'CU:a': 'a1', 'CU:B': 'b2' })
    expect((await underLabel(id, 'AWSPREVIOUS')).users).toEqual({ 'CU:a': 'a1', 'CU:b': 'b1' })
  })

  test('a proved current credential corrects AWSCURRENT before anything is pending', async () => {
    const id = await newSecret()
    const store = await open(id)
    await store.putPending(credentialsOf(R1, { 'CU:a': 'a1', 'CU:b': 'b1' }))
    await store.promote(R1)
    await store.putPending(credentialsOf(R2, { 'CU:a': 'a2' }), credentialsOf(R2, { 'CU:a': 'by-hand' }))
    expect(await store.read('current')).toMatchObject({ rotationId: R1 })
    expect(passwordsIn(await store.read('current'))).toEqual({ 'CU:a': 'by-hand', 'CU:b': 'b1' })
    await store.promote(R2)
    expect(passwordsIn(await store.read('previous'))).toEqual({ 'CU:a': 'by-hand', 'CU:b': 'b1' })
  })

  test.each([
    'PutSecretValue',
    'UpdateSecretVersionStage',
  ])('any lost answer to %s is made good by a repetition', async (call) => {
    const steps: ((store: CredentialStore) => Promise<void>)[] = [
      (store) => store.putPending(credentialsOf(R1, { 'CU:a': 'a1' }), credentialsOf(R1, { 'CU:a': 'a0' })),
      (store) => store.promote(R1),
      (store) => store.putPending(credentialsOf(R2, { 'CU:a': 'a2' })),
      (store) => store.discardPending(R2),
    ]
    let lost = 0
    for (let struck = true; struck; lost += 1) {
      const id = await newSecret()
      server.lose(call, lost)
      for (const step of steps) await step(await open(id)).catch(async () => step(await open(id)))
      struck = server.struck()
      const store = await open(id)
      expect(await store.read('pending')).toBeNull()
      expect(passwordsIn(await store.read('current'))).toEqual({ 'CU:a': 'a1' })
      expect(passwordsIn(await store.read('previous'))).toEqual({ 'CU:a': 'a0' })
      expect((await labels(id))['AWSPENDING']).toBeUndefined()
    }
    expect(lost - 1).toBe(3)
  })

  test('a promotion interrupted between its two labels is finished by repeating it', async () => {
    const id = await newSecret()
    const store = await open(id)
    await store.putPending(credentialsOf(R1, { 'CU:a': 'a1' }))
    server.refuse('UpdateSecretVersionStage', 1)
    await expect(store.promote(R1)).rejects.toMatchObject({ code: 'STORE_UNWRITABLE' })
    expect(server.struck()).toBe(true)
    const between = await labels(id)
    expect(between['AWSPENDING']).toBe(between['AWSCURRENT'])
    // Already true for everybody who asks.
    expect(await (await open(id)).read('pending')).toBeNull()
    expect(passwordsIn(await (await open(id)).read('current'))).toEqual({ 'CU:a': 'a1' })
    await (await open(id)).promote(R1)
    await (await open(id)).promote(R1)
    expect((await labels(id))['AWSPENDING']).toBeUndefined()
  })

  test('users written to AWSCURRENT by somebody else during the rotation are kept', async () => {
    const id = await newSecret()
    const store = await open(id)
    await store.putPending(credentialsOf(R1, { 'CU:a': 'a1' }))
    const document = await underLabel(id, 'AWSCURRENT')
    const SecretString = JSON.stringify({ ...document, users: { 'CU:other': 'o1' } })
    await server.client().send(new PutSecretValueCommand({ SecretId: id, SecretString }))
    await store.promote(R1)
    expect((await underLabel(id, 'AWSCURRENT')).users).toEqual({ 'CU:a': 'a1', 'CU:other': 'o1' })
  })

  test("another rotation's AWSPENDING is neither replaced, promoted nor discarded", async () => {
    const id = await newSecret()
    const store = await open(id)
    await store.putPending(credentialsOf(R1, { 'CU:a': CANARY }))
    const before = await labels(id)
    for (const act of [
      () => store.putPending(credentialsOf(R2, { 'CU:b': 'b2' })),
      () => store.promote(R2),
      () => store.discardPending(R2),
    ]) {
      const error = await operatorErrorOf(act)
      expect([error.code, error.exitCode]).toEqual(['FOREIGN_PENDING', 3])
      expect(error.message).toContain(R1)
      expect(shownParts(error)).not.toContain('TEST-SECRET')
    }
    expect(await labels(id)).toEqual(before)
  })

  test('an AWSPENDING of a rotation function is foreign too', async () => {
    const id = await newSecret()
    await (await open(id)).putPending(credentialsOf(R1, { 'CU:a': 'a1' }))
    await (await open(id)).promote(R1)
    const VersionStages = ['AWSPENDING']
    await server.client().send(new PutSecretValueCommand({ SecretId: id, SecretString: CANARY, VersionStages }))
    const error = await operatorErrorOf(() => open(id))
    expect(error).toMatchObject({ code: 'FOREIGN_PENDING', exitCode: 3 })
    expect(shownParts(error)).not.toContain('TEST-SECRET')
  })

  test('other new credentials of the same rotation are refused', async () => {
    const store = await open(await newSecret())
    await store.putPending(credentialsOf(R1, { 'CU:a': 'a1' }))
    await store.putPending(credentialsOf(R1, { 'CU:a': 'a1' }))
    const error = await operatorErrorOf(() => store.putPending(credentialsOf(R1, { 'CU:a': CANARY })))
    expect(error.code).toBe('PENDING_DIFFERS')
    expect(shownParts(error)).not.toContain('TEST-SECRET')
  })

  test('a secret that does not exist is answered with the command that makes it', async () => {
    const error = await operatorErrorOf(() => open('hsm/none'))
    expect([error.code, error.exitCode, error.message]).toEqual([
      'STORE_MISSING',
      3,
      `the secret hsm/none in AWS Secrets Manager (Region ${REGION}) does not exist, and is not made by this program`,
    ])
    expect(error.suggestions[0]).toBe(
      `aws secretsmanager create-secret --region ${REGION} --name hsm/none --kms-key-id KEY`,
    )
  })

  test('a secret with other content is not taken for a store', async () => {
    const id = await newSecret(CANARY)
    const error = await operatorErrorOf(() => open(id))
    expect([error.code, error.exitCode]).toEqual(['STORE_MALFORMED', 3])
    expect(shownParts(error)).not.toContain('TEST-SECRET')
  })

  test('more users than a secret can hold are refused before anything is written', async () => {
    const id = await newSecret()
    const users = Object.fromEntries(Array.from({ length: 1024 }, (_, at) => [`CU:user_${at}`, 'x'.repeat(60)]))
    const store = await open(id)
    await expect(store.putPending(credentialsOf(R1, users))).rejects.toMatchObject({ code: 'STORE_TOO_LARGE' })
    expect((await labels(id))['AWSPENDING']).toBeUndefined()
  })

  test('keys of a file store are refused', async () => {
    const open = () => openCredentialStore('secretsmanager:x', { recipients: ['age1x'] })
    await expect(open()).rejects.toMatchObject({ code: 'STORE_KEYS', exitCode: 2 })
  })

  test('tokens are UUIDs of version 5, the same for the same rotation alone', () => {
    expect(requestToken(R1)).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-5[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)
    expect(requestToken(R1)).toBe(requestToken(R1))
    expect(new Set([requestToken(R1), requestToken(R2), requestToken(R1, 'x')]).size).toBe(3)
  })
})
