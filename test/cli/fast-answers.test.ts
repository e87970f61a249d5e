import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from '@jest/globals'
import { answerAtOnce } from '../../src/cli/fast-answers.js'
import { run } from '../helpers/run-command.js'

const root = fileURLToPath(new URL('../../../', import.meta.url))
const read = (path: string): string => readFileSync(join(root, path), 'utf8')

describe('answers without the command framework', () => {
  test('the page kept for --help is what the framework shows', async () => {
    const { stdout } = await run(['--help'])
    expect(answerAtOnce(['--help'], read)).toBe(stdout)
  })

  test('--version names program, platform and Node', () => {
    const { name, version } = JSON.parse(read('package.json'))
    const line = `${name}/${version} ${process.platform}-${process.arch} node-${process.version}\n`
    expect([answerAtOnce(['--version'], read), answerAtOnce(['-v'], read)]).toEqual([line, line])
  })

  test.each([[[]], [['rotate', '--help']], [['--help', 'rotate']], [['--versions']]])('%j is left to it', (argv) => {
    expect(answerAtOnce(argv, read)).toBeNull()
  })

  test('without a page --help is left to it', () => {
    const missing = (path: string): string => {
      throw new Error(`no ${path}`)
    }
    expect(answerAtOnce(['--help'], missing)).toBeNull()
  })
})
