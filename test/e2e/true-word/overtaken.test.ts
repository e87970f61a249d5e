import { describe, expect, test } from '@jest/globals'
import { cliFamily, USER } from '../../helpers/cli-rotation.js'
import { endOf, mostFailures } from '../../helpers/observed.js'
import { OLD_BATCH_PASSWORD, testFamily } from '../../helpers/payments.js'
import { sharedFleet } from '../../helpers/shared-fleet.js'
import { story } from '../../helpers/story.js'
import { NEW_PASSWORD } from '../../helpers/workplace.js'

const BATCH = 'CU:app_batch'
const NEWER_PASSWORD = 'TEST-newer-1'
const fleet = sharedFleet({
  cmu: testFamily('cmu', { source: 1, destination: 2 }),
  cli: cliFamily('cli', { source: 1, destination: 2 }),
})

describe.each([
  'cmu',
  'cli',
] as const)('a rotation of two users with a debt, one of which was rotated once more meanwhile: %s', (name) => {
  const left = story(async () => {
    const place = await fleet.at(name)
    const [, debt = ''] = (await place.hsmIds()).destination
    const behind = [`--allow-unreachable=${debt}`, '--reason=no power']
    await place.write('batch.txt', OLD_BATCH_PASSWORD)
    await place.write('newer.txt', NEWER_PASSWORD)
    await fleet.fault('unreachable', '--hsm', debt)
    const older = await place.start([
      ...[`--user=${USER}`, `--user=${BATCH}`, '--new-password=env:NEW', '--current-password=env:OLD'],
      ...[`--current-password=${BATCH}=file:batch.txt`, ...behind],
    ])
    const newer = await place.start(['--new-password=file:newer.txt', ...behind])
    await fleet.fault('unreachable', '--hsm', debt, '--off')
    const take = (verb: string, { json }: typeof older, more: readonly string[] = []) =>
      place.run(['rotate', verb, `--rotation=${json.rotationId}`, '--json', ...more])
    const resumed = await take('resume', older, place.againFlags)
    const between = await place.holds(USER, NEWER_PASSWORD)
    const paid = await take('resume', newer, place.againFlags)
    return {
      ...{ debt, older, newer, resumed, between, paid },
      closed: await take('status', older),
      held: [await place.holds(USER, NEWER_PASSWORD), await place.holds(BATCH, NEW_PASSWORD)],
      failures: await mostFailures(place),
    }
  })

  test('both have the HSM left', () => {
    for (const one of [left().older, left().newer]) expect(endOf(one)).toEqual([6, 'completed-with-debt', undefined])
  })

  test('the older one gives the other user what it has, and leaves the one to the newer', () => {
    expect(endOf(left().resumed)).toEqual([6, 'completed-with-debt', 'DEBT_SUPERSEDED'])
    expect(left().resumed.json.error.suggestions[0]).toContain(
      `rotate resume --rotation ${left().newer.json.rotationId}`,
    )
    expect(left().between).toEqual([true, true, false])
  })

  test('which pays it, and with it the older one', () => {
    expect(endOf(left().paid)).toEqual([0, 'completed', undefined])
    expect(endOf(left().closed)).toEqual([0, 'completed', undefined])
    expect(left().held).toEqual([
      [true, true, true],
      [true, true, true],
    ])
  })

  test('and nobody was asked for what is older', () => expect(left().failures).toBe(0))
})
