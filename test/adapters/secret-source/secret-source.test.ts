import { execFileSync } from 'node:child_process'
import { chmod, mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, test } from '@jest/globals'
import { secretSource } from '../../../src/adapters/secret-source/secret-source.js'
import { parseSecretForm } from '../../../src/domain/secret-form.js'
import { operatorErrorOf, shownParts } from '../../helpers/errors.js'
import { tempFolders } from '../../helpers/temp-folder.js'

const folder = tempFolders()
const use = { flag: '--officer-password', what: 'password of CO:admin' }
const form = (text: string) => parseSecretForm(text, use.flag)
const CANARY = 'TEST-SECRET-source'

describe('a secret from the environment', () => {
  test('is the value of the variable', async () => {
    const source = secretSource({ env: { OFFICER: CANARY } })
    expect((await source.resolve(form('env:OFFICER'), use)).reveal()).toBe(CANARY)
  })

  test.each([
    [{}, 'not set'],
    [{ OFFICER: '' }, 'empty'],
  ])('a variable that holds nothing is named', async (env, state) => {
    const error = await operatorErrorOf(() => secretSource({ env }).resolve(form('env:OFFICER'), use))
    expect([error.code, error.exitCode]).toEqual(['SECRET_VARIABLE', 2])
    expect(error.message).toBe(
      `--officer-password takes the password of CO:admin from the environment variable OFFICER, which is ${state}`,
    )
  })
})

describe('a secret from a file', () => {
  const warnings: string[] = []
  const source = secretSource({ warn: (text) => warnings.push(text) })

  test.each([
    ['', CANARY],
    ['\n', CANARY],
    ['\r\n', CANARY],
    ['\nsecond line\n', CANARY],
    [' \n', `${CANARY} `],
  ])('is its first line without the line end %j', async (rest, secret) => {
    const path = join(await folder(), 'secret')
    await writeFile(path, `${CANARY}${rest}`, { mode: 0o600 })
    expect((await source.resolve(form(`file:${path}`), use)).reveal()).toBe(secret)
    expect(warnings).toEqual([])
  })

  test('is all of it where all lines count', async () => {
    const path = join(await folder(), 'identity')
    await writeFile(path, '# comment\nline\n', { mode: 0o600 })
    expect((await source.resolve(form(`file:${path}`), { ...use, wholeText: true })).reveal()).toBe('# comment\nline\n')
  })

  test('a file that others can read is used with a warning', async () => {
    const path = join(await folder(), 'open')
    await writeFile(path, CANARY)
    await chmod(path, 0o640)
    await source.resolve(form(`file:${path}`), use)
    expect(warnings.splice(0)).toEqual([
      `Warning: ${path} can be read by other users of this machine; chmod 600 ${path}`,
    ])
  })

  test('a file that holds no secret is named with what is wrong', async () => {
    const place = await folder()
    await mkdir(join(place, 'dir'))
    await writeFile(join(place, 'empty'), '', { mode: 0o600 })
    await writeFile(join(place, 'blank'), `\n${CANARY}\n`, { mode: 0o600 })
    await writeFile(join(place, 'large'), CANARY.repeat(10_000), { mode: 0o600 })
    for (const [name, what] of [
      ['missing', 'does not exist'],
      ['dir', 'is a folder'],
      ['empty', 'is empty'],
      ['blank', 'has an empty first line'],
      ['large', 'has 180000 bytes, more than any password'],
      ['empty/x', 'lies below something that is no folder'],
    ]) {
      const path = join(place, name as string)
      const error = await operatorErrorOf(() => source.resolve(form(`file:${path}`), use))
      expect([error.code, error.exitCode]).toEqual(['SECRET_FILE', 2])
      expect(error.message).toBe(
        `--officer-password takes the password of CO:admin from the file ${path}, which ${what}`,
      )
      expect(shownParts(error)).not.toContain('TEST-SECRET')
    }
  })
})

describe('a secret from a command', () => {
  test('is the first line it prints', async () => {
    const command = `command:printf '%s\\n%s\\n' "$LC_TEST-x" second`
    const secret = await secretSource({ env: { LC_TEST: 'hello' }, argv: [] }).resolve(form(command), use)
    expect(secret.reveal()).toBe('hello-x')
  })

  test('it sees an allow-list of variables, what the operator names, and no credential in either', async () => {
    const source = secretSource({
      env: {
        PATH: process.env['PATH'],
        NEW_PW: CANARY,
        OLD_PW: CANARY,
        LOCKSTEP_STORE_PASSPHRASE: CANARY,
        VAULT_TOKEN: 'kept',
        KEEP: 'kept too',
        OTHER: 'unknown to it',
        LOCKSTEP_PASS_ENV: 'KEEP, NEW_PW, LOCKSTEP_STORE_PASSPHRASE',
      },
      argv: ['node', 'lockstep', '--new-password', 'CU:a=env:NEW_PW', '--current-password=env:OLD_PW'],
    })
    const seen = await source.resolve(form('command:env'), { ...use, wholeText: true })
    expect(seen.reveal()).toContain('VAULT_TOKEN=kept')
    expect(seen.reveal()).toContain('KEEP=kept too')
    expect(seen.reveal()).not.toContain('OTHER')
    expect(seen.reveal()).not.toContain(CANARY)
  })

  test.each([
    [`echo ${CANARY}; exit 7`, 'ended with status 7'],
    [`echo ${CANARY} >&2`, 'printed no first line'],
    [`echo ${CANARY}; kill -TERM $$`, 'was ended by SIGTERM'],
    [`yes ${CANARY}`, 'printed more than 64 KiB'],
  ])('%s is refused, and its output is not shown', async (command, what) => {
    // The command text itself is shown nowhere either.
    const error = await operatorErrorOf(() => secretSource({ argv: [] }).resolve(form(`command:${command}`), use))
    expect([error.code, error.exitCode]).toEqual(['SECRET_COMMAND', 3])
    expect(error.message).toBe(`the command that --officer-password names for the password of CO:admin ${what}`)
    expect(shownParts(error)).not.toContain('TEST-SECRET')
  })

  test('one that takes too long is ended with all it started', async () => {
    const file = join(await folder(), 'pid')
    const command = `command:sleep 600 & echo $! > ${file}; echo ${CANARY}; wait`
    const source = secretSource({ argv: [], commandTimeoutMs: 300 })
    const error = await operatorErrorOf(() => source.resolve(form(command), use))
    expect(error.message).toContain('did not end within 0.3 s')
    const pid = (await readFile(file, 'utf8')).trim()
    const state = () =>
      execFileSync('/bin/sh', ['-c', `ps -o stat= -p ${pid} || echo gone`], { encoding: 'utf8' }).trim()
    // Killed at once; who reaps it is init's business.
    expect(state()).toMatch(/^(gone|Z.*)$/)
  })
})

describe('a secret asked for', () => {
  const asking = (answers: readonly string[]) => {
    const asked: string[] = []
    const left = [...answers]
    return {
      asked,
      source: secretSource({
        ask: async (question) => {
          asked.push(question)
          return left.shift() ?? ''
        },
      }),
    }
  }

  test('is asked once where it is in force, twice where it is new', async () => {
    const once = asking([CANARY])
    expect((await once.source.resolve(form('prompt'), use)).reveal()).toBe(CANARY)
    expect(once.asked).toEqual(['Password of CO:admin:'])
    const twice = asking([CANARY, CANARY])
    expect((await twice.source.resolve(form('prompt'), { ...use, confirm: true })).reveal()).toBe(CANARY)
    expect(twice.asked).toEqual(['Password of CO:admin:', 'Once more:'])
  })

  test('is asked again when the answers differ, three times at most', async () => {
    const second = asking([CANARY, 'slip', CANARY, CANARY])
    expect((await second.source.resolve(form('prompt'), { ...use, confirm: true })).reveal()).toBe(CANARY)
    expect(second.asked[2]).toBe('Password of CO:admin, the two answers differed:')
    const never = asking(['1', '2', '3', '4', '5', '6'])
    const error = await operatorErrorOf(() => never.source.resolve(form('prompt'), { ...use, confirm: true }))
    expect([error.code, error.exitCode, never.asked.length]).toEqual(['PASSWORDS_DIFFER', 2, 6])
  })
})
