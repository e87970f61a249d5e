import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from '@jest/globals'
import { pasteable } from '../../src/adapters/terminal/pasteable.js'
import { run } from '../helpers/run-command.js'

const SRC = join(fileURLToPath(import.meta.url), '../../../../src')

describe('a command that is advised', () => {
  test.each([
    [
      '  * lockstep rotate rollback --rotation r-1   closes it',
      '  * lockstep rotate rollback --rotation r-1   # closes it',
    ],
    [
      'nothing is left: lockstep clusters list   shows it; then again',
      'nothing is left: lockstep clusters list   # shows it; then again',
    ],
    [
      '  * --from HSM --password prompt   without --to-current',
      '  * --from HSM --password prompt   # without --to-current',
    ],
  ])('has what is said of it behind it as a comment: %s', (line, shown) => {
    expect(pasteable(line)).toBe(shown)
    expect(pasteable(shown)).toBe(shown)
  })

  test('is left alone where nothing is said of it, and so is what is no command', () => {
    for (const line of ['  * lockstep rotate list', 'hsm-a   locked   yes', 'lockstep rotate list\n   next line'])
      expect(pasteable(line)).toBe(line)
  })

  test('can be pasted as it is shown; the document keeps the words', async () => {
    const argv = ['users', 'list', '--config=/nowhere/merged.cfg']
    const command = 'lockstep config generate --source CLUSTER --destination CLUSTER --out /nowhere/merged.cfg'
    expect((await run(argv)).stderr).toContain(`  * ${command}   # writes one\n`)
    const { error } = JSON.parse((await run([...argv, '--json'])).stdout)
    expect(error.suggestions).toEqual([`${command}   writes one`])
  })
})

/** What stands in a line of the sources from a command to the end of the text it is written in. */
const commandsIn = (line: string): readonly string[] => {
  if (/^\s*(\*|\/\*|\/\/)/.test(line)) return []
  let text = line
  while (/\$?\{[^{}]*\}/.test(text)) text = text.replace(/\$?\{[^{}]*\}/, 'VALUE')
  return [...text.matchAll(/\b(lockstep (?:clusters|config|rotate|store|users) [a-z]+[^'"`]*)/g)].map(
    ([, text = '']) => text,
  )
}

/** A command with its flags and their values, and what is said of it three blanks behind. */
const PASTEABLE = /^lockstep [a-z]+ [a-z]+(?: (?:--[a-z-]+(?:[ =](?!--)\S*[^\s,;:)])?|[A-Z]+))*(?: {3}\S.*)?$/

test('words of a sentence stand three blanks behind a command, wherever one is written', () => {
  const files = readdirSync(SRC, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith('.ts'))
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((path) => !path.includes('/simulator/'))
  const commands = files.flatMap((path) => readFileSync(path, 'utf8').split('\n').flatMap(commandsIn))
  expect(commands.length).toBeGreaterThan(60)
  expect(commands.filter((command) => !PASTEABLE.test(command))).toEqual([])
})
