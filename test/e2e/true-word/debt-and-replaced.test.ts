import { describe, expect, test } from '@jest/globals'
import { cliFamily, USER } from '../../helpers/cli-rotation.js'
import { endOf, everyHsm, holdersOf, stateByHsm } from '../../helpers/observed.js'
import { testFamily } from '../../helpers/payments.js'
import { sharedFleet } from '../../helpers/shared-fleet.js'
import { story } from '../../helpers/story.js'
import { NEW_PASSWORD } from '../../helpers/workplace.js'

const KNOWN = '--current-password=env:OLD'
// What was refused in words nobody knows is waited for.
const SOON = '--silence-timeout=1'
const REASON = '--reason=its rack has no power'
const fleet = sharedFleet({
  cmu: testFamily('cmu', { source: 2, destination: 1 }),
  cli: cliFamily('cli', { source: 3, destination: 1 }),
  refusing: testFamily('refusing', { source: 2, destination: 1 }),
})

/** Completed but for one HSM of the source, in whose place AWS then puts another one, made from an old backup. */
const replacedDebt = async (name: 'cmu' | 'cli' | 'refusing') => {
  const place = await fleet.at(name)
  const debt = (await place.hsmIds()).source.at(-1) ?? ''
  await fleet.fault('unreachable', '--hsm', debt)
  const started = await place.start([KNOWN, `--allow-unreachable=${debt}`, REASON])
  await fleet.fault('unreachable', '--hsm', debt, '--off')
  const [newcomer = ''] = (await fleet.fault('replaced', '--hsm', debt, '--aws-too', '--users', 'original')).hsms
  return { place, debt, newcomer, started }
}

describe.each(['cmu', 'cli'] as const)('a debt whose HSM was replaced, through %s, and a pause on the way', (name) => {
  const left = story(async () => {
    const { place, debt, newcomer, started } = await replacedDebt(name)
    const paused = await place.resume(['--pause-before=verify'])
    const status = await place.status()
    const second = await place.start(['--new-password=generate'])
    const resumed = await place.resume()
    return {
      ...{ debt, newcomer, started, paused, status, second, resumed },
      all: await everyHsm(place),
      held: await holdersOf(place, NEW_PASSWORD),
      closed: await place.status(),
    }
  })

  test('began as completed with debt', () =>
    expect(endOf(left().started)).toEqual([6, 'completed-with-debt', undefined]))

  test('is open while the HSM in its place does not hold the new credential', () => {
    expect(endOf(left().paused)).toEqual([4, 'paused', 'PAUSED_AS_ASKED'])
    expect(stateByHsm(left().paused.json)[left().newcomer]).not.toBe('new')
    expect([left().status.exitCode, left().status.json.outcome]).toEqual([4, 'paused'])
  })

  test('keeps another rotation off', () => expect(endOf(left().second)).toEqual([5, undefined, 'ROTATION_OPEN']))

  test('is ended by the next resume', () => {
    expect(endOf(left().resumed)).toEqual([0, 'completed', undefined])
    expect(left().held).toEqual(left().all)
    expect(left().resumed.json.debts).toEqual([])
    expect(left().closed.exitCode).toBe(0)
  })

  test('says that the one that was left out is gone', () =>
    expect(left().resumed.json.gone).toEqual([expect.objectContaining({ hsmId: left().debt })]))
})

test('where the HSM in its place refuses to be written, resume is paused and says so', async () => {
  const { place, newcomer } = await replacedDebt('refusing')
  for (const operation of ['insert', 'change']) {
    await fleet.fault('refuse', '--operation', operation, '--hsm', newcomer)
  }
  const refused = await place.resume([SOON])
  expect([refused.exitCode, refused.json.outcome]).toEqual([4, 'paused'])
  expect(refused.json.error.message).toContain(newcomer)
  await fleet.fault('refuse', '--off', '--hsm', newcomer)
  expect(endOf(await place.resume([SOON]))).toEqual([0, 'completed', undefined])
  expect(await place.holds(USER, NEW_PASSWORD)).toEqual([true, true, true])
})
