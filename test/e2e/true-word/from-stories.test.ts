import { describe, expect, test } from '@jest/globals'
import { cliFamily, USER } from '../../helpers/cli-rotation.js'
import { clusterIn, endOf, falseClaims } from '../../helpers/observed.js'
import { OLD_PASSWORD, testFamily } from '../../helpers/payments.js'
import { sharedFleet } from '../../helpers/shared-fleet.js'
import { NEW_PASSWORD } from '../../helpers/workplace.js'

const PASSWORDS = { old: OLD_PASSWORD, new: NEW_PASSWORD }
process.env['TEST_DRIFTED'] = 'TEST-drifted-1'

describe('by cloudhsm_mgmt_util, an HSM that joined from an older backup while copies refuse', () => {
  const families = {
    same: testFamily('same', { source: 1, destination: 2 }),
    older: testFamily('older', { source: 1, destination: 2 }),
  }
  const fleet = sharedFleet(families, { behaviour: { syncUserExisting: 'refuse' } })

  test('does not keep a rotation without anything new from being closed', async () => {
    const place = await fleet.at('same')
    expect(endOf(await place.start())).toEqual([4, 'paused', 'NO_WAY_BACK'])
    await fleet.fault('added', '--cluster', clusterIn(families.same.source), '--users', 'original')
    expect((await place.resume()).exitCode).toBe(4)
    const back = await place.rollback()
    expect(endOf(back)).toEqual([0, 'rolled-back', undefined])
    expect(await falseClaims(place, back.json, PASSWORDS)).toEqual([])
    expect(await place.stored('pending')).toBeNull()
  })

  test('is not called old where it holds something older still', async () => {
    const place = await fleet.at('older')
    expect(endOf(await place.start())).toEqual([4, 'paused', 'NO_WAY_BACK'])
    const cluster = clusterIn(families.older.destination)
    const [joined = ''] = (await fleet.fault('added', '--cluster', cluster, '--users', 'original')).hsms
    await fleet.fault('set-password', '--user', USER, '--password', 'env:TEST_DRIFTED', '--hsm', joined)
    const seen = await place.resume()
    expect([seen.exitCode, await falseClaims(place, seen.json, PASSWORDS)]).toEqual([4, []])
    const back = await place.rollback()
    expect(back.json.outcome).toBe('rolled-back')
    expect(await falseClaims(place, back.json, PASSWORDS)).toEqual([])
    expect(await place.stored('pending')).toBeNull()
  })
})

describe('by cloudhsm-cli, a copy that leaves the password, and one HSM of three lost in the login that would show it', () => {
  const fleet = sharedFleet(
    { lost: cliFamily('lost', { source: 3, destination: 1, third: 1 }) },
    { behaviour: { userReplicateExisting: 'ignore' } },
  )

  test('is no proof that the old credential came back; forward still ends new', async () => {
    const place = await fleet.at('lost')
    const [first = ''] = (await place.hsmIds()).source
    expect((await place.start(['--pause-before=canary'])).exitCode).toBe(4)
    await fleet.fault('drop', '--operation', 'login', '--user', USER, '--nth', '1', '--hsm', first)
    const back = await place.rollback()
    expect(await falseClaims(place, back.json, PASSWORDS)).toEqual([])
    expect([back.exitCode, back.json.outcome]).toEqual([4, 'paused'])
    expect(await place.stored('pending')).not.toBeNull()

    await fleet.fault('drop', '--off', '--hsm', first)
    const again = await place.rollback()
    expect(await falseClaims(place, again.json, PASSWORDS)).toEqual([])
    const resumed = await place.resume()
    expect(endOf(resumed)).toEqual([0, 'completed', undefined])
    expect(new Set(await place.holds(USER, NEW_PASSWORD))).toEqual(new Set([true]))
  })
})

describe('by cloudhsm-cli, an HSM that was added and lacks the user', () => {
  const families = {
    rehearsed: cliFamily('rehearsed', { source: 1, destination: 2 }),
  }
  const fleet = sharedFleet(families)

  test('is never called old, and the rollback ends', async () => {
    const place = await fleet.at('rehearsed')
    expect((await place.start(['--accept-no-way-back', '--pause-before=change'])).exitCode).toBe(4)
    const cluster = clusterIn(families.rehearsed.destination)
    const [joined = ''] = (await fleet.fault('added', '--cluster', cluster, '--users', 'original')).hsms
    await fleet.fault('missing-user', '--user', USER, '--hsm', joined)
    const seen = await place.resume(['--pause-before=change'])
    expect([seen.exitCode, await falseClaims(place, seen.json, PASSWORDS)]).toEqual([4, []])
    const back = await place.rollback()
    expect(await falseClaims(place, back.json, PASSWORDS)).toEqual([])
    expect(back.json.outcome).toBe('rolled-back')
  })
})
