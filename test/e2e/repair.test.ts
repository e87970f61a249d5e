import { describe, expect, test } from '@jest/globals'
import { cliFamily, USER } from '../helpers/cli-rotation.js'
import { endOf, hsmsIn, kindsOfCells, mostFailures, onHsms } from '../helpers/observed.js'
import { OLD_PASSWORD, testFamily } from '../helpers/payments.js'
import { sharedFleet } from '../helpers/shared-fleet.js'
import { story } from '../helpers/story.js'
import { NEW_PASSWORD, type Workplace } from '../helpers/workplace.js'

process.env['TEST_DRIFTED'] = 'TEST-drifted-1'
const KNOWN = '--current-password=env:OLD'
const families = {
  near: testFamily('near', { source: 2, destination: 1 }),
  spent: cliFamily('spent', { source: 1, destination: 3 }),
  taken: testFamily('taken', { source: 1, destination: 2 }),
  drift: cliFamily('drift', { source: 1, destination: 2 }),
  lockedFirst: testFamily('lockedFirst', { source: 2, destination: 1 }),
  planned: testFamily('planned', { source: 1, destination: 1, third: 1 }),
  unnamed: testFamily('unnamed', { source: 1, destination: 1, third: 1 }),
}
const fleet = sharedFleet(families)
const setOther = (hsmId: string) =>
  fleet.fault('set-password', '--user', USER, '--password', 'env:TEST_DRIFTED', '--hsm', hsmId)

test('an HSM that clients brought near its lock-out is written without another login', async () => {
  const place = await fleet.at('near')
  const [from = '', drifted = ''] = (await place.hsmIds()).source
  await setOther(drifted)
  await fleet.fault('failures', '--user', USER, '--count', '4', '--hsm', drifted)
  const flags = [`--from=${from}`, '--password=env:OLD']
  const shown = await place.repair([...flags, '--dry-run'])
  expect([shown.exitCode, shown.json.writes]).toEqual([
    0,
    [{ unitId: drifted, act: 'change', from: null, users: [USER] }],
  ])
  expect(shown.stderr).toContain('counts 4 failed logins')
  expect(await mostFailures(place)).toBe(4)
  expect(endOf(await place.repair(flags))).toEqual([0, 'completed', undefined])
  expect(await place.holds(USER, OLD_PASSWORD)).toEqual([true, true, true])
})

test('a cluster that refused as often as it may is written all the same: looking first locks nobody out of a repair', async () => {
  const place = await fleet.at('spent')
  const [, drifted = ''] = (await place.hsmIds()).destination
  await setOther(drifted)
  const flags = [`--from=${families.spent.source}`, '--password=env:OLD']
  for (const _ of [1, 2, 3]) expect((await place.repair([...flags, '--dry-run'])).exitCode).toBe(0)
  expect(await mostFailures(place)).toBe(2)
  const repaired = await place.repair(flags)
  expect(endOf(repaired)).toEqual([0, 'completed', undefined])
  expect(kindsOfCells(repaired.json)).toEqual(['new (login-new)'])
  expect(await place.holds(USER, OLD_PASSWORD)).toEqual([true, true, true, true])
})

describe('a repair of a given password that stopped', () => {
  const left = story(async () => {
    const place = await fleet.at('taken')
    const [from = ''] = (await place.hsmIds()).source
    const [drifted = ''] = (await place.hsmIds()).destination
    await setOther(drifted)
    const paused = await place.repair([`--from=${from}`, '--password=env:OLD', '--pause-before=verify'])
    const listed = await place.run(['rotate', 'list'])
    const without = await place.resume()
    const resumed = await place.resume(['--new-password=env:OLD'])
    return { paused, listed, without, resumed, held: await place.holds(USER, OLD_PASSWORD) }
  })

  test('is listed as a repair', () => {
    expect(endOf(left().paused)).toEqual([4, 'paused', 'PAUSED_AS_ASKED'])
    expect(left().listed.stdout).toContain('repair paused at verify')
    expect(left().listed.stdout).toContain('given 3/3')
  })

  test('wants the password again, which no store keeps', () => {
    expect([left().without.exitCode, left().without.json.error.code]).toEqual([4, 'NEW_CREDENTIAL_MISSING'])
    expect(left().without.json.error.suggestions.join()).toContain('--new-password')
  })

  test('and with it comes to its end', () => {
    expect(endOf(left().resumed)).toEqual([0, 'completed', undefined])
    expect(left().held).toEqual([true, true, true])
  })
})

test.each([
  'drift',
  'lockedFirst',
] as const)('the repair that users drift names is not refused, and takes away what it named it for: %s', async (name) => {
  const place = await fleet.at(name)
  const { source, destination } = await place.hsmIds()
  await fleet.fault('missing-user', '--user', USER, ...onHsms(destination))
  if (name === 'lockedFirst')
    await fleet.fault('failures', '--user', USER, '--count', '5', ...onHsms(source.slice(0, 1)))
  await place.run(['config', 'generate', ...place.clusterFlags, '--out=merged.cfg'])
  const drift = () => place.run(['users', 'drift', '--config=merged.cfg', '--json'])
  const { json } = await drift()
  const [{ steps: [command = ''] = [] } = {}] = json.advice
  expect(command).toContain('lockstep users repair')
  const words = command
    .split(' ')
    .slice(1)
    .map((word: string, at: number, all: readonly string[]) => {
      if (word === 'NAME') return 'admin'
      if (word !== 'prompt') return word
      return all[at - 1] === '--password' ? 'env:OLD' : 'env:OFFICER'
    })
  const regions = place.clusterFlags.filter((flag) => flag.startsWith('--region='))
  expect(endOf(await place.run([...words, ...regions, '--yes', '--json']))).toEqual([0, 'completed', undefined])
  expect((await drift()).json).toEqual({ differences: [], passwordsCompared: false, advice: [] })
})

/** Everything about one cluster is out of reach, as where its Region is lost. */
const lose = async (place: Workplace, ref: string, off: readonly string[] = []) => {
  await fleet.fault('unreachable', ...onHsms(await hsmsIn(place, ref)), ...off)
  await fleet.fault('region-denied', '--region', ref.split('/')[0] ?? '', ...off)
}

test('a cluster that a plan lists as lost is lost for its reason when the plan is carried out', async () => {
  const place = await fleet.at('planned')
  const { source, destination, third = '' } = families.planned
  const regions = place.clusterFlags.filter((flag) => flag.startsWith('--region='))
  await lose(place, third)
  try {
    const which = [`--source=${source}`, `--destination=${destination}`, `--leave-out=${third}`, ...regions]
    const plan = ['rotate', 'plan', ...which, `--user=${USER}`, '--out=plan.json', '--json']
    const without = await place.run(plan)
    expect([without.exitCode, without.json.error.code]).toEqual([2, 'REASON_MISSING'])
    const planned = await place.run([...plan, '--reason=the Region is gone'])
    expect([planned.exitCode, planned.json.lost]).toMatchObject([0, [{ reason: 'the Region is gone' }]])
  } finally {
    await lose(place, third, ['--off'])
  }
  // It is back meanwhile, and nobody has looked at it since the plan was approved.
  const started = await place.start(['--plan=plan.json', KNOWN, ...regions])
  expect(endOf(started)).toEqual([6, 'completed-with-debt', undefined])
  expect(started.json.debts).toMatchObject([{ hsmId: null, reason: 'the Region is gone' }])
  expect(endOf(await place.resume())).toEqual([0, 'completed', undefined])
  expect(await place.holds(USER, NEW_PASSWORD)).toEqual([true, true, true])
})

test('a lost cluster that was named by its ID alone is looked for everywhere, and brought along once it is back', async () => {
  const place = await fleet.at('unnamed')
  const { source, destination, third = '' } = families.unnamed
  const regions = place.clusterFlags.filter((flag) => flag.startsWith('--region='))
  const what = [`--source=${source}`, `--destination=${destination}`, `--leave-out=${third.split('/')[1]}`, ...regions]
  await lose(place, third)
  const reason = '--reason=the Region is gone'
  const started = await place.run([
    ...['rotate', 'start', ...what, `--user=${USER}`, '--new-password=env:NEW', KNOWN, reason],
    ...[...place.againFlags, '--yes', '--json'],
  ])
  await lose(place, third, ['--off'])
  expect(started.json.debts).toMatchObject([{ hsmId: null, region: null }])
  expect(endOf(await place.resume(regions))).toEqual([0, 'completed', undefined])
  expect(await place.holds(USER, NEW_PASSWORD)).toEqual([true, true, true])
})
