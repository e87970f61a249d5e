import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { expect, test } from '@jest/globals'
import { spawn } from '@lydell/node-pty'

const CANARY = 'TEST-SECRET-prompt'
const source = fileURLToPath(new URL('../../../src/adapters/secret-source/secret-source.js', import.meta.url))
const script = `
  const { secretSource } = await import(${JSON.stringify(source)})
  try {
    const secret = await secretSource().resolve({ kind: 'prompt' }, { flag: '--new-password', what: 'new password of CU:a', confirm: true })
    console.log('RESULT ' + secret.reveal().length)
  } catch (error) {
    console.log('RESULT ' + error.code + ' ' + error.exitCode)
  }`

/** Runs the script in a terminal and types one answer at each question. */
const drive = (answers: readonly string[]): Promise<string> =>
  new Promise((resolve) => {
    const left = [...answers]
    const terminal = spawn(process.execPath, ['--input-type=module', '-e', script], { cols: 120, rows: 30 })
    let screen = ''
    let answered = 0
    terminal.onData((data) => {
      screen += data
      if (screen.includes('[input is masked]', answered) && left.length > 0) {
        answered = screen.length
        terminal.write(left.shift() as string)
      }
      if (/RESULT .*\n/.test(screen)) terminal.kill()
    })
    terminal.onExit(() => resolve(screen))
  })

test('a password typed at the prompt is not shown', async () => {
  const screen = await drive([`${CANARY}\r`, `${CANARY}\r`])
  expect(screen).toContain('New password of CU:a:')
  expect(screen).toContain('Once more:')
  expect(screen).toContain(`RESULT ${CANARY.length}`)
  expect(screen).not.toContain('TEST-SECRET')
})

test('Ctrl-C at the prompt ends with 130', async () => {
  expect(await drive(['\x03'])).toContain('RESULT INTERRUPTED 130')
})

test('without a terminal it says so instead of waiting', () => {
  const { stdout } = spawnSync(process.execPath, ['--input-type=module', '-e', script], {
    encoding: 'utf8',
    input: `${CANARY}\n`,
  })
  expect(stdout).toBe('RESULT NO_TERMINAL 2\n')
})
