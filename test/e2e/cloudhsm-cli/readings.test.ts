import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, test } from '@jest/globals'
import { cliFamily, expectCompleted, failuresOf, statesOf, USER } from '../../helpers/cli-rotation.js'
import { OLD_PASSWORD } from '../../helpers/payments.js'
import { sharedFleet } from '../../helpers/shared-fleet.js'
import { NEW_PASSWORD, type Workplace } from '../../helpers/workplace.js'

const THREE = { source: 1, destination: 2, third: 1 } as const
const KNOWN = ['--current-password=env:OLD']
const IN_DOUBT =
  /way back.* without --current-password there may be none once cluster-\w+src is changed.*user replicate/

/** Every HSM holds the old password, and nothing is left to be done. */
const expectRolledBack = async (
  place: Workplace,
  back: Awaited<ReturnType<Workplace['rollback']>>,
  withoutProof = 0,
): Promise<void> => {
  const exitCode = withoutProof === 0 ? 0 : 6
  expect([back.json.error, back.json.outcome, back.exitCode]).toEqual([undefined, 'rolled-back', exitCode])
  expect(back.json.withoutProof).toHaveLength(withoutProof)
  expect(new Set(await place.holds(USER, OLD_PASSWORD))).toEqual(new Set([true]))
  expect(await place.stored('pending')).toBeNull()
}

describe('user replicate overwrites a user that exists', () => {
  const fleet = sharedFleet({ two: cliFamily('two'), three: cliFamily('three', THREE) }, {}, { acceptsNoWayBack: true })

  test('two clusters, current password unknown: the plan says that there is no way back, replicate carries the password', async () => {
    const place = await fleet.at('two')
    const started = await place.start()
    expect(started.stderr).toMatch(/way back +none without --current-password: there are only two clusters/)
    expect(started.stderr).toContain(
      '3 in all; where cloudhsm-cli reaches the whole cluster at once, one per user and cluster, 2 in all',
    )
    await expectCompleted(place, started, 'sync')
    expect(await failuresOf(place)).toEqual([0, 0, 0])
    const { stdout } = await place.run(['rotate', 'status'])
    expect(stdout).toContain('propagated by user replicate')
    expect(stdout).toMatch(/cluster-twoxx\w+src +hsm-\w+ +new \(login-new, cluster\)/)
    expect(stdout).toMatch(/cluster-twoxx\w+dst +hsm-\w+ +new \(login-new\)/)
  })

  test('three clusters: rolled back through the untouched third one; with the current password known nothing is in doubt', async () => {
    const place = await fleet.at('three')
    const paused = await place.start(['--pause-before=restore-point'])
    expect([paused.exitCode, statesOf(paused.json)]).toEqual([4, ['new', 'new', 'new', 'old']])
    expect(paused.stderr).toMatch(IN_DOUBT)
    const back = await place.rollback()
    // The source and the canary were given what the third cluster held.
    await expectRolledBack(place, back, 3)
    expect(back.stderr).toContain('rolling back by user replicate from what was not written to')

    const planned = await place.start([...KNOWN, '--dry-run'])
    expect([planned.exitCode, planned.json.error]).toEqual([0, undefined])
    expect(planned.stderr).not.toMatch(/way back/)
  })
})

describe('user replicate refuses a user that exists with another password', () => {
  const fleet = sharedFleet(
    { two: cliFamily('two'), three: cliFamily('three', THREE) },
    { behaviour: { userReplicateExisting: 'refuse' } },
    { acceptsNoWayBack: true },
  )

  test('two clusters, current password known: the canary settles on a change; then back by the current one', async () => {
    const place = await fleet.at('two')
    const paused = await place.start([...KNOWN, '--pause-before=verify'])
    expect(paused.json).toMatchObject({ propagation: 'change', wayBack: { bySync: false, byCurrent: true } })
    const back = await place.rollback()
    await expectRolledBack(place, back)
    for (const cell of back.json.cells) expect(cell).toMatchObject({ state: 'old', proof: 'login-current' })
  })

  test('three clusters, current password unknown: no rollback at any stage, and the way forward stays open', async () => {
    const place = await fleet.at('three')
    const early = await place.start(['--pause-before=canary'])
    expect([early.exitCode, statesOf(early.json)]).toEqual([4, ['new', 'old', 'old', 'old']])
    const tried = await place.rollback()
    expect([tried.exitCode, tried.json.outcome, tried.json.error.code]).toEqual([4, 'paused', 'NO_WAY_BACK'])
    // Why it was refused nobody knows, so that it is tried again, and refused again.
    expect((await place.rollback()).exitCode).toBe(4)

    const late = await place.resume(['--pause-before=restore-point'])
    expect([late.exitCode, late.json.stage, late.json.propagation]).toEqual([4, 'restore-point', 'change'])
    const back = await place.rollback()
    expect([back.exitCode, back.json.error.code]).toEqual([4, 'NO_WAY_BACK'])
    expect(back.json.error.message).toContain('forward is the only way')

    // The journal is lost as well.
    await rm(join(place.stateDir, 'rotations'), { recursive: true })
    const recover = ['rotate', 'recover', ...place.clusterFlags, `--user=${USER}`, ...place.storeFlags, '--json']
    const recovered = await place.run([...recover, '--silence-timeout=2'])
    expect([recovered.exitCode, recovered.json.error.code]).toEqual([4, 'RECOVERED'])
    expect(recovered.json.cells).toMatchObject([
      { state: 'new', evidence: 'hsm' },
      // One login stood for both, and which writes went before is lost with the journal: resume writes there again.
      { state: 'unknown', proof: 'login-new', evidence: 'cluster' },
      { state: 'unknown', proof: 'login-new', evidence: 'cluster' },
      { state: 'unknown' },
    ])
    await expectCompleted(place, await place.resume(), 'change')
    expect((await place.run(['rotate', 'status'])).stdout).toContain('propagated by user change-password')
  })
})

describe('user replicate reports success and leaves the password as it was', () => {
  const fleet = sharedFleet(
    { two: cliFamily('two'), three: cliFamily('three', THREE) },
    { behaviour: { userReplicateExisting: 'ignore' } },
    { acceptsNoWayBack: true },
  )

  test('three clusters, current password unknown: one refused login, then a change', async () => {
    const place = await fleet.at('three')
    const started = await place.start()
    expect(started.json.failedLogins).toBe(1)
    expect(started.stderr).toContain('there is no way back any more: user replicate does not return the old credential')
    await expectCompleted(place, started, 'change')
  })

  test('a rollback is not believed before it is seen, and the new password is not thrown away', async () => {
    const place = await fleet.at('two')
    const paused = await place.start(['--pause-before=canary'])
    expect(statesOf(paused.json)).toEqual(['new', 'new', 'old'])
    const back = await place.rollback()
    expect([back.exitCode, back.json.outcome, back.json.error.code]).toEqual([4, 'paused', 'NO_WAY_BACK'])
    expect(await place.holds(USER, NEW_PASSWORD)).toEqual([true, true, false])
    expect(await place.stored('pending')).not.toBeNull()
    await expectCompleted(place, await place.resume(), 'change')
  })
})
