import { describe, expect, test } from '@jest/globals'
import { cliFamily, USER } from '../../helpers/cli-rotation.js'
import type { Ended } from '../../helpers/lockstep.js'
import { clusterIn, endOf, holdersOf, mostFailures, saidBy } from '../../helpers/observed.js'
import { testFamily } from '../../helpers/payments.js'
import { sharedFleet } from '../../helpers/shared-fleet.js'
import { story } from '../../helpers/story.js'
import { NEW_PASSWORD, type Workplace } from '../../helpers/workplace.js'

const NEXT_PASSWORD = 'TEST-next-1'
const env = { NEXT: NEXT_PASSWORD }
const KNOWN = '--current-password=env:OLD'
const families = {
  cmu: testFamily('cmu', { source: 1, destination: 2 }),
  cli: cliFamily('cli', { source: 1, destination: 2 }),
  debt: testFamily('debt', { source: 2, destination: 1 }),
}
const fleet = sharedFleet(families)
const again = (place: Workplace) => place.start(['--new-password=env:NEXT'], { env })

/** The same command again and again, and what it cost. */
const repeated = async (place: Workplace, times: number) => {
  const ended: Ended[] = []
  const failures: number[] = []
  for (let time = 1; time <= times; time += 1) {
    ended.push(await again(place))
    failures.push(await mostFailures(place))
  }
  return { ended, failures }
}

describe.each([
  'cmu',
  'cli',
] as const)('an HSM joined from an old backup and lacks CURRENT of the store: %s', (name) => {
  const left = story(async () => {
    const place = await fleet.at(name)
    await place.start([KNOWN])
    const cluster = clusterIn(name === 'cmu' ? families.cmu.source : families.cli.destination)
    const [joined = ''] = (await fleet.fault('added', '--cluster', cluster, '--users', 'original')).hsms
    const { ended, failures } = await repeated(place, name === 'cmu' ? 4 : 2)
    const repaired = await place.repair(['--to-current'])
    const current = await holdersOf(place, NEW_PASSWORD)
    const next = await again(place)
    const held = await place.holds(USER, NEXT_PASSWORD)
    return { place, joined, cluster, ended, failures, repaired, current, next, held }
  })

  test('start is refused each time, and says the same', () => {
    for (const one of left().ended) expect(endOf(one)).toEqual([3, undefined, 'CURRENT_REFUSED'])
  })

  test('it names where the credential comes from, and where it is refused', () => {
    const asked = name === 'cmu' ? left().joined : left().cluster
    for (const one of left().ended) {
      expect(one.json.error.message).toContain(`file:${left().place.storePath}`)
      expect(one.json.error.message).toContain(asked)
    }
  })

  test('it advises the repair, and no flag that was not given', () => {
    for (const one of left().ended) {
      expect(saidBy(one)).toMatch(/lockstep users repair .*--to-current/)
      expect(saidBy(one)).not.toContain('leave --current-password out')
    }
  })

  test('asking again costs no further failed login', () => expect(Math.max(...left().failures)).toBeLessThanOrEqual(1))

  test('the repair brings every HSM to CURRENT, proved', () => {
    expect(endOf(left().repaired)).toEqual([0, 'completed', undefined])
    expect(left().repaired.json.cells.map(({ proof }: { proof: string }) => proof)).toEqual(Array(4).fill('login-new'))
    expect(left().current).toHaveLength(4)
  })

  test('the same start then goes through, without a flag', () => {
    expect(endOf(left().next)).toEqual([0, 'completed', undefined])
    expect(left().held).toEqual([true, true, true, true])
  })
})

describe('a debt of the last rotation, whose HSM is back', () => {
  const left = story(async () => {
    const place = await fleet.at('debt')
    const [, debt = ''] = (await place.hsmIds()).source
    await fleet.fault('unreachable', '--hsm', debt)
    const first = await place.start([KNOWN, `--allow-unreachable=${debt}`, '--reason=its rack has no power'])
    await fleet.fault('unreachable', '--hsm', debt, '--off')
    const { ended, failures } = await repeated(place, 2)
    const repaired = await place.repair(['--to-current'])
    return {
      place,
      debt,
      first,
      ended,
      failures,
      repaired,
      status: await place.status(['--rotation', rotationOf(first)]),
    }
  })
  const rotationOf = ({ json }: Ended): string => json.rotationId

  test('the HSM, the rotation it is a debt of, and the repair are named', () => {
    for (const one of left().ended) {
      expect(endOf(one)).toEqual([3, undefined, 'CURRENT_REFUSED'])
      for (const name of [left().debt, rotationOf(left().first), 'lockstep users repair']) {
        expect(saidBy(one)).toContain(name)
      }
    }
  })

  test('asking again costs nothing', () => expect(Math.max(...left().failures)).toBeLessThanOrEqual(1))

  test('the repair pays it: the rotation has no debt any more', () => {
    expect(endOf(left().repaired)).toEqual([0, 'completed', undefined])
    expect([left().status.exitCode, left().status.json.outcome, left().status.json.debts]).toEqual([0, 'completed', []])
  })
})
