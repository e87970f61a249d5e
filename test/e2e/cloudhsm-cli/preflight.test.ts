import { describe, expect, test } from '@jest/globals'
import { cliFamily, expectCompleted, failuresOf } from '../../helpers/cli-rotation.js'
import { sharedFleet } from '../../helpers/shared-fleet.js'
import type { Workplace } from '../../helpers/workplace.js'

const families = {
  limited: cliFamily('limited'),
  away: cliFamily('away'),
  third: cliFamily('third', { source: 3, destination: 3 }),
  mfa: cliFamily('mfa', {
    users: [{ type: 'CU', name: 'app_crypto', password: 'TEST-old-1', twoFactor: true } as never],
  }),
  officer: cliFamily('officer', {
    users: [{ type: 'CO', name: 'admin', password: 'TEST-officer-1', twoFactor: true } as never],
  }),
  quorum: cliFamily('quorum', { destinationFields: { quorum: 2 } }),
  locked: cliFamily('locked'),
  wrong: cliFamily('wrong', { source: 2, destination: 2 }),
}
const fleet = sharedFleet(families, {}, { acceptsNoWayBack: true })
process.env['TEST_OTHER'] = 'TEST-other-1'

/** Refused before anything was begun, and the HSMs are as they were. */
const expectRefused = async (place: Workplace, code: string, words: RegExp, args: readonly string[] = []) => {
  const before = await place.truth()
  const ended = await place.start(args)
  expect([ended.exitCode, ended.json.error.code]).toEqual([3, code])
  expect(ended.json.error.message).toMatch(words)
  expect(await place.truth()).toEqual(before)
  expect(await place.kept()).toEqual({ rotations: [], store: false, locks: [] })
  return ended
}

test('a migration in progress: nothing is begun', async () => {
  const place = await fleet.at('limited')
  await fleet.fault('limited-write', '--cluster', families.limited.source.slice(10))
  await expectRefused(place, 'CLUSTER_NOT_ACTIVE', /MODIFY_IN_PROGRESS/)
})

test.each([
  ['two', 'away'],
  ['three', 'third'],
] as const)('one HSM of %s that does not answer is named; --allow-unreachable goes on with debt, and resume settles it', async (_, name) => {
  const place = await fleet.at(name)
  const { source } = await place.hsmIds()
  const [, second = ''] = source
  await fleet.fault('unreachable', '--hsm', second)
  await expectRefused(place, 'HSM_UNREACHABLE', new RegExp(`${second} \\(127[\\d.]+, us-east-1\\) cannot be reached`))
  const started = await place.start([`--allow-unreachable=${second}`, '--reason=its zone is down'])
  expect([started.exitCode, started.json.error?.message, started.json.outcome]).toEqual([
    6,
    undefined,
    'completed-with-debt',
  ])
  expect(started.json.debts).toEqual([{ hsmId: second, reason: 'its zone is down' }])
  await fleet.fault('unreachable', '--hsm', second, '--off')
  await expectCompleted(place, await place.resume(), 'sync')
})

describe('what this version cannot carry through is found before anything is changed', () => {
  test('a user with a second factor', async () => {
    const place = await fleet.at('mfa')
    await expectRefused(
      place,
      'USER_HAS_REGISTRATION',
      /CU:app_crypto has a second factor on hsm-\w+ \(us-east-1, cluster-mfa/,
    )
  })

  test('an officer with a second factor', async () => {
    const place = await fleet.at('officer')
    const { json } = await expectRefused(
      place,
      'OFFICER_NEEDS_2FA',
      /"admin" has a second factor on hsm-\w+ \(us-east-1, cluster-off/,
    )
    expect(json.error.suggestions[0]).toContain('--officer')
  })

  test('a quorum', async () => {
    const place = await fleet.at('quorum')
    const { json } = await expectRefused(
      place,
      'QUORUM_REQUIRED',
      /eu-west-1\/cluster-quorum\w+ \(hsm-\w+\) has a quorum: 2 officers/,
    )
    expect(json.error.suggestions.join('\n')).toContain('quorum token-sign generate')
  })

  test('a user that is locked, and by which HSM', async () => {
    const place = await fleet.at('locked')
    const { source } = await place.hsmIds()
    await fleet.fault('failures', '--user', 'CU:app_crypto', '--count', '5', ...source.flatMap((id) => ['--hsm', id]))
    await expectRefused(place, 'USER_LOCKED', /CU:app_crypto is locked on hsm-\w+/)
    await fleet.fault('failures', '--user', 'CU:app_crypto', '--count', '0', '--hsm', source[0] ?? '')
    const { json } = await expectRefused(place, 'USER_INCONSISTENT', /disagree about CU:app_crypto: locked/)
    const [generate, drift] = json.error.suggestions.map((one: string) =>
      one
        .replace(/ {3}.*/, '')
        .split(' ')
        .slice(1),
    )
    expect((await place.run(generate)).exitCode).toBe(0)
    const { exitCode, stdout } = await place.run(drift)
    expect(exitCode).toBe(6)
    expect(stdout).toMatch(/CU:app_crypto +cluster-locked\w+ +locked +false +true\n/)
  })
})

test('a current password that is wrong costs one failed login on one cluster, and none elsewhere', async () => {
  const place = await fleet.at('wrong')
  const ended = await place.start(['--current-password=env:WRONG'], { env: { WRONG: 'TEST-wrong-1' } })
  expect([ended.exitCode, ended.json.error.code]).toEqual([3, 'CURRENT_REFUSED'])
  expect(ended.json.error.suggestions[0]).toContain('it may hold another password')
  expect(await failuresOf(place)).toEqual([1, 1, 0, 0])
  // The other utility does not serve these clusters.
  const cmu = await place.start(['--utility=cmu'])
  expect([cmu.exitCode, cmu.json.error.code]).toEqual([3, 'HSM_TYPE_NOT_SUPPORTED'])
  expect(cmu.json.error.suggestions[0]).toContain('--utility cloudhsm-cli')
})
