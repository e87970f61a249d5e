import { chmod, readdir, readFile, stat, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { beforeEach, describe, expect, test } from '@jest/globals'
import { credentialsOf } from '../helpers/credentials.js'
import { MemoryCredentialStore } from '../helpers/memory-credential-store.js'
import { ROTATION } from '../helpers/rotation.js'
import { run } from '../helpers/run-command.js'
import { tempFolders } from '../helpers/temp-folder.js'

const newFolder = tempFolders()
const CANARY = 'TEST-SECRET-store-get'
let store: MemoryCredentialStore

beforeEach(async () => {
  store = new MemoryCredentialStore()
  await store.putPending(
    credentialsOf(ROTATION, { 'CU:app': CANARY }),
    credentialsOf(ROTATION, { 'CU:app': `${CANARY}-old` }),
  )
})

// The runner splits words at blanks again.
const get = (stage: string, to: string, ...more: string[]) =>
  run(
    ['store', 'get', '--store', 'file:x', '--user', 'CU:APP', '--stage', stage, '--to', `"${to}"`, '--json', ...more],
    {
      openStore: async () => store,
    },
  )

describe('store get', () => {
  test('writes the credential alone into a file that only its owner can read', async () => {
    const path = join(await newFolder(), 'password')
    const { stdout, stderr, exitCode } = await get('pending', `file:${path}`)
    expect([exitCode, stderr]).toEqual([0, ''])
    expect(JSON.parse(stdout)).toEqual({ user: 'CU:APP', stage: 'pending', rotationId: ROTATION, to: `file:${path}` })
    expect(await readFile(path, 'utf8')).toBe(CANARY)
    expect((await stat(path)).mode & 0o777).toBe(0o600)
  })

  test('replaces a file only when told to, and then closes it to others', async () => {
    const folder = await newFolder()
    const path = join(folder, 'password')
    await writeFile(path, 'kept')
    await chmod(path, 0o644)
    const refused = await get('current', `file:${path}`)
    expect([refused.exitCode, JSON.parse(refused.stdout).error.code]).toEqual([3, 'FILE_EXISTS'])
    expect(await readFile(path, 'utf8')).toBe('kept')
    expect((await get('current', `file:${path}`, '--force')).exitCode).toBe(0)
    expect(await readFile(path, 'utf8')).toBe(`${CANARY}-old`)
    expect((await stat(path)).mode & 0o777).toBe(0o600)
    expect(await readdir(folder)).toEqual(['password'])
  })

  test('does not write through a link that leads nowhere', async () => {
    const folder = await newFolder()
    await symlink(join(folder, 'elsewhere'), join(folder, 'link'))
    expect((await get('current', `file:${join(folder, 'link')}`)).exitCode).toBe(3)
    expect(await readdir(folder)).toEqual(['link'])
  })

  test('gives it to a command on standard input', async () => {
    const path = join(await newFolder(), 'got')
    expect((await get('pending', `command:cat > '${path}'`)).exitCode).toBe(0)
    expect(await readFile(path, 'utf8')).toBe(CANARY)
  })

  test('a command that fails is an error without its output', async () => {
    const { stdout, stderr, exitCode } = await get('pending', 'command:cat; cat >&2; exit 9')
    expect([exitCode, stderr]).toEqual([3, ''])
    expect(JSON.parse(stdout).error).toMatchObject({
      code: 'TO_COMMAND',
      message: 'the command that --to names ended with status 9',
    })
  })

  test('what the store does not hold is named', async () => {
    const none = await get('previous', 'file:/nowhere/x')
    expect([none.exitCode, JSON.parse(none.stdout).error]).toEqual([
      3,
      {
        code: 'NOT_IN_STORE',
        message: 'memory holds no previous credential of CU:APP',
        suggestions: ['it holds no previous credential at all'],
      },
    ])
  })

  test.each([
    ['stdout', 'TO_MALFORMED'],
    ['file:', 'TO_MALFORMED'],
    ['command: ', 'TO_MALFORMED'],
  ])('--to %s is a mistake', async (to, code) => {
    const { stdout, exitCode } = await get('pending', to)
    expect([exitCode, JSON.parse(stdout).error.code]).toEqual([2, code])
  })

  test('a folder that is missing is an error for the operator', async () => {
    const { stdout, exitCode } = await get('pending', 'file:/nowhere/password')
    expect([exitCode, JSON.parse(stdout).error.code]).toEqual([3, 'TO_UNWRITABLE'])
  })
})
