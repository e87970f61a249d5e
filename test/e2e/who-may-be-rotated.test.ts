import { beforeAll, describe, expect, test } from '@jest/globals'
import { testFamily } from '../helpers/payments.js'
import { expectRefused } from '../helpers/refusal.js'
import { sharedFleet } from '../helpers/shared-fleet.js'
import { NEW_PASSWORD, type Workplace } from '../helpers/workplace.js'

const users = [
  { type: 'CO', name: 'tired_officer', password: 'TEST-tired-1', failures: 3 },
  { type: 'CU', name: 'tired', password: 'TEST-tired-1', failures: 3 },
  { type: 'CU', name: 'locked', password: 'TEST-locked-1', failures: 5 },
  { type: 'CU', name: 'kmsuser', password: 'TEST-kms-1' },
  { type: 'CU', name: 'with_factor', password: 'TEST-factor-1', twoFactor: true },
  { type: 'CU', name: 'with_quorum', password: 'TEST-quorum-1', mofnPubKey: true },
  { type: 'CU', name: 'only_source', password: 'TEST-only-1' },
]
const destination = [{ users: [{ type: 'CU', name: 'only_source', absent: true }] }]

const fleet = sharedFleet(
  {
    rules: testFamily('rules', { users, destination }),
    wrong: testFamily('wrong'),
    missing: testFamily('missing', { users, destination }),
    kms: testFamily('kms', { users, destination }),
    officers: testFamily('officers'),
    factor: testFamily('factor', {
      destinationFields: { users: [{ type: 'CO', name: 'admin', twoFactor: true }] },
    }),
    quorum: testFamily('quorum', { destinationFields: { quorum: 3 } }),
    mute: testFamily('mute'),
    later: testFamily('later'),
  },
  {},
  { acceptsNoWayBack: true },
)

/** Logins of one user over all HSMs of the family. */
const loginsOf = async (place: Workplace, user: string): Promise<{ ok: number; failed: number }> => {
  const counts = (await place.truth({ counters: true })).map((hsm) => hsm.logins?.[user] ?? { ok: 0, failed: 0 })
  return {
    ok: counts.reduce((sum, { ok }) => sum + ok, 0),
    failed: counts.reduce((sum, { failed }) => sum + failed, 0),
  }
}

// The rules one by one stand in the tests of the domain; here is what a person and the HSMs see of the kinds of them.
describe('refused before anybody logs in (exit 3)', () => {
  // One run after another on the same family shows as well that none of them left anything behind.
  let place: Workplace
  beforeAll(async () => {
    place = await fleet.at('rules')
  })
  test.each([
    ['a user that exists nowhere', ['--user=CU:nobody'], 'USER_NOT_FOUND', 'CU:nobody'],
    ['a user of another type', ['--user=CU:second_officer'], 'USER_WRONG_TYPE', 'second_officer'],
    ['app_user', ['--user=AU:app_user'], 'USER_NOT_ROTATABLE', 'app_user'],
    ['kmsuser without its flag', ['--user=CU:kmsuser'], 'KMSUSER', 'kmsuser'],
    ['a user with a second factor', ['--user=CU:with_factor'], 'USER_HAS_REGISTRATION', 'second factor'],
    ['a user with a quorum key', ['--user=CU:with_quorum'], 'USER_HAS_REGISTRATION', 'quorum key'],
    ['a user near its lock-out', ['--user=CU:tired'], 'NEAR_LOCKOUT', 'counts 3 failed logins of CU:tired'],
    ['a locked user', ['--user=CU:locked'], 'USER_LOCKED', 'CU:locked is locked on hsm-'],
    ['a user that a destination lacks', ['--user=CU:only_source'], 'USER_MISSING', 'CU:only_source'],
    ['an officer rotating itself', ['--user=CO:admin'], 'OFFICER_ROTATES_ITSELF', 'admin'],
    ['an officer near its lock-out', ['--officer=tired_officer'], 'NEAR_LOCKOUT', 'CO:tired_officer'],
  ])('%s', async (_what, args, code, naming) => {
    await expectRefused(place, () => place.start(args), { exitCode: 3, code, naming })
    for (const hsm of await place.truth({ counters: true })) expect(hsm.logins).toEqual({})
  })
})

test('a wrong officer password is tried once in the whole fleet, and not again without --retry-officer', async () => {
  const place = await fleet.at('wrong')
  const wrong = { env: { OFFICER: 'TEST-not-it' } }
  const first = await place.start([], wrong)
  expect(first.exitCode).toBe(3)
  expect(first.json.error.code).toBe('OFFICER_REFUSED')
  expect(first.stdout + first.stderr).not.toContain('TEST-not-it')
  expect(await loginsOf(place, 'CO:admin')).toEqual({ ok: 0, failed: 1 })

  // Also with the right password: this program cannot know that it is right.
  const second = await place.start()
  expect(second.exitCode).toBe(3)
  expect(second.json.error.code).toBe('OFFICER_REFUSED_BEFORE')
  expect(second.json.error.suggestions.join('\n')).toContain('--retry-officer')
  expect(await loginsOf(place, 'CO:admin')).toEqual({ ok: 0, failed: 1 })

  const third = await place.start(['--retry-officer', '--pause-before=store-pending'])
  expect(third.exitCode).toBe(4)
  expect(await loginsOf(place, 'CO:admin')).toEqual({ ok: 2, failed: 1 })
  expect((await place.rollback()).exitCode).toBe(0)
})

test('a wrong current password is tried on one HSM alone and refused with nothing changed', async () => {
  const place = await fleet.at('officers')
  const refused = () => place.start(['--current-password=env:WRONG'], { env: { WRONG: 'TEST-not-it' } })
  const before = await loginsOf(place, 'CU:app_crypto')
  const ended = await refused()
  expect(ended.exitCode).toBe(3)
  expect(ended.json.error.code).toBe('CURRENT_REFUSED')
  expect(await loginsOf(place, 'CU:app_crypto')).toEqual({ ...before, failed: before.failed + 1 })
  expect(await place.kept()).toEqual({ rotations: [], store: false, locks: [] })

  // An officer's password is rotated by another officer.
  const officer = await place.start(['--user=CO:second_officer'])
  expect(officer.exitCode).toBe(0)
  expect(await place.holds('CO:second_officer', NEW_PASSWORD)).toEqual([true, true])
})

describe('what several people have to do (exit 3)', () => {
  test('an officer with a second factor on one cluster alone: nobody logs in anywhere', async () => {
    const place = await fleet.at('factor')
    const [hsmId = ''] = (await place.hsmIds()).destination
    const refused = { exitCode: 3, code: 'OFFICER_NEEDS_2FA', naming: `${hsmId} (eu-west-1, cluster-factor` } as const
    await expectRefused(place, () => place.start(), refused)
    for (const hsm of await place.truth({ counters: true })) expect(hsm.logins).toEqual({})
    // Another officer can do it.
    const other = ['--officer=second_officer', '--officer-password=env:SECOND', '--pause-before=store-pending']
    expect((await place.start(other, { env: { SECOND: 'TEST-officer-2' } })).exitCode).toBe(4)
  })

  test('a quorum on one cluster alone: how many officers it takes is said, and nothing has changed', async () => {
    const place = await fleet.at('quorum')
    const ended = await expectRefused(place, () => place.start(), {
      exitCode: 3,
      code: 'QUORUM_REQUIRED',
      naming: 'eu-west-1/cluster-quorum',
    })
    expect(ended.json.error.message).toContain('3 officers have to approve')
  })

  test('whether there is a quorum cannot be read: said, and gone on', async () => {
    const place = await fleet.at('mute')
    const [hsmId = ''] = (await place.hsmIds()).source
    await fleet.fault('refuse', '--operation', 'quorum', '--hsm', hsmId)
    const started = await place.start()
    expect(started.exitCode).toBe(0)
    expect(started.stderr).toMatch(new RegExp(`${hsmId}\\) has a quorum could not be read`))
  })

  test('a quorum that is set in the middle of a rotation stops only what needs it', async () => {
    const place = await fleet.at('later')
    const { source, destination } = await place.hsmIds()
    expect((await place.start(['--pause-before=change'])).exitCode).toBe(4)
    const all = [...source, ...destination].flatMap((hsmId) => ['--hsm', hsmId])
    await fleet.fault('quorum', ...all)
    const resumed = await place.resume()
    expect([resumed.exitCode, resumed.json.stage, resumed.json.error.code]).toEqual([4, 'change', 'QUORUM_REQUIRED'])
    expect(resumed.stderr).toContain('asks for 2 approvals now')
    expect(await place.holds('CU:app_crypto', NEW_PASSWORD)).toEqual([false, false])
    await fleet.fault('quorum', '--off', ...all)
    expect((await place.resume()).exitCode).toBe(0)
  })
})

test('--create-missing copies the user to where it is missing', async () => {
  const place = await fleet.at('missing')
  const started = await place.start(['--user=CU:only_source', '--create-missing'])
  expect(started.exitCode).toBe(0)
  expect(await place.holds('CU:only_source', NEW_PASSWORD)).toEqual([true, true])
})

test('--allow-kmsuser rotates kmsuser', async () => {
  const place = await fleet.at('kms')
  expect((await place.start(['--user=CU:kmsuser', '--allow-kmsuser'])).exitCode).toBe(0)
  expect(await place.holds('CU:kmsuser', NEW_PASSWORD)).toEqual([true, true])
})
