import { describe, expect, test } from '@jest/globals'
import { testFamily } from '../helpers/payments.js'
import { sharedFleet } from '../helpers/shared-fleet.js'
import { NEW_PASSWORD, type Workplace } from '../helpers/workplace.js'

const ALL_NEW = [true, true]
const ALL_OLD = [true, true]

/** The rotation ended on `change`, and every HSM holds the new password. */
const expectDoneByChange = async (place: Workplace, ended: Awaited<ReturnType<Workplace['start']>>): Promise<void> => {
  expect(ended.exitCode).toBe(0)
  expect(ended.json).toMatchObject({ outcome: 'completed', propagation: 'change' })
  for (const cell of ended.json.cells) expect(cell).toMatchObject({ state: 'new', proof: 'login-new' })
  expect(await place.holds('CU:app_crypto', NEW_PASSWORD)).toEqual(ALL_NEW)
}

describe('a current password that is given only when something is new already', () => {
  const fleet = sharedFleet(
    { late: testFamily('late', { destination: 2 }) },
    { behaviour: { syncUserExisting: 'ignore' } },
  )

  test('is a way back once a login on an HSM that is still old proved it', async () => {
    const place = await fleet.at('late')
    const [, restorePoint = ''] = (await place.hsmIds()).destination
    expect((await place.start(['--pause-before=verify'])).exitCode).toBe(4)
    expect(await place.holds('CU:app_crypto', NEW_PASSWORD)).toEqual([true, true, false])

    const without = await place.rollback()
    expect([without.exitCode, without.json.error.code]).toEqual([3, 'NO_WAY_BACK'])
    expect(without.json.error.suggestions.join('\n')).toContain('--current-password')

    const wrong = await place.rollback(['--current-password=env:OLD_BATCH'])
    expect([wrong.exitCode, wrong.json.error.code]).toEqual([4, 'CURRENT_REFUSED'])
    expect(wrong.json.error.message).toContain(restorePoint)
    expect(await place.holds('CU:app_crypto', NEW_PASSWORD)).toEqual([true, true, false])

    const back = await place.rollback(['--current-password=env:OLD'])
    expect([back.json.error, back.exitCode, back.json.outcome]).toEqual([undefined, 0, 'rolled-back'])
    expect(await place.holds('CU:app_crypto', 'TEST-old-1')).toEqual([true, true, true])
    expect(await place.stored('pending')).toBeNull()
  })
})

describe('where syncUser refuses a user that exists', () => {
  const fleet = sharedFleet(
    {
      unknown: testFamily('unknown', { destination: 2 }),
      known: testFamily('known'),
      accepted: testFamily('accepted'),
      sync: testFamily('sync'),
    },
    { behaviour: { syncUserExisting: 'refuse' } },
  )

  test('the run stops at rehearse with nothing changed, as long as no way back is known', async () => {
    const place = await fleet.at('unknown')
    const before = await place.truth()
    const started = await place.start()
    expect(started.exitCode).toBe(4)
    expect(started.json).toMatchObject({ outcome: 'paused', stage: 'rehearse', error: { code: 'NO_WAY_BACK' } })
    for (const cell of started.json.cells) expect(cell).toMatchObject({ state: 'old' })
    expect(started.json.error.suggestions.join('\n')).toContain('--current-password')
    expect(await place.truth()).toEqual(before)

    const status = await place.run(['rotate', 'status', '--json'])
    expect(status.exitCode).toBe(4)
    expect(status.json).toEqual({ ...started.json, holder: null, holderGone: null, owedElsewhere: [] })

    const rolledBack = await place.rollback()
    expect(rolledBack.exitCode).toBe(0)
    expect(rolledBack.json).toMatchObject({ outcome: 'rolled-back' })
    expect(await place.stored('pending')).toBeNull()
    expect(await place.truth()).toEqual(before)
  })

  test('with the current password known, it goes on by change and says so', async () => {
    const place = await fleet.at('known')
    const started = await place.start(['--current-password=env:OLD'])
    await expectDoneByChange(place, started)
    expect(started.json.wayBack).toEqual({ bySync: false, byCurrent: true })
    expect(started.stderr).toMatch(/changePswd: syncUser refused CU:app_crypto/)
  })

  test('with no way back accepted, it goes on by change', async () => {
    const place = await fleet.at('accepted')
    await expectDoneByChange(place, await place.start(['--accept-no-way-back']))
  })

  test('with --propagate sync it stops before anything is new, also when it is resumed', async () => {
    const place = await fleet.at('sync')
    const started = await place.start(['--propagate=sync', '--current-password=env:OLD'])
    expect(started.exitCode).toBe(4)
    expect(started.json).toMatchObject({ outcome: 'paused', stage: 'change', error: { code: 'SYNC_REFUSED' } })
    const again = await place.resume(['--propagate=sync'])
    expect([again.exitCode, again.json.error.code]).toEqual([4, 'SYNC_REFUSED'])
    expect(await place.holds('CU:app_crypto', 'TEST-old-1')).toEqual(ALL_OLD)

    // When: the operator follows the suggestion
    await expectDoneByChange(place, await place.resume(['--propagate=auto']))
  })
})

describe('where syncUser reports success and changes nothing', () => {
  const fleet = sharedFleet(
    { auto: testFamily('auto'), sync: testFamily('sync') },
    { behaviour: { syncUserExisting: 'ignore' } },
  )

  test('the login on the canary shows it, and change follows', async () => {
    const place = await fleet.at('auto')
    const started = await place.start(['--accept-no-way-back'])
    await expectDoneByChange(place, started)
    expect(started.stderr).toMatch(/changePswd: syncUser reported success on hsm-\w+, but the new credential/)
    expect(started.json.failedLogins).toBe(1)
  })

  test('with --propagate sync it stops at canary', async () => {
    const place = await fleet.at('sync')
    const started = await place.start(['--propagate=sync', '--current-password=env:OLD'])
    expect(started.exitCode).toBe(4)
    expect(started.json).toMatchObject({ outcome: 'paused', stage: 'canary', error: { code: 'SYNC_REFUSED' } })
    expect((await place.holds('CU:app_crypto', NEW_PASSWORD)).filter(Boolean)).toHaveLength(1)
  })
})

describe('where syncUser overwrites', () => {
  // The destination's app_crypto has the ID that somebody_else has at the source.
  const otherIds = [
    {
      users: [
        { type: 'CU', name: 'app_crypto', id: 31 },
        { type: 'CU', name: 'somebody_else', id: 30 },
      ],
    },
  ]
  const users = [
    { type: 'CU', name: 'app_crypto', password: 'TEST-old-1', id: 30 },
    { type: 'CU', name: 'somebody_else', password: 'TEST-else-1', id: 31 },
  ]
  const fleet = sharedFleet({ asked: testFamily('asked'), ids: testFamily('ids', { users, destination: otherIds }) })

  test('--propagate change never syncs, once the current password is known', async () => {
    const place = await fleet.at('asked')
    const started = await place.start(['--propagate=change', '--current-password=env:OLD'])
    await expectDoneByChange(place, started)
  })

  test('a user whose ID differs between HSMs is never synced: change with a known way back, or a stop', async () => {
    const place = await fleet.at('ids')
    const stopped = await place.start()
    expect([stopped.exitCode, stopped.json.error.code]).toEqual([3, 'NO_WAY_BACK'])
    expect(stopped.json.error.message).toContain('different IDs')
    expect((await place.kept()).rotations).toEqual([])

    await expectDoneByChange(place, await place.start(['--current-password=env:OLD']))
    expect(await place.holds('CU:somebody_else', 'TEST-else-1')).toEqual(ALL_OLD)
  })
})

describe('where syncUser matches users by name', () => {
  const fleet = sharedFleet({ name: testFamily('name') }, { behaviour: { syncUserMatches: 'name' } })

  test('the same rotation completes by sync', async () => {
    const place = await fleet.at('name')
    const started = await place.start(['--accept-no-way-back'])
    expect(started.exitCode).toBe(0)
    expect(started.json).toMatchObject({ outcome: 'completed', propagation: 'sync' })
    expect(await place.holds('CU:app_crypto', NEW_PASSWORD)).toEqual(ALL_NEW)
  })
})
