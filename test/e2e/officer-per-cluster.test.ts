import { describe, expect, test } from '@jest/globals'
import { testFamily } from '../helpers/payments.js'
import { expectRefused } from '../helpers/refusal.js'
import { sharedFleet } from '../helpers/shared-fleet.js'
import { NEW_PASSWORD, type Workplace } from '../helpers/workplace.js'

const EU_PASSWORD = 'TEST-officer-eu'
const env = { EU: EU_PASSWORD }

const EU_ADMIN = [
  { type: 'CO', name: 'admin', absent: true },
  { type: 'CO', name: 'eu_admin', password: EU_PASSWORD },
]

/** `admin` works on the source alone, `eu_admin` on the destination alone. */
const separate = (name: string, hsmType: string, hsms = 2) =>
  testFamily(name, { hsmType, source: hsms, destination: hsms, destinationFields: { users: EU_ADMIN } })

/** `admin` has another password on the destination, and on the third cluster only `eu_admin` works. */
const mixed = (name: string, hsmType: string) =>
  testFamily(name, {
    hsmType,
    source: 2,
    destination: 2,
    destinationFields: { users: [{ type: 'CO', name: 'admin', password: EU_PASSWORD }] },
    third: 1,
    thirdFields: { users: EU_ADMIN },
  })

/** Officers by cluster, one of them by the plain flags. */
const officers = (place: Workplace): readonly string[] => [
  '--officer=admin',
  '--officer-password=env:OFFICER',
  ...officerOf(destinationOf(place), 'eu_admin', 'EU'),
]

const officerOf = (cluster: string, name: string, variable: string): readonly string[] => [
  `--officer=${cluster}=${name}`,
  `--officer-password=${cluster}=env:${variable}`,
]

const destinationOf = ({ clusterFlags }: Workplace): string => clusterFlags[1]?.split('=')[1] ?? ''
const thirdOf = ({ clusterFlags }: Workplace): string => clusterFlags[2]?.split('=')[1] ?? ''

/** The officers' failed logins as each HSM counts them; null where there is no such officer. */
const failures = async (place: Workplace) =>
  (await place.truth({ counters: true })).map(({ users }) =>
    users.flatMap((user) => (/admin$/.test(user.name) ? [`${user.name} ${user.failures}`] : [])).join(),
  )

const expectNew = async (place: Workplace, ended: Awaited<ReturnType<Workplace['start']>>): Promise<void> => {
  expect([ended.exitCode, ended.json.outcome, ended.json.error]).toEqual([0, 'completed', undefined])
  for (const cell of ended.json.cells) expect(cell).toMatchObject({ state: 'new', proof: 'login-new' })
  expect(new Set(await place.holds('CU:app_crypto', NEW_PASSWORD))).toEqual(new Set([true]))
}

describe.each([
  ['cloudhsm_mgmt_util', 'hsm1.medium'],
  ['cloudhsm-cli', 'hsm2m.medium'],
])('each cluster has its own officer, through %s', (_utility, hsmType) => {
  const fleet = sharedFleet(
    {
      back: separate('back', hsmType),
      refused: separate('refused', hsmType),
      mixed: mixed('mixed', hsmType),
    },
    {},
    { acceptsNoWayBack: true },
  )

  test('a stopped run wants both again, and is rolled back with them', async () => {
    const place = await fleet.at('back')
    // Two clusters that are written as a whole leave no way back once the canary is written.
    const stage = hsmType === 'hsm1.medium' ? 'restore-point' : 'canary'
    const paused = await place.start([...officers(place), `--pause-before=${stage}`], { env })
    expect([paused.exitCode, paused.json.stage]).toEqual([4, stage])
    const without = await place.resume([])
    expect([without.exitCode, without.json.error.code]).toEqual([4, 'OFFICER_UNKNOWN'])
    expect(without.json.error.message).toContain(`(${destinationOf(place).replace('/', ', ')})`)
    const back = await place.rollback(officers(place), { env })
    // The canary was given what the source held: nobody knows the current password.
    expect([back.exitCode, back.json.outcome]).toEqual([6, 'rolled-back'])
    expect(new Set(await place.holds('CU:app_crypto', 'TEST-old-1'))).toEqual(new Set([true]))
  })

  test('a wrong password: one failed login on that cluster, remembered of that officer there; then copies, in two runs', async () => {
    const place = await fleet.at('refused')
    const before = await failures(place)
    const wrong = { env: { EU: 'TEST-officer-not' } }
    const ended = await expectRefusedOnce(place, await place.start(officers(place), wrong), before)
    expect(ended.json.error.message).toContain(destinationOf(place).replace('/', ', '))
    const again = await place.start(officers(place), { env })
    expect([again.exitCode, again.json.error.code]).toEqual([3, 'OFFICER_REFUSED_BEFORE'])
    expect(again.json.error.message).toMatch(
      new RegExp(`"eu_admin" was refused on ${destinationOf(place).split('/')[1]} `),
    )
    // Another officer there is another matter.
    const other = ['--officer=admin', '--officer-password=env:OFFICER']
    other.push(...officerOf(destinationOf(place), 'second_officer', 'SECOND'), '--dry-run')
    const asked = await place.start(other, { env: { SECOND: 'TEST-officer-2' } })
    expect([asked.exitCode, asked.json.error]).toEqual([0, undefined])

    const paused = await place.start([...officers(place), '--retry-officer', '--pause-before=spread'], { env })
    // Two clusters that are written as a whole leave nothing to spread to.
    expect([paused.exitCode, paused.json.stage]).toEqual([4, hsmType === 'hsm1.medium' ? 'spread' : 'verify'])
    const resumed = await place.resume(officers(place), { env })
    await expectNew(place, resumed)
    expect(resumed.json.propagation).toBe('sync')
  })

  test('one officer with two passwords, and another one on a third cluster: changes', async () => {
    const place = await fleet.at('mixed')
    const third = ['--officer=admin', ...officerOf(thirdOf(place), 'eu_admin', 'EU')]
    const before = await failures(place)
    // The plain password, wrong on one cluster alone, fails once there.
    await expectRefusedOnce(place, await place.start([...third, '--officer-password=env:OFFICER'], { env }), before)
    const passwords = ['--officer-password=env:OFFICER', `--officer-password=${destinationOf(place)}=env:EU`]
    const how = ['--propagate=change', '--current-password=env:OLD', '--retry-officer']
    const ended = await place.start([...third, ...passwords, ...how], { env })
    await expectNew(place, ended)
    expect(ended.json.propagation).toBe('change')
  })

  /** Refused by the destination after one login, and nothing else happened. */
  const expectRefusedOnce = async (
    place: Workplace,
    ended: Awaited<ReturnType<Workplace['start']>>,
    before: readonly string[],
  ) => {
    expect([ended.exitCode, ended.json.error.code]).toEqual([3, 'OFFICER_REFUSED'])
    const after = await failures(place)
    const counted = after.flatMap((text, index) => (text === before[index] ? [] : [text]))
    // The CloudHSM CLI logs in on every HSM of a cluster at once.
    const reached = hsmType === 'hsm1.medium' ? 1 : 2
    expect(counted).toEqual(Array(reached).fill(expect.stringMatching(/admin 1$/)))
    expect(await place.holds('CU:app_crypto', 'TEST-old-1')).toEqual(after.map(() => true))
    expect((await place.kept()).rotations).toEqual([])
    return ended
  }
})

describe('where syncUser wants the same officer on both clusters', () => {
  const fleet = sharedFleet(
    {
      unknown: separate('unknown', 'hsm1.medium', 1),
      change: separate('change', 'hsm1.medium', 1),
      flags: separate('flags', 'hsm1.medium', 1),
    },
    { behaviour: { syncUserOfficers: 'same' } },
    { acceptsNoWayBack: true },
  )

  test('the run stops at the rehearsal, says why, and goes on by changes', async () => {
    const place = await fleet.at('unknown')
    const paused = await place.start(officers(place), { env })
    expect([paused.exitCode, paused.json.stage, paused.json.error.code]).toEqual([4, 'rehearse', 'NOT_UNDERSTOOD'])
    expect(paused.json.error.suggestions.join('\n')).toContain('--propagate change and --current-password')
    const how = ['--propagate=change', '--current-password=env:OLD', '--silence-timeout=1']
    await expectNew(place, await place.resume([...officers(place), ...how], { env }))
  })

  test('changes alone work from the start', async () => {
    const place = await fleet.at('change')
    const ended = await place.start([...officers(place), '--propagate=change', '--current-password=env:OLD'], { env })
    await expectNew(place, ended)
  })

  test.each([
    ['a cluster that takes no part', ['--officer=cluster-ccccccccccc=x'], 'OFFICER_FOR_NOBODY', 'cluster-ccccccccccc'],
    [
      'an officer without a password',
      ['--officer-password=cluster-flagsxxxxxxsrc=env:OFFICER'],
      'OFFICER_PASSWORD_MISSING',
      'dst',
    ],
    ['a password without an officer', ['--officer=cluster-flagsxxxxxxsrc=admin'], 'OFFICER_MISSING', 'dst'],
    [
      'one cluster twice',
      ['--officer=cluster-flagsxxxxxxsrc=a', '--officer=us-east-1/cluster-flagsxxxxxxsrc=b'],
      'OFFICER_TWICE',
      'src',
    ],
  ])('flags that name %s are refused (exit 2)', async (_what, args, code, naming) => {
    const place = await fleet.at('flags')
    await expectRefused(place, () => place.start(args), { exitCode: 2, code, naming })
  })
})
