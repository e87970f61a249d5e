import { describe, expect, test } from '@jest/globals'
import { cliFamily, USER } from '../../helpers/cli-rotation.js'
import type { Ended } from '../../helpers/lockstep.js'
import { endOf, failuresByHsm, kindsOfCells, mostFailures, onHsms } from '../../helpers/observed.js'
import { OLD_PASSWORD } from '../../helpers/payments.js'
import { sharedFleet } from '../../helpers/shared-fleet.js'
import { story } from '../../helpers/story.js'
import { NEW_PASSWORD } from '../../helpers/workplace.js'

const KNOWN = '--current-password=env:OLD'
const fleet = sharedFleet({
  forward: cliFamily('forward', { source: 1, destination: 3 }),
  back: cliFamily('back', { source: 2, destination: 1 }),
  goingback: cliFamily('goingback', { source: 1, destination: 2 }),
})
/** From its so manyth login on the user is refused there, right password or not, and each refusal is counted. */
const refuse = (hsmIds: readonly string[], from: number) =>
  fleet.fault('refuse-login', '--user', USER, '--from', `${from}`, '--counted', ...onHsms(hsmIds))
const accept = (hsmIds: readonly string[]) => fleet.fault('refuse-login', '--user', USER, '--off', ...onHsms(hsmIds))

describe('a cluster that refused the new credential for as long as anybody asked', () => {
  const left = story(async () => {
    const place = await fleet.at('forward')
    const { destination } = await place.hsmIds()
    await refuse(destination, 2)
    const counts: number[] = []
    const refused: Ended[] = []
    for (const again of [() => place.start([KNOWN]), place.resume]) {
      refused.push(await again())
      counts.push(await mostFailures(place))
    }
    await accept(destination)
    const resumed = await place.resume()
    return {
      counts,
      refused,
      resumed,
      failures: await failuresByHsm(place),
      held: await place.holds(USER, NEW_PASSWORD),
    }
  })

  test('is never near its lock-out', () => expect(Math.max(...left().counts)).toBeLessThanOrEqual(2))

  test('keeps the rotation open meanwhile', () =>
    expect(left().refused.map(({ exitCode, json }) => [exitCode, json.outcome])).toEqual(Array(2).fill([4, 'paused'])))

  test('gets it by resume once it accepts logins again', () => {
    expect(endOf(left().resumed)).toEqual([0, 'completed', undefined])
    expect(left().held).toEqual([true, true, true, true])
    expect(kindsOfCells(left().resumed.json)).toEqual(['new (login-new)'])
  })

  test('counts no failed login then', () => expect(new Set(Object.values(left().failures))).toEqual(new Set([0])))
})

test('rollback ends old as well, where it was the source that refused', async () => {
  const place = await fleet.at('back')
  const { source } = await place.hsmIds()
  await refuse(source, 2)
  expect((await place.start([KNOWN])).exitCode).toBe(4)
  expect((await place.resume()).exitCode).toBe(4)
  await accept(source)
  const back = await place.rollback()
  expect(endOf(back)).toEqual([0, 'rolled-back', undefined])
  expect(await place.holds(USER, OLD_PASSWORD)).toEqual([true, true, true])
})

test('a budget that was spent on the way back does not end the rollback', async () => {
  const place = await fleet.at('goingback')
  const { destination } = await place.hsmIds()
  expect((await place.start([KNOWN, '--pause-before=verify'])).exitCode).toBe(4)
  await refuse(destination, 1)
  for (const again of [place.rollback, place.resume]) {
    expect((await again()).exitCode).toBe(4)
    expect(await mostFailures(place)).toBeLessThanOrEqual(2)
  }
  await accept(destination)
  expect(endOf(await place.resume())).toEqual([0, 'rolled-back', undefined])
  expect(await place.holds(USER, OLD_PASSWORD)).toEqual([true, true, true])
})
