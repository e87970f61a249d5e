import { expect, test } from '@jest/globals'
import { run } from '../helpers/run-command.js'

test.each([
  ['a value out of range', ['rotate', 'start', '--concurrency', '0'], 'lockstep rotate start --help'],
  ['a value that is no option', ['rotate', 'plan', '--utility', 'pkcs11'], 'lockstep rotate plan --help'],
  ['a flag that does not exist', ['clusters', 'list', '--force'], 'lockstep clusters list --help'],
])('%s is answered by where the flags are explained', async (_, argv, help) => {
  const { stdout, exitCode } = await run([...argv, '--json'])
  const { code, suggestions } = JSON.parse(stdout).error
  expect([exitCode, code, suggestions]).toEqual([2, 'USAGE', [help]])
  const words = await run(argv)
  expect([words.exitCode, words.stdout]).toEqual([2, ''])
  expect(words.stderr).toContain(`Try this:\n  * ${help}`)
})

test.each([
  ['start', [0, 1, 2, 3, 4, 5, 6, 130]],
  ['resume', [0, 1, 2, 3, 4, 5, 6, 130]],
  ['rollback', [0, 1, 2, 3, 4, 5, 6, 130]],
  ['recover', [1, 2, 3, 4, 5, 130]],
])('rotate %s --help names every exit code it can end with', async (command, codes) => {
  const { stdout } = await run(['rotate', command, '--help'])
  const [, list = ''] = stdout.split('Exit codes:')
  expect([...list.matchAll(/^ {2}(\d+) {2}\S/gm)].map(([, code]) => Number(code))).toEqual(codes)
})
