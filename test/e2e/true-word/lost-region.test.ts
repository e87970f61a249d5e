import { afterEach, describe, expect, test } from '@jest/globals'
import { cliFamily, USER } from '../../helpers/cli-rotation.js'
import type { Ended } from '../../helpers/lockstep.js'
import { clusterIn, endOf, holdersOf, hsmsIn, onHsms } from '../../helpers/observed.js'
import { testFamily } from '../../helpers/payments.js'
import { sharedFleet } from '../../helpers/shared-fleet.js'
import { story } from '../../helpers/story.js'
import { NEW_PASSWORD, type Workplace } from '../../helpers/workplace.js'

const KNOWN = '--current-password=env:OLD'
const REASON = 'the Region is gone'
const families = {
  cli: cliFamily('cli', { source: 1, destination: 3, third: 2 }),
  survivor: testFamily('survivor', { source: 2, destination: 1 }),
  choice: testFamily('choice', { source: 1, destination: 1, third: 1 }),
  silent: testFamily('silent', { source: 1, destination: 1, third: 1 }),
}
const fleet = sharedFleet(families)
type Name = keyof typeof families
const lostRef = (name: Name) => families[name].third ?? families[name].destination

/** `rotate start` without one cluster, which is left out. */
const startWithout = (place: Workplace, name: Name, more: readonly string[]): Promise<Ended> => {
  const { source, destination, third } = families[name]
  return place.run([
    ...['rotate', 'start', `--source=${source}`],
    ...(third === undefined ? [] : [`--destination=${destination}`]),
    `--leave-out=${lostRef(name)}`,
    ...place.clusterFlags.filter((flag) => flag.startsWith('--region=')),
    ...[`--user=${USER}`, '--new-password=env:NEW', ...place.againFlags, '--yes', '--json', ...more],
  ])
}
const regionOf = (name: Name) => lostRef(name).split('/')[0] ?? ''
const lose = async (place: Workplace, name: Name, off: readonly string[] = []) => {
  await fleet.fault('unreachable', ...onHsms(await hsmsIn(place, lostRef(name))), ...off)
  await fleet.fault('region-denied', '--region', regionOf(name), ...off)
}
afterEach(async () => {
  for (const name of ['cli', 'survivor', 'silent'] as const) {
    await fleet.fault('region-denied', '--region', regionOf(name), '--off')
  }
})

/** What a debt names: HSMs where they are known, else the cluster. */
const namesOfDebts = (ended: Ended): string => JSON.stringify(ended.json.debts)

describe.each(['cli', 'survivor'] as const)('a Region is lost, and the survivors are rotated: %s', (name) => {
  const left = story(async () => {
    const place = await fleet.at(name)
    const lost = await hsmsIn(place, lostRef(name))
    await lose(place, name)
    const started = await startWithout(place, name, [KNOWN, `--reason=${REASON}`])
    const held = await holdersOf(place, NEW_PASSWORD)
    const status = await place.status()
    await lose(place, name, ['--off'])
    const paid = name === 'cli' ? await place.repair(['--to-current']) : await place.resume()
    const after = await place.status(['--rotation', started.json.rotationId ?? ''])
    return {
      lost,
      started,
      held,
      status,
      paid,
      after,
      size: (await place.truth()).length,
      all: await place.holds(USER, NEW_PASSWORD),
    }
  })

  test('completed with debt', () => expect(endOf(left().started)).toEqual([6, 'completed-with-debt', undefined]))

  test('every survivor holds the new credential, and no lost HSM', () => {
    expect(left().held).toHaveLength(left().size - left().lost.length)
    for (const hsmId of left().lost) expect(left().held).not.toContain(hsmId)
  })

  test('the document names what was left out and why, and status goes on saying it', () => {
    for (const one of [left().started, left().status]) {
      expect(one.json.leftOut).toEqual([clusterIn(lostRef(name))])
      expect(namesOfDebts(one)).toContain(REASON)
      expect(namesOfDebts(one)).toMatch(new RegExp([clusterIn(lostRef(name)), ...left().lost].join('|')))
    }
    expect(left().status.exitCode).toBe(6)
  })

  test('what pays it once the Region is back brings every HSM to the new credential', () => {
    expect(endOf(left().paid)).toEqual([0, 'completed', undefined])
    expect(new Set(left().all)).toEqual(new Set([true]))
  })

  test('then the rotation has no debt any more', () => {
    expect([left().after.exitCode, left().after.json.outcome, left().after.json.debts]).toEqual([0, 'completed', []])
  })
})

test('a healthy cluster that is left out by choice is no debt', async () => {
  const place = await fleet.at('choice')
  const started = await startWithout(place, 'choice', [KNOWN])
  expect(endOf(started)).toEqual([0, 'completed', undefined])
  expect([started.json.leftOut, started.json.debts]).toEqual([[clusterIn(lostRef('choice'))], []])
  expect((await place.status()).exitCode).toBe(0)
})

describe('a Region does not answer, and nobody names its cluster', () => {
  const ended = story(async () => {
    const place = await fleet.at('silent')
    const { source, destination } = families.silent
    const three = await place.start([KNOWN])
    await fleet.fault('region-denied', '--region', regionOf('silent'))
    const two = [
      ...['rotate', 'start', `--source=${source}`, `--destination=${destination}`, `--user=${USER}`],
      ...['--new-password=generate', '--current-password=env:NEW', '--yes'],
      ...place.clusterFlags.filter((flag) => flag.startsWith('--region=')),
    ]
    const known = await place.run([...two, ...place.againFlags, '--json'])
    const elsewhere = await fleet.at('silent')
    const unknown = await elsewhere.run([...two, ...elsewhere.againFlags, '--json'])
    const status = await elsewhere.run(['rotate', 'status'])
    await fleet.fault('region-denied', '--region', regionOf('silent'), '--off')
    const regions = elsewhere.clusterFlags.filter((flag) => flag.startsWith('--region='))
    const found = await elsewhere.run(['rotate', 'resume', '--most-recent', ...regions, '--json'])
    const paid = await elsewhere.resume()
    return { three, known, unknown, status, found, paid }
  })

  test('where a journal knows it, the rotation is refused', () => {
    expect(endOf(ended().three)).toEqual([0, 'completed', undefined])
    expect(endOf(ended().known)).toEqual([3, undefined, 'FAMILY_MEMBER_UNSEEN'])
    expect(ended().known.json.error?.message).toContain(`${lostRef('silent')} belongs to`)
  })

  test('once it answers, resume finds its cluster and calls it a debt, and the next one pays that', () => {
    expect(endOf(ended().found)).toEqual([6, 'completed-with-debt', undefined])
    expect(ended().found.json.debts).toMatchObject([{ clusterId: clusterIn(lostRef('silent')) }])
    expect(JSON.parse(ended().found.stdout).unseenRegions).toEqual([])
    expect(endOf(ended().paid)).toEqual([0, 'completed', undefined])
  })

  test('where none does, the outcome and its status say which Region was not seen', () => {
    expect(endOf(ended().unknown)).toEqual([0, 'completed', undefined])
    expect(JSON.parse(ended().unknown.stdout).unseenRegions).toMatchObject([{ region: regionOf('silent') }])
    expect(ended().status.stdout).toMatch(
      new RegExp(`not seen when it began: ${regionOf('silent')} \\(.+\\); members of the family there may still hold`),
    )
  })
})
