import { readdir, readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, test } from '@jest/globals'
import { projectPath } from '../helpers/lockstep.js'
import { OLD_PASSWORD, testFamily } from '../helpers/payments.js'
import { sharedFleet } from '../helpers/shared-fleet.js'
import { NEW_PASSWORD, type Workplace } from '../helpers/workplace.js'

const fleet = sharedFleet(
  {
    locked: testFamily('locked', { source: 2, destination: 2 }),
    rising: testFamily('rising'),
    changed: testFamily('changed', { source: 2 }),
    lost: testFamily('lost', { source: 2 }),
  },
  {},
  { acceptsNoWayBack: true },
)

process.env['TEST_BY_HAND'] = 'TEST-by-hand-1'
const USER = 'CU:app_crypto'

/** Somebody changes the user's password on one HSM, and nobody tells us. */
const changeByHand = (hsmId: string) =>
  fleet.fault('set-password', '--user', USER, '--password', 'env:TEST_BY_HAND', '--hsm', hsmId)

/** The user on one HSM, as it really is. */
const trueUser = async (place: Workplace, hsmId: string) => {
  const hsm = (await place.truth()).find((candidate) => candidate.hsmId === hsmId)
  return hsm?.users.find(({ name }) => name === 'app_crypto')
}

/** Cell states of a document, by HSM. */
const statesOf = (document: { cells: { hsmId: string; state: string }[] }) =>
  Object.fromEntries(document.cells.map(({ hsmId, state }) => [hsmId, state]))

test('a user that clients locked after we wrote it is shown locked, then unlocked by writing it again', async () => {
  const place = await fleet.at('locked')
  const [canary = '', restorePoint = ''] = (await place.hsmIds()).destination
  expect((await place.start(['--pause-before=verify'])).exitCode).toBe(4)
  await fleet.fault('failures', '--user', USER, '--count', '5', '--hsm', canary, '--hsm', restorePoint)

  const seen = await place.resume(['--pause-before=verify'])
  expect(seen.exitCode).toBe(4)
  expect(statesOf(seen.json)).toMatchObject({ [canary]: 'locked', [restorePoint]: 'locked' })
  expect(statesOf((await place.run(['rotate', 'status', '--json'])).json)[canary]).toBe('locked')
  expect((await place.run(['rotate', 'status'])).stdout).toMatch(new RegExp(`${canary} +locked`))

  const resumed = await place.resume()
  expect([resumed.exitCode, resumed.json.outcome]).toEqual([0, 'completed'])
  expect(new Set(await place.holds(USER, NEW_PASSWORD))).toEqual(new Set([true]))
  for (const hsmId of [canary, restorePoint]) expect(await trueUser(place, hsmId)).toMatchObject({ locked: false })
})

test('a count of failed logins that rises without us pauses the run and names the HSM', async () => {
  const place = await fleet.at('rising')
  const [canary = ''] = (await place.hsmIds()).destination
  expect((await place.start(['--pause-before=change'])).exitCode).toBe(4)
  const sim = `${process.execPath} ${projectPath('bin/lockstep-sim.js')} fault --dir ${fleet.running.dir}`
  const hook = `--before-change=${sim} failures --user ${USER} --count 2 --hsm ${canary}`
  const resumed = await place.resume([hook])
  expect([resumed.exitCode, resumed.json.stage]).toEqual([4, 'canary'])
  expect(resumed.json.error.code).toBe('CLIENT_USES_OTHER_PASSWORD')
  expect(resumed.json.error.message).toContain(`of ${USER} on ${canary} from 0 to 2`)
  expect(await trueUser(place, canary)).toMatchObject({ failures: 2, locked: false })
  expect((await place.resume()).exitCode).toBe(0)
})

describe('a password that somebody else changed', () => {
  test('is found by one login, left alone by resume and rollback, and overwritten when asked to', async () => {
    const place = await fleet.at('changed')
    const [first = '', sibling = ''] = (await place.hsmIds()).source
    const paused = await place.start(['--current-password=env:OLD', '--pause-before=restore-point'])
    expect(paused.exitCode).toBe(4)
    await changeByHand(first)

    const found = await place.resume()
    expect([found.exitCode, found.json.error.code]).toEqual([4, 'OTHER_CREDENTIAL'])
    expect(found.json.error.message).toContain(first)
    expect(statesOf(found.json)).toMatchObject({ [first]: 'other', [sibling]: 'old' })
    expect(await trueUser(place, first)).toMatchObject({ failures: 1 })

    // It is the first one that is written; without consent nothing else is either.
    const again = await place.resume()
    expect([again.exitCode, again.json.stage, again.json.error.code]).toEqual([4, 'change', 'OTHER_CREDENTIAL'])
    expect(statesOf(again.json)).toMatchObject({ [first]: 'other', [sibling]: 'old' })
    const kept = await place.rollback()
    expect([kept.exitCode, kept.json.error.code]).toEqual([4, 'OTHER_CREDENTIAL'])
    expect(await place.holds(USER, OLD_PASSWORD)).toEqual([false, true, true])
    expect(await place.holds(USER, 'TEST-by-hand-1')).toEqual([true, false, false])
    expect(await trueUser(place, first)).toMatchObject({ failures: 1 })

    const back = await place.rollback(['--overwrite-other'])
    expect([back.exitCode, back.json.outcome]).toEqual([0, 'rolled-back'])
    expect(back.json.overwritten).toEqual([{ user: USER, hsmId: first }])
    expect(await place.holds(USER, OLD_PASSWORD)).toEqual([true, true, true])
  })

  test('is found by recover, one login per cell and call, and overwritten by resume when asked to', async () => {
    const place = await fleet.at('lost')
    const [canary = ''] = (await place.hsmIds()).destination
    await place.start(['--current-password=env:OLD', '--pause-before=restore-point'])
    await changeByHand(canary)
    const journals = join(place.stateDir, 'rotations')
    await rm(journals, { recursive: true })
    const flags = [...place.clusterFlags, `--user=${USER}`, ...place.storeFlags, '--silence-timeout=1']
    const recover = () => place.run(['rotate', 'recover', ...flags, '--json'])

    const once = await recover()
    expect([once.exitCode, statesOf(once.json)[canary]]).toEqual([4, 'unknown'])
    expect(once.json.error.suggestions.join()).toContain('rotate recover again')
    expect(await trueUser(place, canary)).toMatchObject({ failures: 1 })
    const twice = await recover()
    expect([twice.exitCode, statesOf(twice.json)[canary]]).toEqual([4, 'other'])
    expect(await trueUser(place, canary)).toMatchObject({ failures: 2 })
    const thrice = await recover()
    expect([thrice.exitCode, thrice.json.error.code]).toEqual([3, 'ROTATION_KNOWN'])

    const left = await place.resume(['--silence-timeout=1'])
    expect([left.exitCode, left.json.error.code]).toEqual([4, 'OTHER_CREDENTIAL'])
    expect(await place.holds(USER, 'TEST-by-hand-1')).toEqual([false, false, true])
    const resumed = await place.resume(['--silence-timeout=1', '--overwrite-other'])
    expect([resumed.exitCode, resumed.json.outcome]).toEqual([0, 'completed'])
    expect(resumed.json.overwritten).toEqual([{ user: USER, hsmId: canary }])
    expect(await place.holds(USER, NEW_PASSWORD)).toEqual([true, true, true])
    const [journal = ''] = await readdir(journals)
    expect(await readFile(join(journals, journal), 'utf8')).toContain('"type":"other-overwritten"')
  })
})
