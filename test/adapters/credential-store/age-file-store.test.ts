import { execFileSync, spawnSync } from 'node:child_process'
import { mkdir, readdir, readFile, stat, symlink, truncate, utimes, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, test } from '@jest/globals'
import { generateIdentity, identityToRecipient } from 'age-encryption'
import { type AgeBox, ageBox, type StoreKeys } from '../../../src/adapters/credential-store/age-box.js'
import { AgeFileStore } from '../../../src/adapters/credential-store/age-file-store.js'
import { openCredentialStore } from '../../../src/adapters/credential-store/open-credential-store.js'
import type { RotationId } from '../../../src/domain/ids.js'
import { Secret } from '../../../src/domain/secret.js'
import { credentialsOf, passwordsIn } from '../../helpers/credentials.js'
import { operatorErrorOf, shownParts } from '../../helpers/errors.js'
import { tempFolders } from '../../helpers/temp-folder.js'

const folder = tempFolders()
const R1 = 'r-20260301-031500-aaaa' as RotationId
const R2 = 'r-20260302-031500-bbbb' as RotationId
const CANARY = 'TEST-SECRET-age-store'

const keyPair = async (): Promise<StoreKeys & { readonly text: string }> => {
  const text = await generateIdentity()
  return { recipients: [await identityToRecipient(text)], identity: new Secret(`# made for a test\n${text}\n`), text }
}

const passphrase = (text: string): StoreKeys => ({ passphrase: new Secret(text), recipients: [], workFactor: 4 })

describe('a store in an age file', () => {
  test('keeps, promotes and gives back credentials, also to the next process', async () => {
    const keys = await keyPair()
    const text = `file:${join(await folder(), 'store.age')}`
    const store = await openCredentialStore(text, keys)
    await store.checkWritable()
    expect(await store.read('pending')).toBeNull()
    const pending = credentialsOf(R1, { 'CU:app_crypto': `${CANARY}-new` })
    await store.putPending(pending, credentialsOf(R1, { 'CU:app_crypto': `${CANARY}-old` }))
    expect(await store.read('pending')).toEqual(pending)
    await store.promote(R1)
    await store.promote(R1)

    const next = await openCredentialStore(text, keys)
    expect(next.description).toBe(text)
    expect(await next.read('pending')).toBeNull()
    expect(await next.read('current')).toEqual(pending)
    expect(passwordsIn(await next.read('previous'))).toEqual({ 'CU:app_crypto': `${CANARY}-old` })
    await next.putPending(credentialsOf(R2, { 'CU:b': 'b' }))
    await next.discardPending(R2)
    expect(await next.read('pending')).toBeNull()
  })

  test('shows no credential in its bytes, is closed to others and leaves nothing beside it', async () => {
    const place = await folder()
    const store = await openCredentialStore(`file:${join(place, 'store.age')}`, passphrase('TEST-SECRET-passphrase'))
    await store.checkWritable()
    expect(await readdir(place)).toEqual([])
    await store.putPending(credentialsOf(R1, { 'CU:a': CANARY }))
    expect(await readdir(place)).toEqual(['store.age'])
    const bytes = await readFile(join(place, 'store.age'), 'latin1')
    expect(bytes).toMatch(/^age-encryption\.org\/v1\n-> scrypt /)
    expect(bytes).not.toContain('TEST-SECRET')
    expect((await stat(join(place, 'store.age'))).mode & 0o777).toBe(0o600)
  })

  test('follows a link instead of replacing it', async () => {
    const place = await folder()
    await mkdir(join(place, 'real'))
    await writeFile(join(place, 'real', 'x'), '')
    await symlink(join('real', 'store.age'), join(place, 'link.age'))
    const keys = await keyPair()
    const first = await openCredentialStore(`file:${join(place, 'real', 'store.age')}`, keys)
    await first.putPending(credentialsOf(R1, { 'CU:a': 'a1' }))
    const store = await openCredentialStore(`file:${join(place, 'link.age')}`, keys)
    await store.promote(R1)
    expect((await readdir(join(place, 'real'))).sort()).toEqual(['store.age', 'x'])
    expect(passwordsIn(await first.read('current'))).toEqual({ 'CU:a': 'a1' })
  })

  test('a write is decrypted from the disk, an unchanged file is not decrypted again, a changed one is', async () => {
    const path = join(await folder(), 'store.age')
    const keys = await keyPair()
    const box = ageBox(keys)
    let opened = 0
    const counting: AgeBox = {
      seal: (text) => box.seal(text),
      open: (bytes, name) => {
        opened += 1
        return box.open(bytes, name)
      },
    }
    const store = new AgeFileStore(path, counting)
    await store.putPending(credentialsOf(R1, { 'CU:a': 'a1' }))
    expect(opened).toBe(1)
    await store.read('pending')
    await store.read('current')
    expect(opened).toBe(1)
    await (await openCredentialStore(`file:${path}`, keys)).promote(R1)
    expect(passwordsIn(await store.read('current'))).toEqual({ 'CU:a': 'a1' })
    expect(opened).toBe(2)
  })

  test('a disk that gives back something else keeps the old file', async () => {
    const path = join(await folder(), 'store.age')
    const box = ageBox(await keyPair())
    await new AgeFileStore(path, box).putPending(credentialsOf(R1, { 'CU:a': CANARY }))
    const before = await readFile(path)
    const forgetful = new AgeFileStore(path, {
      seal: (text) => box.seal(text.replace(CANARY, 'other')),
      open: (bytes, name) => box.open(bytes, name),
    })
    const error = await operatorErrorOf(() => forgetful.promote(R1))
    expect([error.code, error.exitCode]).toEqual(['STORE_NOT_READ_BACK', 3])
    expect(shownParts(error)).not.toContain('TEST-SECRET')
    expect(await readFile(path)).toEqual(before)
  })

  test('a file changed by a program that takes no lock is not overwritten', async () => {
    const path = join(await folder(), 'store.age')
    const box = ageBox(await keyPair())
    await new AgeFileStore(path, box).putPending(credentialsOf(R1, { 'CU:a': 'a1' }))
    const foreign = Buffer.from('age-encryption.org/v1\nforeign')
    const disturbed = new AgeFileStore(path, {
      seal: async (text) => {
        await writeFile(path, foreign)
        return box.seal(text)
      },
      open: (bytes, name) => box.open(bytes, name),
    })
    expect((await operatorErrorOf(() => disturbed.promote(R1))).code).toBe('STORE_CHANGED')
    expect(await readFile(path)).toEqual(foreign)
  })

  test('a lock left behind by a killed process delays, and does not end, an update', async () => {
    const path = join(await folder(), 'store.age')
    await mkdir(`${path}.lock`)
    await utimes(`${path}.lock`, new Date(0), new Date(0))
    const store = new AgeFileStore(path, ageBox(await keyPair()))
    await store.putPending(credentialsOf(R1, { 'CU:a': 'a1' }))
    expect((await store.read('pending'))?.rotationId).toBe(R1)
  })

  test.each([
    ['a file', (lock: string) => writeFile(lock, '')],
    ['a folder with files in it', (lock: string) => mkdir(join(lock, 'of-somebody'), { recursive: true })],
  ])('%s in the place of its lock is left alone, and named', async (_, make) => {
    const path = join(await folder(), 'store.age')
    await make(`${path}.lock`)
    await utimes(`${path}.lock`, new Date(0), new Date(0))
    const store = new AgeFileStore(path, ageBox(await keyPair()))
    const error = await operatorErrorOf(() => store.putPending(credentialsOf(R1, { 'CU:a': 'a1' })))
    expect([error.code, error.exitCode, error.message, ...error.suggestions]).toEqual([
      'STORE_UNWRITABLE',
      3,
      `the credential store cannot be locked: ${path}.lock is something else than a lock`,
      `where it is nobody's: move ${path}.lock away`,
    ])
    expect(await readdir(join(path, '..'))).toEqual(['store.age.lock'])
  })

  test("refuses another rotation's PENDING and keeps it", async () => {
    const store = await openCredentialStore(`file:${join(await folder(), 's.age')}`, await keyPair())
    await store.putPending(credentialsOf(R1, { 'CU:a': CANARY }))
    const error = await operatorErrorOf(() => store.putPending(credentialsOf(R2, { 'CU:a': `${CANARY}-2` })))
    expect([error.code, error.exitCode]).toEqual(['FOREIGN_PENDING', 3])
    expect(shownParts(error)).not.toContain('TEST-SECRET')
    expect((await store.read('pending'))?.rotationId).toBe(R1)
  })

  test('two processes that update at the same time lose nothing', async () => {
    const path = join(await folder(), 's.age')
    const keys = await keyPair()
    const stores = await Promise.all([1, 2, 3].map(() => openCredentialStore(`file:${path}`, keys)))
    const results = await Promise.allSettled(
      stores.map((store, at) => store.putPending(credentialsOf(`r-20260301-03150${at}-aaaa`, { 'CU:a': `a${at}` }))),
    )
    expect(results.filter((result) => result.status === 'fulfilled')).toHaveLength(1)
    for (const result of results) {
      if (result.status === 'rejected') expect(result.reason).toMatchObject({ code: 'FOREIGN_PENDING' })
    }
  })
})

describe('a store that cannot be used', () => {
  test('wrong passphrase, wrong identity, and the wrong one of both kinds', async () => {
    const place = await folder()
    const pair = await keyPair()
    const [withPhrase, withKey] = [`file:${join(place, 'p.age')}`, `file:${join(place, 'k.age')}`]
    await (await openCredentialStore(withPhrase, passphrase('TEST-SECRET-right'))).putPending(
      credentialsOf(R1, { 'CU:a': CANARY }),
    )
    await (await openCredentialStore(withKey, pair)).putPending(credentialsOf(R1, { 'CU:a': CANARY }))
    for (const [text, keys, flag] of [
      [withPhrase, passphrase('TEST-SECRET-wrong'), '--store-passphrase'],
      [withKey, await keyPair(), '--store-identity'],
      [withKey, passphrase('TEST-SECRET-right'), '--store-passphrase'],
      [withPhrase, pair, '--store-identity'],
    ] as const) {
      const error = await operatorErrorOf(() => openCredentialStore(text, keys))
      expect([error.code, error.exitCode]).toEqual(['STORE_LOCKED', 3])
      expect(error.message).toContain(text)
      expect(error.suggestions).toEqual([`check ${flag}`])
      expect(shownParts(error)).not.toContain('TEST-SECRET')
    }
  })

  test('an identity that does not belong to the recipient is found before anything is written', async () => {
    const [mine, other] = [await keyPair(), await keyPair()]
    const error = await operatorErrorOf(async () =>
      openCredentialStore(`file:${join(await folder(), 's.age')}`, { ...mine, recipients: other.recipients }),
    )
    expect(error.code).toBe('STORE_LOCKED')
  })

  test.each([
    ['text', Buffer.from(`{"CU:a":"${CANARY}"}`)],
    ['nothing', Buffer.alloc(0)],
  ])('a file that holds %s is not in the age format, and is left alone', async (_, bytes) => {
    const path = join(await folder(), 's.age')
    await writeFile(path, bytes)
    const error = await operatorErrorOf(() => openCredentialStore(`file:${path}`, passphrase('p')))
    expect([error.code, error.message]).toEqual(['STORE_MALFORMED', `file:${path} is not a file in the age format`])
    expect(await readFile(path)).toEqual(bytes)
  })

  test('a file cut off is damaged', async () => {
    const path = join(await folder(), 's.age')
    const store = await openCredentialStore(`file:${path}`, passphrase('p'))
    await store.putPending(credentialsOf(R1, { 'CU:a': CANARY }))
    await truncate(path, (await stat(path)).size - 5)
    const error = await operatorErrorOf(() => store.read('pending'))
    expect(error.code).toBe('STORE_MALFORMED')
    expect(error.message).toContain('is damaged')
  })

  test('age files with other content are not taken for a store', async () => {
    const keys = await keyPair()
    const path = join(await folder(), 's.age')
    for (const [text, place] of [
      [CANARY, ''],
      [
        `{"format":"lockstep-credentials/1","promoted":null,"pending":null,"previous":null,"current":{"users":{"CU:a":"${CANARY}"}}}`,
        ' (at "current.rotationId")',
      ],
    ] as const) {
      await writeFile(path, await ageBox(keys).seal(text))
      const error = await operatorErrorOf(() => openCredentialStore(`file:${path}`, keys))
      expect([error.code, error.message]).toEqual([
        'STORE_MALFORMED',
        `file:${path} holds something else than credentials${place}`,
      ])
      expect(shownParts(error)).not.toContain('TEST-SECRET')
    }
  })

  test('a folder that is missing or cannot be written is found before a write', async () => {
    const place = await folder()
    await writeFile(join(place, 'file'), '')
    const keys = passphrase('p')
    const missing = await openCredentialStore(`file:${join(place, 'no', 's.age')}`, keys)
    const error = await operatorErrorOf(() => missing.checkWritable())
    expect([error.code, error.exitCode]).toEqual(['STORE_UNWRITABLE', 3])
    expect(error.message).toContain(`${join(place, 'no')} does not exist`)
    expect(error.suggestions).toEqual([`mkdir -m 700 -p ${join(place, 'no')}`])
    await expect(missing.putPending(credentialsOf(R1, { 'CU:a': 'a' }))).rejects.toMatchObject({
      code: 'STORE_UNWRITABLE',
    })

    const asFolder = await operatorErrorOf(() => openCredentialStore(`file:${place}`, keys))
    expect([asFolder.code, asFolder.message]).toEqual(['STORE_UNREADABLE', `the credential store ${place} is a folder`])
    const below = await operatorErrorOf(() => openCredentialStore(`file:${join(place, 'file', 's.age')}`, keys))
    expect(below.code).toBe('STORE_UNREADABLE')
    // No file can be made in /proc, not even by root.
    const proc = await openCredentialStore('file:/proc/lockstep-store.age', keys)
    expect((await operatorErrorOf(() => proc.checkWritable())).code).toBe('STORE_UNWRITABLE')
  })

  test('keys that are missing, contradictory or malformed are mistakes of the command line', async () => {
    const pair = await keyPair()
    for (const [keys, message] of [
      [{ recipients: [] }, 'nothing says how the store is encrypted'],
      [
        { recipients: pair.recipients },
        'a store that is encrypted to recipients must be read back, and there is no identity',
      ],
      [{ recipients: [], identity: pair.identity }, 'there is an identity but no recipient for the store'],
      [{ ...pair, passphrase: new Secret(CANARY) }, 'a store has either a passphrase or recipients, not both'],
      [{ recipients: [], passphrase: new Secret('') }, 'the passphrase of the store is empty'],
      [{ ...pair, recipients: ['age1nonsense'] }, '--store-recipient "age1nonsense" is no age recipient'],
      [{ ...pair, recipients: [pair.text] }, '--store-recipient is no age recipient'],
      [{ ...pair, identity: new Secret(CANARY) }, '--store-identity holds no age identity'],
      [{ ...pair, identity: new Secret('# empty') }, '--store-identity holds no age identity'],
    ] as const) {
      const error = await operatorErrorOf(() => openCredentialStore('file:/nowhere', keys as StoreKeys))
      expect([error.code, error.exitCode, error.message]).toEqual(['STORE_KEYS', 2, message])
      expect(shownParts(error)).not.toContain('TEST-SECRET')
      expect(shownParts(error)).not.toContain(pair.text)
    }
  })
})

const hasAge = spawnSync('age', ['--version']).status === 0
;(hasAge ? test : test.skip)('the age program opens a store encrypted to recipients', async () => {
  const place = await folder()
  const keys = await keyPair()
  await writeFile(join(place, 'identity'), keys.text, { mode: 0o600 })
  const store = await openCredentialStore(`file:${join(place, 's.age')}`, keys)
  await store.putPending(credentialsOf(R1, { 'CU:app_crypto': CANARY }))
  const text = execFileSync('age', ['--decrypt', '-i', join(place, 'identity'), join(place, 's.age')], {
    encoding: 'utf8',
  })
  expect(JSON.parse(text)).toEqual({
    format: 'lockstep-credentials/1',
    promoted: null,
    pending: {
      rotationId: R1,
      clusters: ['cluster-aaaaaaaaaaa', 'cluster-bbbbbbbbbbb'],
      restorePoint: 'hsm-bbbbbbbbbb2',
      startedAt: '2026-03-01T03:15:00.000Z',
      users: { 'CU:app_crypto': CANARY },
    },
    current: null,
    previous: null,
  })
})
