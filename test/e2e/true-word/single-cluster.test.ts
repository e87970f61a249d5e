import { describe, expect, test } from '@jest/globals'
import { USER } from '../../helpers/cli-rotation.js'
import { endOf, holdersOf, kindsOfCells, saidBy } from '../../helpers/observed.js'
import { OLD_PASSWORD, singleFamily } from '../../helpers/payments.js'
import { sharedFleet } from '../../helpers/shared-fleet.js'
import { NEW_PASSWORD } from '../../helpers/workplace.js'

const HSM2M = { hsmType: 'hsm2m.medium' }
const KNOWN = '--current-password=env:OLD'
const fleet = sharedFleet({
  cmu3: singleFamily('cmuthree', { source: 3 }),
  cmu3back: singleFamily('cmuback', { source: 3 }),
  cmu1: singleFamily('cmuone'),
  cmu1new: singleFamily('cmuonenew'),
  cmu1known: singleFamily('cmuoneknown'),
  cli3: singleFamily('clithree', { source: 3, ...HSM2M }),
  cli3new: singleFamily('clinew', { source: 3, ...HSM2M }),
  cli3known: singleFamily('cliknown', { source: 3, ...HSM2M }),
  cli1: singleFamily('clione', HSM2M),
})
const all = (length: number) => Array(length).fill(true)

describe('a rotation over one cluster, without a destination', () => {
  test('three HSMs by cloudhsm_mgmt_util need no flag: one of them is the way back to the end', async () => {
    const place = await fleet.at('cmu3')
    const started = await place.start()
    expect(endOf(started)).toEqual([0, 'completed', undefined])
    expect(kindsOfCells(started.json)).toEqual(['new (login-new)'])
    expect(started.json.coverage).toEqual([expect.objectContaining({ new: 3, total: 3 })])
    expect(await place.holds(USER, NEW_PASSWORD)).toEqual(all(3))
  })

  test('going back, they are copied to from one of their own cluster: a plain success', async () => {
    const place = await fleet.at('cmu3back')
    const paused = await place.start(['--pause-before=restore-point'])
    expect(endOf(paused)).toEqual([4, 'paused', 'PAUSED_AS_ASKED'])
    expect(await holdersOf(place, NEW_PASSWORD)).toHaveLength(2)
    const back = await place.rollback()
    expect(endOf(back)).toEqual([0, 'rolled-back', undefined])
    expect(back.json.withoutProof).toEqual([])
    expect(await place.holds(USER, OLD_PASSWORD)).toEqual(all(3))
  })

  test.each([
    ['one HSM by cloudhsm_mgmt_util', 'cmu1'],
    ['three HSMs by cloudhsm-cli', 'cli3'],
    ['one HSM by cloudhsm-cli', 'cli1'],
  ] as const)('%s: no way back, which is asked, and nothing has changed', async (_words, name) => {
    const place = await fleet.at(name)
    const before = await place.truth()
    const declined = await place.start()
    expect(endOf(declined)).toEqual([3, undefined, 'NO_WAY_BACK'])
    expect(saidBy(declined)).toContain('--current-password')
    expect(saidBy(declined)).toContain('--accept-no-way-back')
    expect(await place.truth()).toEqual(before)
    expect(await place.kept()).toEqual({ rotations: [], store: false, locks: [] })
  })

  test.each([
    ['one HSM by cloudhsm_mgmt_util', 'cmu1new', 1],
    ['three HSMs by cloudhsm-cli', 'cli3new', 3],
  ] as const)('%s: accepted once; then CURRENT of the store is the way back', async (_words, name, size) => {
    const place = await fleet.at(name)
    expect(endOf(await place.start(['--accept-no-way-back']))).toEqual([0, 'completed', undefined])
    const second = await place.start(['--new-password=env:NEXT'], { env: { NEXT: 'TEST-next-1' } })
    expect(endOf(second)).toEqual([0, 'completed', undefined])
    expect(await place.holds(USER, 'TEST-next-1')).toEqual(all(size))
  })

  test.each([
    ['one HSM by cloudhsm_mgmt_util', 'cmu1known', 1],
    ['three HSMs by cloudhsm-cli', 'cli3known', 3],
  ] as const)('%s and the current credential: back from the end', async (_words, name, size) => {
    const place = await fleet.at(name)
    const paused = await place.start([KNOWN, '--pause-before=finalize'])
    expect(endOf(paused)).toEqual([4, 'paused', 'PAUSED_AS_ASKED'])
    const back = await place.rollback()
    expect(endOf(back)).toEqual([0, 'rolled-back', undefined])
    expect(kindsOfCells(back.json)).toEqual(['old (login-current)'])
    expect(await place.holds(USER, OLD_PASSWORD)).toEqual(all(size))
  })
})
