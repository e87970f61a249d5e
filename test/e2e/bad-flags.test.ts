import { beforeAll, describe, expect, test } from '@jest/globals'
import { testFamily } from '../helpers/payments.js'
import { expectRefused } from '../helpers/refusal.js'
import { sharedFleet } from '../helpers/shared-fleet.js'
import type { Workplace } from '../helpers/workplace.js'

const fleet = sharedFleet({ flags: testFamily('flags') })
let place: Workplace
beforeAll(async () => {
  place = await fleet.at('flags')
})

describe('a password typed as an argument is refused and repeated nowhere', () => {
  const literal = 'TEST-SECRET-typed-1'
  test.each([
    '--officer-password',
    '--new-password',
    '--new-password=CU:app_crypto',
    '--current-password',
    '--store-identity',
  ])('%s', async (flag) => {
    const ended = await expectRefused(place, () => place.start([`${flag}=${literal}`]), {
      exitCode: 2,
      code: 'LITERAL_SECRET',
      naming: flag.split('=')[0] ?? '',
    })
    expect(ended.stdout + ended.stderr).not.toContain(literal)
  })
})

describe('a new password outside the rules is refused and not shown', () => {
  test.each([
    ['too short', 'TEST-7c', 'fewer than 8'],
    ['too long', `TEST-${'x'.repeat(28)}`, 'more than 32'],
    ['with a colon', 'TEST:new-1', '":"'],
    ['with a blank', 'TEST new-1', 'blank'],
    ['with a leading dash', '-TEST-new-1', 'begins with "-"'],
  ])('%s', async (_what, NEW, naming) => {
    const ended = await expectRefused(place, () => place.start([], { env: { NEW } }), {
      exitCode: 2,
      code: 'PASSWORD_RULES',
      naming,
    })
    expect(ended.stdout + ended.stderr).not.toContain(NEW)
  })
})

describe('other flags that are wrong (exit 2)', () => {
  test.each([
    ['a user without a type', ['--user=app_crypto'], 'USER_MALFORMED', 'app_crypto'],
    ['a user with an unknown type', ['--user=XX:app_crypto'], 'USER_MALFORMED', 'XX:app_crypto'],
    ['a user named twice', ['--user=CU:app_crypto', '--user=crypto-user:APP_CRYPTO'], 'USER_TWICE', 'APP_CRYPTO'],
    ['a cluster that is no cluster ID', ['--source=us-east-1/cluster_1'], 'BAD_CLUSTER_REFERENCE', 'cluster_1'],
    ['a Region in no form of one', ['--region=us_east_1'], 'BAD_REGION', 'us_east_1'],
    [
      'a password for a user that is not rotated',
      ['--new-password=CU:other=env:NEW'],
      'PASSWORD_FOR_NOBODY',
      'CU:other',
    ],
    ['a variable that is not set', ['--officer-password=env:NOT_SET'], 'SECRET_VARIABLE', 'NOT_SET'],
    ['a stage that does not exist', ['--pause-before=lunch'], 'UNKNOWN_STAGE', 'lunch'],
    [
      'the new password equal to the current one',
      ['--current-password=env:NEW'],
      'NEW_EQUALS_CURRENT',
      'CU:app_crypto',
    ],
    ['a store of unknown kind', ['--store=cloud:somewhere'], 'STORE_MALFORMED_NAME', ''],
    ['a plan that is not there', ['--plan=missing.json'], 'PLAN_UNREADABLE', 'missing.json'],
    ['a flag that does not exist', ['--force'], 'USAGE', '--force'],
    ['a prompt without a terminal', ['--officer-password=prompt'], 'NO_TERMINAL', '--officer-password'],
  ])('%s', async (_what, args, code, naming) => {
    const ended = await expectRefused(place, () => place.start(args), { exitCode: 2, code, naming })
    expect(ended.json.error.suggestions).not.toEqual([])
  })

  test('the source as destination', async () => {
    const [source = ''] = place.clusterFlags
    await expectRefused(place, () => place.start([source.replace('--source', '--destination')]), {
      exitCode: 2,
      code: 'SOURCE_IS_DESTINATION',
      naming: 'cluster-flagsxxxxxxsrc',
    })
  })

  test('a Region that AWS does not have', async () => {
    // With an endpoint of one's own any Region may exist.
    const start = () => place.start(['--region=us-esat-1'], { env: { AWS_ENDPOINT_URL: '' } })
    const ended = await expectRefused(place, start, { exitCode: 2, code: 'UNKNOWN_REGION', naming: 'us-esat-1' })
    expect(ended.json.error.suggestions).toContain('did you mean us-east-1?')
  })

  test.each([
    ['a reason for nothing', ['--reason=its rack has no power'], 'REASON_FOR_NOTHING'],
    ['an HSM that may stay behind without a reason', ['--allow-unreachable=hsm-aaaaaaaaaaa'], 'USAGE'],
    ['an officer of a cluster that takes no part', ['--officer=cluster-ccccccccccc=admin'], 'OFFICER_FOR_NOBODY'],
  ])('%s', async (_what, args, code) => {
    const ended = await expectRefused(place, () => place.start(args), { exitCode: 2, code })
    expect(ended.json.error.suggestions).not.toEqual([])
  })

  test.each([
    ['no JSON', 'not a plan'],
    ['JSON of something else', '{"version":1,"plan":{"source":{}}}'],
    ['a plan of another version', '{"version":99}'],
  ])('a malformed plan: %s', async (_what, text) => {
    await place.write('plan.json', text)
    await expectRefused(place, () => place.start(['--plan=plan.json']), {
      exitCode: 2,
      code: 'PLAN_MALFORMED',
      naming: 'plan.json',
    })
  })

  test('an unknown command', async () => {
    const ended = await place.run(['rotate', 'sart', '--json'])
    expect(ended.exitCode).toBe(2)
    expect(ended.json).toEqual({
      error: {
        code: 'USAGE',
        message: expect.stringContaining('rotate:sart'),
        suggestions: expect.arrayContaining(['did you mean lockstep rotate start?', 'lockstep rotate --help']),
      },
    })
    const words = await place.run(['rotate', 'sart'])
    expect([words.exitCode, words.stdout]).toEqual([2, ''])
    expect(words.stderr).toContain('lockstep rotate --help')
  })
})
