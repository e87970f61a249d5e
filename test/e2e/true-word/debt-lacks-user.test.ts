import { describe, expect, test } from '@jest/globals'
import { cliFamily, USER } from '../../helpers/cli-rotation.js'
import { endOf } from '../../helpers/observed.js'
import { testFamily } from '../../helpers/payments.js'
import { sharedFleet } from '../../helpers/shared-fleet.js'
import { story } from '../../helpers/story.js'
import { NEW_PASSWORD } from '../../helpers/workplace.js'

const fleet = sharedFleet({
  cmu: testFamily('cmu', { source: 2, destination: 2 }),
  cli: cliFamily('cli', { source: 1, destination: 3 }),
  unsaid: testFamily('unsaid', { source: 2, destination: 2 }),
})

/** A rotation that left an HSM behind which turns out to lack the user. */
const leftBehind = async (name: 'cmu' | 'cli' | 'unsaid', more: readonly string[]) => {
  const place = await fleet.at(name)
  const debt = (await place.hsmIds()).destination.at(-1) ?? ''
  await fleet.fault('missing-user', '--user', USER, '--hsm', debt)
  await fleet.fault('unreachable', '--hsm', debt)
  const allowed = [`--allow-unreachable=${debt}`, '--reason=its rack has no power', '--current-password=env:OLD']
  const started = await place.start([...allowed, ...more])
  await fleet.fault('unreachable', '--hsm', debt, '--off')
  return { place, debt, started }
}

describe.each(['cmu', 'cli'] as const)('a debt on an HSM that lacks the user, with --create-missing, by %s', (name) => {
  const left = story(async () => {
    const { place, debt, started } = await leftBehind(name, ['--create-missing'])
    return { debt, started, resumed: await place.resume(), held: await place.holds(USER, NEW_PASSWORD) }
  })

  test('stands for that HSM alone', () => {
    expect(endOf(left().started)).toEqual([6, 'completed-with-debt', undefined])
    expect(left().started.json.debts).toEqual([expect.objectContaining({ hsmId: left().debt })])
  })

  test('is paid by resume, which brings the user over', () => {
    expect(endOf(left().resumed)).toEqual([0, 'completed', undefined])
    expect(left().resumed.json.debts).toEqual([])
    expect(left().held).toEqual([true, true, true, true])
  })
})

test('said only on resume, --create-missing pays it as well', async () => {
  const { place } = await leftBehind('unsaid', [])
  expect(endOf(await place.resume(['--create-missing']))).toEqual([0, 'completed', undefined])
  expect(await place.holds(USER, NEW_PASSWORD)).toEqual([true, true, true, true])
})
