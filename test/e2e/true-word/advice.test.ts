import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, test } from '@jest/globals'
import { cliFamily, USER } from '../../helpers/cli-rotation.js'
import type { Ended } from '../../helpers/lockstep.js'
import { endOf, falseClaims, saidBy, stateByHsm } from '../../helpers/observed.js'
import { OLD_PASSWORD, testFamily } from '../../helpers/payments.js'
import { sharedFleet } from '../../helpers/shared-fleet.js'
import { story } from '../../helpers/story.js'
import { NEW_PASSWORD, type Workplace } from '../../helpers/workplace.js'

const PASSWORDS = { old: OLD_PASSWORD, new: NEW_PASSWORD }
const KNOWN = '--current-password=env:OLD'
const SOON = '--silence-timeout=1'
process.env['TEST_DRIFTED'] = 'TEST-drifted-1'

/** Whole commands about a rotation that an error advises, as arguments. */
const advisedBy = (ended: Ended): readonly (readonly string[])[] =>
  [...saidBy(ended).matchAll(/lockstep (rotate (?:status|resume|rollback|recover) --rotation r-[\w-]+)/g)].map(
    ([, words = '']) => words.split(' '),
  )

/** Carries out what is advised. None of it may be refused: that would be no advice. */
const follow = async (place: Workplace, ended: Ended): Promise<readonly Ended[]> => {
  const followed: Ended[] = []
  for (const args of advisedBy(ended)) {
    const again = args.includes('status') ? [] : [...place.againFlags, SOON]
    const one = await place.run([...args, ...again, '--json'])
    expect({ command: args.join(' '), refused: [2, 3].includes(one.exitCode ?? 1) }).toEqual({
      command: args.join(' '),
      refused: false,
    })
    followed.push(one)
  }
  return followed
}

const recover = (place: Workplace) =>
  place.run([
    ...['rotate', 'recover', ...place.clusterFlags, `--user=${USER}`, ...place.storeFlags],
    ...[SOON, '--json'],
  ])

describe('a journal that is lost', () => {
  const fleet = sharedFleet({
    lost: testFamily('lost', { source: 2 }),
    early: testFamily('early', { source: 1, destination: 2 }),
    known: cliFamily('known', { source: 1, destination: 1, third: 1 }),
  })
  const lose = (place: Workplace) => rm(join(place.stateDir, 'rotations'), { recursive: true })

  describe('while its credential is in the store', () => {
    const left = story(async () => {
      const place = await fleet.at('lost')
      const { rotationId } = (await place.start(['--pause-before=restore-point'])).json
      await lose(place)
      return {
        place,
        start: await place.start(),
        status: await place.status(),
        named: await place.status(['--rotation', rotationId]),
        resume: await place.run(['rotate', 'resume', '--rotation', rotationId, ...place.againFlags, '--json']),
      }
    })

    test('start says whose it is, and the way is recover', () => {
      expect(endOf(left().start)).toEqual([3, undefined, 'FOREIGN_PENDING'])
      expect(saidBy(left().start)).toContain('lockstep rotate recover')
    })

    test('start advises nothing that will be refused', async () => {
      await follow(left().place, left().start)
    })

    test('the recover that start names is taken as it is named', async () => {
      const { place, start } = left()
      const [, words = ''] = /lockstep (rotate recover .*)/.exec(saidBy(start)) ?? []
      const { exitCode } = await place.run([...words.split(' '), ...place.storeFlags.slice(1), SOON, '--json'])
      expect(exitCode).toBe(4)
    })

    test.each(['status', 'named', 'resume'] as const)('%s names recover', (command) => {
      expect(left()[command].exitCode).toBe(3)
      expect(saidBy(left()[command])).toContain('lockstep rotate recover')
    })
  })

  test('recovered with nothing new: what refused the new credential is not called old for that', async () => {
    const place = await fleet.at('early')
    const [, drifted = ''] = (await place.hsmIds()).destination
    await fleet.fault('set-password', '--user', USER, '--password', 'env:TEST_DRIFTED', '--hsm', drifted)
    expect((await place.start(['--pause-before=change'])).exitCode).toBe(4)
    await lose(place)
    const recovered = await recover(place)
    expect(endOf(recovered)).toEqual([4, 'paused', 'RECOVERED'])
    const back = await place.rollback([SOON])
    expect(back.json.outcome).toBe('rolled-back')
    // Nothing proves it of any cell: the journal that knew what was never written is lost.
    expect(back.exitCode).toBe(6)
    expect(await falseClaims(place, back.json, PASSWORDS)).toEqual([])
    expect(await place.stored('pending')).toBeNull()
  })

  test('recovered with the current credential in the store: rolled back by it, proved on every cell', async () => {
    const place = await fleet.at('known')
    expect((await place.start([KNOWN, '--pause-before=restore-point'])).exitCode).toBe(4)
    await lose(place)
    expect((await recover(place)).exitCode).toBe(4)
    const back = await place.rollback([SOON])
    expect(endOf(back)).toEqual([0, 'rolled-back', undefined])
    expect(back.json.withoutProof).toEqual([])
    expect(await place.holds(USER, OLD_PASSWORD)).toEqual([true, true, true])
  })
})

describe('where nothing gives the old credential back', () => {
  const fleet = sharedFleet(
    { cmu: testFamily('cmu', { source: 1, destination: 2 }) },
    { behaviour: { syncUserExisting: 'refuse' } },
  )

  test('a refused rollback advises what is not refused, and what it advises ends the rotation', async () => {
    const place = await fleet.at('cmu')
    const paused = await place.start(['--accept-no-way-back', '--pause-before=verify'])
    expect(endOf(paused)).toEqual([4, 'paused', 'PAUSED_AS_ASKED'])
    const words = (await place.run(['rotate', 'status'])).stderr
    expect(words).not.toContain('rotate rollback')
    const back = await place.rollback()
    expect(endOf(back)).toEqual([3, 'paused', 'NO_WAY_BACK'])
    expect(Object.values(stateByHsm(back.json))).toContain('new')
    const followed = await follow(place, back)
    expect(followed.at(-1)?.json.outcome).toBe('completed')
  })
})
