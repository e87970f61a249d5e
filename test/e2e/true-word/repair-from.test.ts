import { describe, expect, test } from '@jest/globals'
import { cliFamily, USER } from '../../helpers/cli-rotation.js'
import { clusterIn, endOf, kindsOfCells, mostFailures, onHsms, proofByHsm } from '../../helpers/observed.js'
import { OLD_BATCH_PASSWORD, OLD_PASSWORD, singleFamily, testFamily } from '../../helpers/payments.js'
import { sharedFleet } from '../../helpers/shared-fleet.js'
import { story } from '../../helpers/story.js'
import { NEW_PASSWORD } from '../../helpers/workplace.js'

process.env['TEST_DRIFTED'] = 'TEST-drifted-1'
const BATCH = 'CU:app_batch'
// What was refused in words nobody knows is waited for.
const SOON = '--silence-timeout=1'
const families = {
  unproved: testFamily('unproved', { source: 1, destination: 2 }),
  proved: testFamily('proved', { source: 2, destination: 1 }),
  cli: cliFamily('cli', { source: 1, destination: 3 }),
  single: singleFamily('single', { source: 3 }),
  paused: singleFamily('paused', { source: 3 }),
  asked: testFamily('asked'),
  locked: testFamily('locked'),
}
const fleet = sharedFleet(families)
const drift = (...hsmIds: readonly string[]) =>
  fleet.fault('set-password', '--user', USER, '--password', 'env:TEST_DRIFTED', ...onHsms(hsmIds))

describe('users repair --from HSM, without a password', () => {
  const left = story(async () => {
    const place = await fleet.at('unproved')
    const [from = '', drifted = ''] = (await place.hsmIds()).destination
    await drift(drifted)
    const repaired = await place.repair([`--from=${from}`])
    return { from, drifted, repaired, status: await place.status(), held: await place.holds(USER, OLD_PASSWORD) }
  })

  test('gives every HSM what that one holds', () => {
    expect(endOf(left().repaired)).toEqual([0, 'completed', undefined])
    expect(left().held).toEqual([true, true, true])
  })

  test('is a document of the rotation family', () => {
    for (const { json } of [left().repaired, left().status]) {
      expect(json).toMatchObject({
        rotationId: expect.stringMatching(/^r-/),
        procedure: 'repair',
        direction: 'forward',
        users: [USER],
        stage: null,
      })
      expect(json.cells).toHaveLength(3)
    }
    expect(left().status.exitCode).toBe(0)
  })

  test('calls what was copied unproved, in the cells and in words', () => {
    expect(proofByHsm(left().repaired.json)[left().drifted]).toBe('copy')
    expect(new Set(left().repaired.json.cells.map(({ state }: { state: string }) => state))).toEqual(new Set(['new']))
    expect(left().repaired.stderr).toMatch(/unproved|not proved|without proof/i)
  })
})

test('with the password every cell is proved by a login; with a wrong one nothing is written', async () => {
  const place = await fleet.at('proved')
  const [from = '', drifted = ''] = (await place.hsmIds()).source
  await drift(drifted)
  const wrong = await place.repair([`--from=${from}`, '--password=env:NEW'])
  expect(wrong.exitCode).toBe(3)
  expect(wrong.json.error.message).toContain(from)
  expect(await place.holds(USER, 'TEST-drifted-1')).toEqual([false, true, false])
  expect(await mostFailures(place)).toBe(1)

  const shown = await place.repair([`--from=${from}`, '--password=env:OLD', '--dry-run'])
  expect(shown.json.writes).toEqual([{ unitId: drifted, act: 'change', from: null, users: [USER] }])
  const hourAgo = Date.now() - 3_600_000
  for (const { observedAt } of shown.json.cells) expect(Date.parse(observedAt)).toBeGreaterThan(hourAgo)
  const repaired = await place.repair([`--from=${from}`, '--password=env:OLD'])
  expect(repaired.stderr).not.toContain('written again')
  expect(endOf(repaired)).toEqual([0, 'completed', undefined])
  expect(kindsOfCells(repaired.json)).toEqual(['new (login-new)'])
  expect(await place.holds(USER, OLD_PASSWORD)).toEqual([true, true, true])
})

test('--from CLUSTER by cloudhsm-cli: two users, one drifted and one missing on some HSM of three', async () => {
  const place = await fleet.at('cli')
  const [, drifted = '', lacking = ''] = (await place.hsmIds()).destination
  await drift(drifted)
  await fleet.fault('missing-user', '--user', BATCH, '--hsm', lacking)
  const from = `--from=${clusterIn(families.cli.source)}`
  const repaired = await place.repair([from, `--user=${USER}`, `--user=${BATCH}`])
  expect(endOf(repaired)).toEqual([0, 'completed', undefined])
  expect(await place.holds(USER, OLD_PASSWORD)).toEqual([true, true, true, true])
  expect(await place.holds(BATCH, OLD_BATCH_PASSWORD)).toEqual([true, true, true, true])
})

test('over one cluster, and again when nothing is left to repair', async () => {
  const place = await fleet.at('single')
  const [from = '', drifted = '', lacking = ''] = (await place.hsmIds()).source
  await drift(drifted)
  await fleet.fault('missing-user', '--user', USER, '--hsm', lacking)
  for (const _ of [1, 2]) {
    expect(endOf(await place.repair([`--from=${from}`]))).toEqual([0, 'completed', undefined])
    expect(await place.holds(USER, OLD_PASSWORD)).toEqual([true, true, true])
  }
})

describe('an HSM that refuses to be written', () => {
  const left = story(async () => {
    const place = await fleet.at('paused')
    const [from = '', drifted = '', refusing = ''] = (await place.hsmIds()).source
    await drift(drifted, refusing)
    for (const operation of ['insert', 'change']) {
      await fleet.fault('refuse', '--operation', operation, '--hsm', refusing)
    }
    const paused = await place.repair([`--from=${from}`, SOON])
    const second = await place.start(['--current-password=env:OLD'])
    await fleet.fault('refuse', '--off', '--hsm', refusing)
    const resumed = await place.resume([SOON])
    return { refusing, paused, second, resumed, held: await place.holds(USER, OLD_PASSWORD) }
  })

  test('pauses the repair, and is named', () => {
    expect([left().paused.exitCode, left().paused.json.outcome, left().paused.json.procedure]).toEqual([
      4,
      'paused',
      'repair',
    ])
    expect(left().paused.json.error.message).toContain(left().refusing)
  })

  test('keeps a rotation off its cluster', () => expect(endOf(left().second)).toEqual([5, undefined, 'ROTATION_OPEN']))

  test('and rotate resume ends the repair', () => {
    expect(endOf(left().resumed)).toEqual([0, 'completed', undefined])
    expect(left().resumed.json.procedure).toBe('repair')
    expect(left().held).toEqual([true, true, true])
  })
})

describe('what is refused before anything is written', () => {
  test.each([
    ['neither --from nor --to-current', [], 2, /--from/],
    ['both of them', ['--from=hsm-aaaaaaaaaaa', '--to-current'], 2, /--from/],
    ['an origin that is none of these HSMs and clusters', ['--from=hsm-aaaaaaaaaaa'], 2, /hsm-aaaaaaaaaaa/],
    ['a store that has no CURRENT', ['--to-current'], 3, /credentials\.age/],
  ] as const)('%s', async (_words, args, exitCode, naming) => {
    const place = await fleet.at('asked')
    const before = await place.truth()
    const refused = await place.repair(args)
    expect([refused.exitCode, refused.json.error.message]).toEqual([exitCode, expect.stringMatching(naming)])
    expect(await place.truth()).toEqual(before)
    expect((await place.kept()).rotations).toEqual([])
  })

  test.each([[[]], [['--password=env:OLD']]])('an origin on which the user is locked %j', async (more) => {
    const place = await fleet.at('locked')
    const [from = ''] = (await place.hsmIds()).source
    await fleet.fault('failures', '--user', USER, '--count', '5', ...onHsms([from]))
    const refused = await place.repair([`--from=${from}`, ...more])
    expect(endOf(refused)).toEqual([3, undefined, 'USER_LOCKED'])
    expect(refused.json.error.message).toContain(from)
    expect((await place.kept()).rotations).toEqual([])
  })

  test('a question that nobody answers', async () => {
    const place = await fleet.at('asked')
    const [from = ''] = (await place.hsmIds()).source
    const what = [...place.clusterFlags, `--user=${USER}`, `--from=${from}`]
    const officer = ['--officer=admin', '--officer-password=env:OFFICER']
    const declined = await place.run(['users', 'repair', ...what, ...officer, '--json'])
    expect([declined.exitCode, declined.json.error.code]).toEqual([3, 'DECLINED'])
    expect((await place.kept()).rotations).toEqual([])
    expect(await place.holds(USER, NEW_PASSWORD)).toEqual([false, false])
  })
})
