import { describe, expect, test } from '@jest/globals'
import { run } from '../helpers/run-command.js'

const CLUSTERS = ['--source', 'us-east-1/cluster-aaaaaaaaaaa', '--destination', 'eu-west-1/cluster-bbbbbbbbbbb']
const WHOM = [...CLUSTERS, '--user', 'CU:app']
const OFFICER = ['--officer', 'admin', '--officer-password', 'env:OFFICER']
const FROM = ['--from', 'hsm-abcdefghijk']

/** A repair in a world where nothing may be asked of anybody. */
const repair = (...flags: readonly string[]) => {
  const nobody = async (): Promise<never> => {
    throw new Error('nothing is asked before the flags are right')
  }
  return run(['users', 'repair', ...flags], {
    clusterSource: nobody,
    console: nobody,
    secrets: nobody,
    openStore: nobody,
    rotationPorts: nobody,
  })
}

describe('users repair refuses, before anything is asked,', () => {
  test.each([
    ['nothing that says what the HSMs are to hold', [...WHOM, ...OFFICER], 'ORIGIN_MISSING', '--from'],
    ['both ways to say it', [...WHOM, ...FROM, '--to-current', ...OFFICER], 'TWO_ORIGINS', '--to-current'],
    [
      'a password with --to-current',
      [...WHOM, '--to-current', '--password', 'prompt'],
      'PASSWORD_OF_NOBODY',
      '--password',
    ],
    ['an origin that is neither', [...WHOM, '--from', '10.0.0.1'], 'BAD_ORIGIN', '10.0.0.1'],
    ['a cluster ID that is cut off', [...WHOM, '--from', 'cluster-abc'], 'BAD_ORIGIN', 'cluster-abc'],
    [
      'an origin that is no cluster of it',
      [...WHOM, '--from', 'cluster-ccccccccccc', ...OFFICER],
      'UNKNOWN_HSM',
      'cluster-ccccccccccc',
    ],
    ['a literal password', [...WHOM, ...FROM, '--password', 'hunter2hunter2'], 'LITERAL_SECRET', '--password'],
    ['no user', [...CLUSTERS, ...FROM], 'FLAG_MISSING', '--user'],
    ['no cluster', ['--user', 'CU:app', ...FROM], 'FLAG_MISSING', '--source'],
    ['no officer', [...WHOM, ...FROM], 'FLAG_MISSING', '--officer'],
    ['a stage that a repair does not have', [...WHOM, ...FROM, '--pause-before', 'canary'], 'UNKNOWN_STAGE', 'canary'],
    ['a reason for nothing', [...WHOM, ...FROM, '--reason', 'no-power'], 'REASON_FOR_NOTHING', '--reason'],
    ['an HSM without a reason', [...WHOM, ...FROM, '--allow-unreachable', 'hsm-abcdefghijk'], 'USAGE', '--reason'],
  ])('%s', async (_words, flags, code, naming) => {
    const { stdout, exitCode } = await repair(...flags, '--json')
    const { error } = JSON.parse(stdout)
    expect([exitCode, error.code]).toEqual([2, code])
    expect(error.message).toContain(naming)
    expect(error.message).not.toContain('hunter2')
    expect(error.suggestions).not.toEqual([])
  })
})

test('the words of a refusal say what to type', async () => {
  const { stderr, exitCode } = await repair(...WHOM, ...OFFICER)
  expect(exitCode).toBe(2)
  expect(stderr).toContain('  * --to-current --store STORE   # gives what the store keeps as CURRENT')
})

test('--help names every exit code it can end with', async () => {
  const { stdout } = await run(['users', 'repair', '--help'])
  const [, list = ''] = stdout.split('Exit codes:')
  const codes = [...list.matchAll(/^ {2}(\d+) {2}\S/gm)].map(([, code]) => Number(code))
  expect(codes).toEqual([0, 1, 2, 3, 4, 5, 6, 130])
})
