import { beforeAll, describe, expect, test } from '@jest/globals'
import { STAGES } from '../../src/domain/rotation/stage.js'
import { passwordsIn } from '../helpers/credentials.js'
import { OLD_PASSWORD, testFamily } from '../helpers/payments.js'
import { sharedFleet } from '../helpers/shared-fleet.js'
import { NEW_PASSWORD, type Workplace } from '../helpers/workplace.js'

const fleet = sharedFleet(
  {
    one: testFamily('one', { source: 2, destination: 2 }),
    several: testFamily('several', { source: 2 }),
    generated: testFamily('generated'),
    planned: testFamily('planned'),
    words: testFamily('words'),
  },
  {},
  { acceptsNoWayBack: true },
)

describe('a rotation of one crypto user on two cloned clusters', () => {
  let place: Workplace
  let started: Awaited<ReturnType<Workplace['start']>>
  beforeAll(async () => {
    place = await fleet.at('one')
    started = await place.start()
  })

  test('ends with the new password on every HSM, proved by login', async () => {
    expect(started.exitCode).toBe(0)
    const { cells, coverage, outcome, propagation, stage, users } = started.json
    expect({ outcome, propagation, stage, users }).toEqual({
      outcome: 'completed',
      propagation: 'sync',
      stage: null,
      users: ['CU:app_crypto'],
    })
    expect(cells).toHaveLength(4)
    for (const cell of cells) expect(cell).toMatchObject({ user: 'CU:app_crypto', state: 'new', proof: 'login-new' })
    expect(coverage).toEqual([
      { clusterId: 'cluster-onexxxxxxxxsrc', new: 2, total: 2 },
      { clusterId: 'cluster-onexxxxxxxxdst', new: 2, total: 2 },
    ])
    expect(await place.holds('CU:app_crypto', NEW_PASSWORD)).toEqual([true, true, true, true])
  })

  test('prints exactly the keys that scripts rely on', () => {
    const document = started.json
    expect(Object.keys(document).sort()).toEqual(
      [
        'cells',
        'coverage',
        'debts',
        'direction',
        'failedLogins',
        'gone',
        'leftOut',
        'outcome',
        'overwritten',
        'procedure',
        'propagation',
        'rotationId',
        'stage',
        'startedAt',
        'store',
        'unseenRegions',
        'users',
        'utility',
        'wayBack',
        'withoutProof',
      ].sort(),
    )
    for (const cell of document.cells) {
      const keys = ['clusterId', 'evidence', 'hsmId', 'observedAt', 'proof', 'region', 'state', 'user']
      expect(Object.keys(cell).sort()).toEqual(keys)
    }
  })

  test('costs no failed login and leaves the other users alone', async () => {
    expect(started.json.failedLogins).toBe(0)
    const users = (await place.truth()).flatMap((hsm) => hsm.users)
    for (const user of users) expect(user).toMatchObject({ failures: 0, sessions: 0, locked: false })
    expect(await place.holds('CU:app_batch', 'TEST-old-2')).toEqual([true, true, true, true])
    expect(await place.holds('CO:admin', 'TEST-officer-1')).toEqual([true, true, true, true])
  })

  test('tells of its progress on stderr, every stage in its order', () => {
    const completed = started.stderr.split('\n').flatMap((line) => /^\[(.+)\] completed$/.exec(line)?.[1] ?? [])
    expect(completed).toEqual(STAGES)
  })

  test('leaves the new password in the store as CURRENT, and nothing PENDING', async () => {
    expect(passwordsIn(await place.stored('current'))).toEqual({ 'CU:app_crypto': NEW_PASSWORD })
    expect(await place.stored('pending')).toBeNull()
  })

  test('is shown by status with the same document and by list with its count', async () => {
    const [status, list] = await Promise.all([
      place.run(['rotate', 'status', '--rotation', started.json.rotationId, '--json']),
      place.run(['rotate', 'list', '--json']),
    ])
    expect(status.exitCode).toBe(0)
    expect(status.json).toEqual({ ...started.json, holder: null, holderGone: null })
    expect(list.exitCode).toBe(0)
    expect(list.json.rotations).toHaveLength(1)
    expect(list.json.rotations[0]).toMatchObject({
      rotationId: started.json.rotationId,
      outcome: 'completed',
      stage: null,
      new: 4,
      total: 4,
    })
  })

  test('is left as it is by resume (exit 0), and refused by rollback (exit 3)', async () => {
    const before = await place.truth()
    const resumed = await place.resume()
    expect(resumed.exitCode).toBe(0)
    expect(resumed.json).toEqual(started.json)
    const rolledBack = await place.rollback()
    expect(rolledBack.exitCode).toBe(3)
    expect(rolledBack.json).toMatchObject({ outcome: 'completed', error: { code: 'ROLLBACK_TOO_LATE' } })
    expect(await place.truth()).toEqual(before)
  })
})

test('several users get the passwords given for each, and the way back is proved', async () => {
  const place = await fleet.at('several')
  await place.write('batch.txt', 'TEST-new-batch\n')
  await place.write('old-batch.txt', 'TEST-old-2\n')
  const started = await place.start([
    '--user=CU:app_crypto',
    '--user=crypto-user:app_batch',
    '--new-password=env:NEW',
    '--new-password=CU:app_batch=file:batch.txt',
    '--current-password=env:OLD',
    '--current-password=CU:app_batch=command:cat old-batch.txt',
  ])
  expect(started.exitCode).toBe(0)
  expect(started.json).toMatchObject({
    users: ['CU:app_crypto', 'CU:app_batch'],
    wayBack: { byCurrent: true },
    failedLogins: 0,
  })
  expect(started.json.cells).toHaveLength(6)
  expect(await place.holds('CU:app_crypto', NEW_PASSWORD)).toEqual([true, true, true])
  expect(await place.holds('CU:app_batch', 'TEST-new-batch')).toEqual([true, true, true])
  expect(passwordsIn(await place.stored('current'))).toEqual({
    'CU:app_crypto': NEW_PASSWORD,
    'CU:app_batch': 'TEST-new-batch',
  })
  expect(passwordsIn(await place.stored('previous'))).toEqual({
    'CU:app_crypto': OLD_PASSWORD,
    'CU:app_batch': 'TEST-old-2',
  })
})

test('generated passwords differ per user, are in the store alone, and are what the HSMs hold', async () => {
  const place = await fleet.at('generated')
  const started = await place.start(['--user=CU:app_crypto', '--user=CU:app_batch', '--new-password=generate'])
  expect(started.exitCode).toBe(0)
  const passwords = passwordsIn(await place.stored('current')) ?? {}
  const [crypto = '', batch = ''] = [passwords['CU:app_crypto'], passwords['CU:app_batch']]
  expect(crypto).toMatch(/^[A-Za-z0-9]{28}$/)
  expect(batch).toMatch(/^[A-Za-z0-9]{28}$/)
  expect(crypto).not.toBe(batch)
  expect(await place.holds('CU:app_crypto', crypto)).toEqual([true, true])
  expect(await place.holds('CU:app_batch', batch)).toEqual([true, true])
  for (const text of [started.stdout, started.stderr]) {
    expect(text).not.toContain(crypto)
    expect(text).not.toContain(batch)
  }
})

test('a plan is written without a login, carried out, and refused once the facts have changed', async () => {
  const place = await fleet.at('planned')
  const before = await place.truth({ counters: true })
  const plan = ['rotate', 'plan', ...place.clusterFlags, '--user=CU:app_crypto', '--out=plan.json', '--json']
  const planned = await place.run(plan)
  expect(planned.exitCode).toBe(0)
  const dry = await place.start(['--plan=plan.json', '--dry-run'])
  expect(dry.exitCode).toBe(0)
  expect(dry.json.plan).toEqual(planned.json.plan)
  expect(await place.truth({ counters: true })).toEqual(before)

  const [canary = ''] = (await place.hsmIds()).destination
  await fleet.fault('replaced', '--hsm', canary, '--aws-too')
  const outdated = await place.start(['--plan=plan.json'])
  expect(outdated.exitCode).toBe(3)
  expect(outdated.json.error.code).toBe('PLAN_OUTDATED')
  await fleet.fault('replaced', '--hsm', canary, '--aws-too', '--off')

  const started = await place.start(['--plan=plan.json'])
  expect(started.exitCode).toBe(0)
  expect(await place.holds('CU:app_crypto', NEW_PASSWORD)).toEqual([true, true])
})

test('without --json the matrix stands on stdout, plain, and everything else on stderr', async () => {
  const place = await fleet.at('words')
  const args = ['rotate', 'start', ...place.clusterFlags, '--user=CU:app_crypto', '--new-password=env:NEW', '--yes']
  const started = await place.run([...args, '--accept-no-way-back', ...place.againFlags])
  expect(started.exitCode).toBe(0)
  expect(started.stdout.match(/new 1\/1/g)).toHaveLength(2)
  expect(started.stdout).not.toContain('\u001b')
  expect(started.stdout).not.toContain('preflight')
  expect(started.stderr).toContain('preflight')
  const status = await place.run(['rotate', 'status'])
  expect(status.exitCode).toBe(0)
  expect(status.stdout).toBe(started.stdout)
})
