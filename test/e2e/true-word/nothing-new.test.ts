import { describe, expect, test } from '@jest/globals'
import { cliFamily, USER } from '../../helpers/cli-rotation.js'
import { endOf, onHsms } from '../../helpers/observed.js'
import { OLD_PASSWORD, testFamily } from '../../helpers/payments.js'
import { sharedFleet } from '../../helpers/shared-fleet.js'
import type { Workplace } from '../../helpers/workplace.js'

/** Closed, nothing changed, and nothing in the store that would keep the next rotation off. */
const expectClosed = async (place: Workplace): Promise<void> => {
  expect(endOf(await place.rollback())).toEqual([0, 'rolled-back', undefined])
  expect(await place.stored('pending')).toBeNull()
  expect(new Set(await place.holds(USER, OLD_PASSWORD))).toEqual(new Set([true]))
  expect((await place.status()).exitCode).toBe(0)
}

describe('a rotation that stopped with nothing new, as copies refuse and no current credential is known', () => {
  const fleet = sharedFleet(
    {
      back: testFamily('back', { source: 2, destination: 1 }),
      locked: testFamily('locked', { source: 1, destination: 2 }),
    },
    { behaviour: { syncUserExisting: 'refuse' } },
  )
  const stopped = async (name: 'back' | 'locked') => {
    const place = await fleet.at(name)
    expect(endOf(await place.start())).toEqual([4, 'paused', 'NO_WAY_BACK'])
    const { source, destination } = await place.hsmIds()
    return { place, hsms: onHsms([source.at(-1) ?? '', destination.at(-1) ?? '']) }
  }

  test('is closed by rollback after HSMs could not be reached once', async () => {
    const { place, hsms } = await stopped('back')
    await fleet.fault('unreachable', ...hsms)
    expect((await place.resume()).exitCode).toBe(4)
    await fleet.fault('unreachable', ...hsms, '--off')
    await expectClosed(place)
  })

  test('is closed by rollback although it is still locked', async () => {
    const { place, hsms } = await stopped('locked')
    await fleet.fault('failures', '--user', USER, '--count', '5', ...hsms)
    expect((await place.resume()).exitCode).toBe(4)
    await expectClosed(place)
  })
})

describe('through cloudhsm-cli', () => {
  const fleet = sharedFleet({ cli: cliFamily('cli', { source: 3, destination: 2 }) })

  test('one that was paused before anything was written is closed after HSMs of both clusters were away', async () => {
    const place = await fleet.at('cli')
    expect((await place.start(['--accept-no-way-back', '--pause-before=rehearse'])).exitCode).toBe(4)
    const { source, destination } = await place.hsmIds()
    const hsms = onHsms([source.at(-1) ?? '', ...destination])
    await fleet.fault('unreachable', ...hsms)
    expect((await place.resume(['--accept-no-way-back'])).exitCode).toBe(4)
    await fleet.fault('unreachable', ...hsms, '--off')
    await expectClosed(place)
  })
})
