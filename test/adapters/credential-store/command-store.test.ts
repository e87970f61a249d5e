import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, test } from '@jest/globals'
import { openCredentialStore } from '../../../src/adapters/credential-store/open-credential-store.js'
import type { RotationId } from '../../../src/domain/ids.js'
import { credentialsOf, passwordsIn } from '../../helpers/credentials.js'
import { operatorErrorOf, shownParts } from '../../helpers/errors.js'
import { tempFolders } from '../../helpers/temp-folder.js'

const newFolder = tempFolders()
const R1 = 'r-20260301-031500-aaaa' as RotationId
const R2 = 'r-20260302-031500-bbbb' as RotationId
const CANARY = 'TEST-SECRET-command-store'
const PATH = process.env['PATH'] ?? ''

const open = (command: string, env: NodeJS.ProcessEnv = {}) =>
  openCredentialStore(`command:${command}`, { recipients: [] }, { PATH, ...env })

/** A command that keeps the document in a file. */
const keeping = async () => {
  const path = join(await newFolder(), 'document')
  const command = `case "$LOCKSTEP_STORE_ACTION" in read) cat '${path}' 2>/dev/null || true;; write) cat > '${path}';; esac`
  return { path, command }
}

describe('a store behind a command', () => {
  test('keeps, promotes and gives back credentials, also to the next process', async () => {
    const { command } = await keeping()
    const store = await open(command)
    expect(await store.read('pending')).toBeNull()
    const pending = credentialsOf(R1, { 'CU:a': `${CANARY}-new` })
    await store.putPending(pending, credentialsOf(R1, { 'CU:a': `${CANARY}-old` }))
    expect(await store.read('pending')).toEqual(pending)
    await store.promote(R1)
    await store.promote(R1)
    const next = await open(command)
    expect(await next.read('current')).toEqual(pending)
    expect(passwordsIn(await next.read('previous'))).toEqual({ 'CU:a': `${CANARY}-old` })
    await next.putPending(credentialsOf(R2, { 'CU:b': 'b2' }))
    await expect(next.discardPending(R1)).rejects.toMatchObject({ code: 'FOREIGN_PENDING' })
    await next.discardPending(R2)
    expect(await next.read('pending')).toBeNull()
  })

  test('the command sees an allow-list of variables, and no credential among its own', async () => {
    const place = await newFolder()
    await open(`env > '${place}/env'; cat '${place}/no' 2>/dev/null || true`, {
      HOME: place,
      VAULT_TOKEN: 'for-the-vault',
      OFFICER: CANARY,
      LOCKSTEP_STORE_PASSPHRASE: CANARY,
      EXTRA: 'wanted',
      LOCKSTEP_PASS_ENV: 'EXTRA',
    })
    const seen = (await readFile(join(place, 'env'), 'utf8')).split('\n').map((line) => line.split('=')[0])
    expect(seen).toEqual(expect.arrayContaining(['PATH', 'HOME', 'VAULT_TOKEN', 'EXTRA', 'LOCKSTEP_STORE_ACTION']))
    expect(seen).not.toEqual(expect.arrayContaining(['OFFICER']))
    expect(seen).not.toEqual(expect.arrayContaining(['LOCKSTEP_STORE_PASSPHRASE']))
  })

  test('a command that fails is an error without its output', async () => {
    const read = await operatorErrorOf(() => open(`echo ${CANARY}; echo ${CANARY} >&2; exit 7`))
    expect([read.code, read.exitCode]).toEqual(['STORE_UNREADABLE', 3])
    expect(read.message).toMatch(/ ended with status 7 when asked to read$/)
    expect(read.message.replace(/^command:.* ended/, '')).not.toContain('TEST-SECRET')

    const store = await open('test "$LOCKSTEP_STORE_ACTION" = read')
    const write = await operatorErrorOf(() => store.putPending(credentialsOf(R1, { 'CU:a': CANARY })))
    expect([write.code, write.exitCode]).toEqual(['STORE_UNWRITABLE', 3])
    expect(shownParts(write)).not.toContain('TEST-SECRET')
  })

  test('a command that forgets what it was given is found out', async () => {
    const store = await open('cat >/dev/null')
    const error = await operatorErrorOf(() => store.putPending(credentialsOf(R1, { 'CU:a': CANARY })))
    expect([error.code, error.exitCode]).toEqual(['STORE_NOT_READ_BACK', 3])
    expect(shownParts(error)).not.toContain('TEST-SECRET')
  })

  test('what is no document of ours is refused and left alone', async () => {
    const { command, path } = await keeping()
    await writeFile(path, CANARY)
    const error = await operatorErrorOf(() => open(command))
    expect(error.code).toBe('STORE_MALFORMED')
    expect(shownParts(error)).not.toContain('TEST-SECRET')
    expect(await readFile(path, 'utf8')).toBe(CANARY)
  })
})
