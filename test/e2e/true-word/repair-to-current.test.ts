import { describe, expect, test } from '@jest/globals'
import type { UserKey } from '../../../src/domain/hsm-user.js'
import { cliFamily, USER } from '../../helpers/cli-rotation.js'
import { clusterIn, endOf, everyHsm, holdersOf, kindsOfCells, onHsms } from '../../helpers/observed.js'
import { testFamily } from '../../helpers/payments.js'
import { sharedFleet } from '../../helpers/shared-fleet.js'
import { story } from '../../helpers/story.js'
import { NEW_PASSWORD, type Workplace } from '../../helpers/workplace.js'

process.env['TEST_DRIFTED'] = 'TEST-drifted-1'
const families = {
  cmu: testFamily('cmu', { source: 1, destination: 3 }),
  cli: cliFamily('cli', { source: 1, destination: 3 }),
  debt: testFamily('debt', { source: 2, destination: 1 }),
  partly: cliFamily('partly', { source: 1, destination: 2 }),
  back: testFamily('back', { source: 3, destination: 1 }),
}
const fleet = sharedFleet(families)
const drift = (...hsmIds: readonly string[]) =>
  fleet.fault('set-password', '--user', USER, '--password', 'env:TEST_DRIFTED', ...onHsms(hsmIds))

/** What the HSMs hold, but for the failed logins that asking them costs. */
const held = async (place: Workplace) =>
  (await place.truth()).map((hsm) => ({ ...hsm, users: hsm.users.map((user) => ({ ...user, failures: 0 })) }))

/** A rotation that is completed, so that the store has a CURRENT. */
const rotated = async (name: keyof typeof families) => {
  const place = await fleet.at(name)
  const { exitCode, json } = await place.start(['--current-password=env:OLD'])
  expect(exitCode).toBe(0)
  return { place, rotationId: json.rotationId, ...(await place.hsmIds()) }
}

describe.each(['cmu', 'cli'] as const)('one HSM holds another password and one lacks the user: %s', (name) => {
  const left = story(async () => {
    const { place, destination } = await rotated(name)
    const [, drifted = '', lacking = ''] = destination
    await drift(drifted)
    await fleet.fault('missing-user', '--user', USER, '--hsm', lacking)
    const before = await held(place)
    const dry = await place.repair(['--to-current', '--dry-run'])
    const unchanged = [await held(place), before, (await place.kept()).rotations.length]
    const repaired = await place.repair(['--to-current'])
    const back = await place.rollback()
    return {
      back,
      // cloudhsm-cli shows of which cluster an HSM lacks a user, and not which one.
      lacking: name === 'cmu' ? lacking : clusterIn(families.cli.destination),
      ...{ dry, unchanged, repaired },
      held: await holdersOf(place, NEW_PASSWORD),
      all: await everyHsm(place),
      current: (await place.stored('current'))?.users.get(USER as UserKey)?.reveal(),
      pending: await place.stored('pending'),
    }
  })

  test('--dry-run asks every HSM, shows what it would do, and changes nothing', () => {
    const [after, before, journals] = left().unchanged
    expect(left().dry.exitCode).toBe(0)
    expect(`${left().dry.stdout}${left().dry.stderr}`).toContain(left().lacking)
    expect([after, journals]).toEqual([before, 1])
  })

  test('every HSM is brought to CURRENT of the store and proves it', () => {
    expect(endOf(left().repaired)).toEqual([0, 'completed', undefined])
    expect(kindsOfCells(left().repaired.json)).toEqual(['new (login-new)'])
    expect(left().held).toEqual(left().all)
  })

  test('a rollback of it comes too late, and says of a repair what is so', () => {
    const { repaired, back } = left()
    expect(endOf(back)).toEqual([3, 'completed', 'ROLLBACK_TOO_LATE'])
    expect(back.json.error?.message).toBe(
      `the repair ${repaired.json.rotationId} is through, and nobody knows what it overwrote`,
    )
    const { source, destination } = families[name]
    expect(back.json.error?.suggestions).toEqual([
      `to give them what one of them holds: lockstep users repair --source ${source} --destination ${destination} --user ${USER} --from HSM`,
      'where you know what they held: a rotation that gives that as the new credential',
    ])
  })

  test('the store is as it was', () => {
    expect(left().current).toBe(NEW_PASSWORD)
    expect(left().pending).toBeNull()
  })
})

describe('an HSM that cannot be reached', () => {
  const left = story(async () => {
    const { place, source, destination } = await rotated('debt')
    const [, away = ''] = source
    await drift(...destination)
    await fleet.fault('unreachable', '--hsm', away)
    const refused = await place.repair(['--to-current'])
    const allowed = await place.repair([
      '--to-current',
      `--allow-unreachable=${away}`,
      '--reason=its rack has no power',
    ])
    const held = await holdersOf(place, NEW_PASSWORD)
    const status = await place.status()
    await fleet.fault('unreachable', '--hsm', away, '--off')
    const resumed = await place.resume()
    return { away, destination, refused, allowed, held, status, resumed, all: await place.holds(USER, NEW_PASSWORD) }
  })

  test('is named, and nothing is begun', () => {
    expect(endOf(left().refused)).toEqual([3, undefined, 'HSM_UNREACHABLE'])
    expect(left().refused.json.error.message).toContain(left().away)
  })

  test('is a debt where it may stay behind, and the others are repaired', () => {
    expect(endOf(left().allowed)).toEqual([6, 'completed-with-debt', undefined])
    expect(left().allowed.json.debts).toEqual([expect.objectContaining({ hsmId: left().away })])
    expect(left().held).toEqual(expect.arrayContaining([...left().destination]))
    expect([left().status.exitCode, left().status.json.procedure]).toEqual([6, 'repair'])
  })

  test('and rotate resume pays it', () => {
    expect(endOf(left().resumed)).toEqual([0, 'completed', undefined])
    expect(left().resumed.json.debts).toEqual([])
    expect(left().all).toEqual([true, true, true])
  })
})

test('a repair that stopped half-way: rollback ends it, or is refused while resume still ends it', async () => {
  const { place, source, destination } = await rotated('back')
  const [, drifted = '', refusing = ''] = source
  await drift(drifted, refusing, ...destination)
  for (const operation of ['insert', 'change']) {
    await fleet.fault('refuse', '--operation', operation, '--hsm', refusing)
  }
  // What was refused in words nobody knows is waited for.
  const soon = '--silence-timeout=1'
  expect((await place.repair(['--to-current', soon])).exitCode).toBe(4)
  const back = await place.rollback([soon])
  expect([back.json.procedure, [0, 3, 4, 6].includes(back.exitCode ?? 1)]).toEqual(['repair', true])
  await fleet.fault('refuse', '--off', '--hsm', refusing)
  const ended = await place.resume([soon])
  expect([0, 6]).toContain(ended.exitCode)
  expect(ended.json.outcome).toMatch(/^(completed|rolled-back)$/)
})

test('a cluster of cloudhsm-cli in which clients locked the user on one HSM is unlocked', async () => {
  const { place, destination } = await rotated('partly')
  await fleet.fault('failures', '--user', USER, '--count', '5', ...onHsms(destination.slice(1)))
  const refused = await place.start(['--new-password=env:OLD'])
  expect(endOf(refused)).toEqual([3, undefined, 'USER_INCONSISTENT'])
  const repaired = await place.repair(['--to-current'])
  expect(endOf(repaired)).toEqual([0, 'completed', undefined])
  expect(await place.holds(USER, NEW_PASSWORD)).toEqual([true, true, true])
})
