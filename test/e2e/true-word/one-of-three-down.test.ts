import { describe, expect, test } from '@jest/globals'
import { cliFamily, USER } from '../../helpers/cli-rotation.js'
import { endOf, everyHsm, holdersOf, onHsms, saidBy, stateByHsm } from '../../helpers/observed.js'
import { OLD_PASSWORD } from '../../helpers/payments.js'
import { sharedFleet } from '../../helpers/shared-fleet.js'
import { story } from '../../helpers/story.js'
import { NEW_PASSWORD } from '../../helpers/workplace.js'

const KNOWN = '--current-password=env:OLD'
const REASON = 'a rack has no power'
const fleet = sharedFleet({
  start: cliFamily('start', { source: 3, destination: 3 }),
  resume: cliFamily('resume', { source: 3, destination: 1 }),
  back: cliFamily('back', { source: 3, destination: 1 }),
})
const without = (all: readonly string[], some: readonly string[]) => all.filter((hsmId) => !some.includes(hsmId))
const allow = (hsmIds: readonly string[]) => [
  ...hsmIds.map((hsmId) => `--allow-unreachable=${hsmId}`),
  `--reason=${REASON}`,
]

describe('start with one HSM of three down in one cluster, and two of three in the other', () => {
  const left = story(async () => {
    const place = await fleet.at('start')
    const { source, destination } = await place.hsmIds()
    const down = [source[2] ?? '', destination[0] ?? '', destination[1] ?? ''].sort()
    await fleet.fault('unreachable', ...onHsms(down))
    const started = await place.start([KNOWN, ...allow(down)])
    const held = await holdersOf(place, NEW_PASSWORD)
    await fleet.fault('unreachable', ...onHsms(down), '--off')
    const settled = await place.resume()
    return { down, started, held, settled, all: await everyHsm(place), end: await holdersOf(place, NEW_PASSWORD) }
  })

  test('completes with debt', () => expect(endOf(left().started)).toEqual([6, 'completed-with-debt', undefined]))

  test('names the HSMs that stayed behind, and why', () => {
    const { debts } = left().started.json
    expect(debts.map(({ hsmId }: { hsmId: string }) => hsmId).sort()).toEqual(left().down)
    expect(new Set(debts.map(({ reason }: { reason: string }) => reason))).toEqual(new Set([REASON]))
  })

  test('gives every other HSM the new credential, and claims no more', () => {
    const others = without(left().all, left().down)
    expect(left().held).toEqual(others)
    const states = stateByHsm(left().started.json)
    expect(Object.keys(states).filter((hsmId) => states[hsmId] === 'new')).toEqual(expect.arrayContaining(others))
    for (const hsmId of left().down) expect(states[hsmId]).toBe('unreachable')
  })

  test('and resume pays the debt once they are back', () => {
    expect(endOf(left().settled)).toEqual([0, 'completed', undefined])
    expect(left().end).toEqual(left().all)
  })
})

test('resume of a rotation of whose source one HSM went down: named with the flag, then completed with debt', async () => {
  const place = await fleet.at('resume')
  const down = (await place.hsmIds()).source.slice(2)
  expect((await place.start([KNOWN, '--pause-before=change'])).exitCode).toBe(4)
  await fleet.fault('unreachable', ...onHsms(down))
  const stopped = await place.resume()
  expect(endOf(stopped)).toEqual([4, 'paused', 'HSM_UNREACHABLE'])
  expect(stopped.json.error.message).toContain(down[0])
  expect(saidBy(stopped)).toContain(`--allow-unreachable ${down[0]}`)

  expect(endOf(await place.resume(allow(down)))).toEqual([6, 'completed-with-debt', undefined])
  expect(await holdersOf(place, NEW_PASSWORD)).toEqual(without(await everyHsm(place), down))
})

describe('rollback while one HSM that was written to is down', () => {
  const left = story(async () => {
    const place = await fleet.at('back')
    const down = (await place.hsmIds()).source.slice(2)
    const started = await place.start([KNOWN, '--pause-before=verify'])
    await fleet.fault('unreachable', ...onHsms(down))
    const partial = await place.rollback(allow(down))
    const old = await holdersOf(place, OLD_PASSWORD)
    await fleet.fault('unreachable', ...onHsms(down), '--off')
    const back = await place.rollback()
    return {
      started,
      down,
      partial,
      old,
      back,
      all: await everyHsm(place),
      held: await place.holds(USER, OLD_PASSWORD),
    }
  })

  test('brings the others back, and is not over', () => {
    expect(left().partial.exitCode).toBe(4)
    expect(left().partial.json.outcome).toBe('paused')
    expect(left().old).toEqual(without(left().all, left().down))
  })

  test('does not call old what it did not reach', () =>
    expect(stateByHsm(left().partial.json)[left().down[0] ?? '']).not.toBe('old'))

  test('ends with every HSM old once it is back', () => {
    expect(endOf(left().back)).toEqual([0, 'rolled-back', undefined])
    expect(left().held).toEqual([true, true, true, true])
  })
})
