import { beforeAll, describe, expect, test } from '@jest/globals'
import { testFamily } from '../helpers/payments.js'
import { expectRefused } from '../helpers/refusal.js'
import { sharedFleet } from '../helpers/shared-fleet.js'
import { NEW_PASSWORD, type Workplace } from '../helpers/workplace.js'

const EU_PASSWORD = 'TEST-officer-eu'
const env = { EU: EU_PASSWORD }

/** `admin` works on the source alone, `eu_admin` on the destination alone. */
const separate = (name: string, hsmType: string) =>
  testFamily(name, {
    source: 3,
    destination: 2,
    sourceFields: { hsmType },
    destinationFields: {
      hsmType,
      users: [
        { type: 'CO', name: 'admin', absent: true },
        { type: 'CO', name: 'eu_admin', password: EU_PASSWORD },
      ],
    },
  })

/** `admin` works on both, with another password on the destination. */
const samename = (name: string, hsmType: string) =>
  testFamily(name, {
    source: 2,
    destination: 2,
    sourceFields: { hsmType },
    destinationFields: { hsmType, users: [{ type: 'CO', name: 'admin', password: EU_PASSWORD }] },
  })

/** Officers by cluster, one of them by the plain flags. */
const officers = (place: Workplace): readonly string[] => {
  const destination = destinationOf(place)
  return [
    '--officer=admin',
    '--officer-password=env:OFFICER',
    `--officer=${destination}=eu_admin`,
    `--officer-password=${destination}=env:EU`,
  ]
}

const destinationOf = ({ clusterFlags }: Workplace): string => clusterFlags[1]?.split('=')[1] ?? ''

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
  const fleet = sharedFleet({
    done: separate('done', hsmType),
    changed: separate('changed', hsmType),
    stopped: separate('stopped', hsmType),
    back: separate('back', hsmType),
    wrong: separate('wrong', hsmType),
    memory: separate('memory', hsmType),
    one: samename('one', hsmType),
    default: samename('default', hsmType),
  })

  test('the rotation completes by copies', async () => {
    const place = await fleet.at('done')
    const ended = await place.start(officers(place), { env })
    await expectNew(place, ended)
    expect(ended.json.propagation).toBe('sync')
  })

  test('and by changes', async () => {
    const place = await fleet.at('changed')
    const ended = await place.start([...officers(place), '--propagate=change', '--current-password=env:OLD'], { env })
    await expectNew(place, ended)
    expect(ended.json.propagation).toBe('change')
  })

  test('one officer with two passwords', async () => {
    const place = await fleet.at('one')
    const password = `--officer-password=${destinationOf(place)}=env:EU`
    await expectNew(place, await place.start(['--officer-password=env:OFFICER', password], { env }))
  })

  test('a stopped run is resumed with both', async () => {
    const place = await fleet.at('stopped')
    const paused = await place.start([...officers(place), '--pause-before=spread'], { env })
    expect([paused.exitCode, paused.json.stage]).toEqual([4, 'spread'])
    const without = await place.resume([])
    expect([without.exitCode, without.json.error.code]).toEqual([3, 'OFFICER_UNKNOWN'])
    expect(without.json.error.message).toContain(`(${destinationOf(place).replace('/', ', ')})`)
    await expectNew(place, await place.resume(officers(place), { env }))
  })

  test('and rolled back', async () => {
    const place = await fleet.at('back')
    // Two clusters that are written as a whole leave no way back once the canary is written.
    const stage = hsmType === 'hsm1.medium' ? 'restore-point' : 'canary'
    const paused = await place.start([...officers(place), `--pause-before=${stage}`], { env })
    expect([paused.exitCode, paused.json.stage]).toEqual([4, stage])
    const back = await place.rollback(officers(place), { env })
    expect([back.exitCode, back.json.outcome]).toEqual([0, 'rolled-back'])
    expect(new Set(await place.holds('CU:app_crypto', 'TEST-old-1'))).toEqual(new Set([true]))
  })

  test('a wrong password on one cluster: one failed login there, and nothing changed', async () => {
    const place = await fleet.at('wrong')
    const before = await failures(place)
    const wrong = { env: { EU: 'TEST-officer-not' } }
    const ended = await expectRefusedOnce(place, await place.start(officers(place), wrong), before)
    expect(ended.json.error.message).toContain(destinationOf(place).replace('/', ', '))
    await expectNew(place, await place.start([...officers(place), '--retry-officer'], { env }))
  })

  test('the plain password, wrong on one cluster alone, fails once there too', async () => {
    const place = await fleet.at('default')
    const before = await failures(place)
    await expectRefusedOnce(place, await place.start([]), before)
  })

  test('what is remembered of a refusal is remembered of that officer on that cluster', async () => {
    const place = await fleet.at('memory')
    const wrong = { env: { EU: 'TEST-officer-not' } }
    expect((await place.start(officers(place), wrong)).json.error.code).toBe('OFFICER_REFUSED')
    const again = await place.start(officers(place), { env })
    expect([again.exitCode, again.json.error.code]).toEqual([3, 'OFFICER_REFUSED_BEFORE'])
    expect(again.json.error.message).toMatch(
      new RegExp(`"eu_admin" was refused on ${destinationOf(place).split('/')[1]} `),
    )
    // Another officer there is another matter.
    const other = [
      '--officer=admin',
      '--officer-password=env:OFFICER',
      `--officer=${destinationOf(place)}=second_officer`,
      `--officer-password=${destinationOf(place)}=env:SECOND`,
    ]
    await expectNew(place, await place.start(other, { env: { SECOND: 'TEST-officer-2' } }))
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
    { unknown: separate('unknown', 'hsm1.medium'), change: separate('change', 'hsm1.medium') },
    { behaviour: { syncUserOfficers: 'same' } },
  )

  test('the run stops at the rehearsal, says why, and goes on by changes', async () => {
    const place = await fleet.at('unknown')
    const paused = await place.start(officers(place), { env })
    expect([paused.exitCode, paused.json.stage, paused.json.error.code]).toEqual([4, 'rehearse', 'NOT_UNDERSTOOD'])
    expect(paused.json.error.suggestions.join('\n')).toContain('--propagate change and --current-password')
    const resumed = await place.resume(
      [...officers(place), '--propagate=change', '--current-password=env:OLD', '--silence-timeout=3'],
      {
        env,
      },
    )
    await expectNew(place, resumed)
  })

  test('changes alone work from the start', async () => {
    const place = await fleet.at('change')
    const ended = await place.start([...officers(place), '--propagate=change', '--current-password=env:OLD'], { env })
    await expectNew(place, ended)
  })
})

describe('flags that name officers wrongly (exit 2)', () => {
  const fleet = sharedFleet({ flags: separate('flags', 'hsm1.medium') })
  let place: Workplace
  beforeAll(async () => {
    place = await fleet.at('flags')
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
  ])('%s', async (_what, args, code, naming) => {
    await expectRefused(place, () => place.start(args), { exitCode: 2, code, naming })
  })
})
