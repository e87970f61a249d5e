import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals'
import { startSimulator } from '../../helpers/simulator.js'
import {
  A,
  ADMIN,
  B,
  CliBench,
  changeTo,
  cliFleet,
  replicate,
  runProgram,
  writeCliConfig,
} from '../support/cloudhsm-cli.js'

let bench: CliBench
let firsts: string[]
beforeAll(async () => {
  const sim = await startSimulator(
    cliFleet({}, [{ type: 'CU', name: 'with_key', password: 'TEST-key-1', mofnPubKey: true }]),
  )
  bench = new CliBench(sim, await writeCliConfig(sim, [A, B], 1))
  firsts = (await sim.state()).hsms.map(({ hsmId }) => hsmId)
})
afterAll(() => bench.stop())

// Each test begins with the password that it expects.
let password = 0
let now = ''
beforeEach(async () => {
  password += 1
  now = `TEST-now-${password}`
  for (const cluster of [A, B]) await bench.run(changeTo(now).replace(A, cluster))
})

const list = async (cluster = A) => {
  const { answer } = await bench.run(`user list --cluster-id ${cluster}`, {})
  return (answer?.data as { users: Record<string, unknown>[] }).users
}

describe('reading', () => {
  test('user list shows one row per user for the whole cluster, without a login', async () => {
    const { answer, code, stdout } = await bench.run(`user list --cluster-id ${A}`, {})
    expect(code).toBe(0)
    expect(stdout).toMatch(/^\{\n {2}"error_code": 0,\n {2}"data": \{\n/)
    const row = { locked: 'false', mfa: [], quorum: [], 'cluster-coverage': 'full' }
    expect(answer?.data).toEqual({
      users: [
        { username: 'admin', role: 'admin', ...row },
        { username: 'app_user', role: 'internal(APPLIANCE_USER)', ...row },
        { username: 'app_crypto', role: 'crypto-user', ...row },
        { username: 'app_batch', role: 'crypto-user', ...row },
        { username: 'with_key', role: 'crypto-user', ...row, quorum: [{ strategy: 'token-sign', status: 'enabled' }] },
      ],
    })
  })

  test('a user that is missing or locked on one HSM is inconsistent', async () => {
    const [hsm = ''] = firsts
    await bench.sim.fault('missing-user', '--hsm', hsm, '--user', 'CU:app_batch')
    await bench.sim.fault('failures', '--hsm', hsm, '--user', 'CU:with_key', '--count', '5')
    const users = await list()
    await bench.sim.fault('missing-user', '--hsm', hsm, '--user', 'CU:app_batch', '--off')
    await bench.sim.fault('failures', '--hsm', hsm, '--user', 'CU:with_key', '--off')
    expect(users.find(({ username }) => username === 'app_batch')).toMatchObject({ 'cluster-coverage': 'inconsistent' })
    expect(users.find(({ username }) => username === 'with_key')).toMatchObject({ locked: 'inconsistent' })
  })

  test('cluster hsm-info finds every HSM of the cluster by the one in the file', async () => {
    const { answer } = await bench.run(`cluster hsm-info --cluster-id ${A}`, {})
    const { hsms } = answer?.data as { hsms: object[] }
    expect(hsms).toHaveLength(3)
    expect(hsms[0]).toMatchObject({ 'fips-state': '2 [FIPS mode with single factor authentication]' })
  })

  test('a wrong CLOUDHSM_PIN makes even user list fail', async () => {
    const { answer, code } = await bench.run(`user list --cluster-id ${A}`, {
      ...ADMIN,
      CLOUDHSM_PIN: 'admin:TEST-wrong-1',
    })
    expect([code, answer?.error_code]).toEqual([1, 1])
    const { hsms } = await bench.sim.state()
    expect(hsms.map(({ users }) => users[0]?.failures)).toEqual([1, 1, 1, 0, 0])
  })
})

describe('changing', () => {
  test('a password is changed on every HSM of the cluster and on no other', async () => {
    const { answer, code } = await bench.run(changeTo('TEST-new-12'))
    expect([code, answer]).toEqual([0, { error_code: 0, data: { username: 'app_crypto', role: 'crypto-user' } }])
    expect(await bench.holding('CU:app_crypto', 'TEST-new-12')).toEqual([true, true, true, false, false])
  })

  test('a user changes its own password, nobody else’s', async () => {
    const own = { CLOUDHSM_ROLE: 'crypto-user', CLOUDHSM_PIN: `app_crypto:${now}` }
    expect((await bench.run(changeTo('TEST-other-1', 'app_batch'), own)).answer?.error_code).toBe(1)
    expect((await bench.run(changeTo('TEST-own-12'), own)).answer?.error_code).toBe(0)
    expect(await bench.holding('CU:app_batch', 'TEST-other-1')).not.toContain(true)
  })

  test('the wrong role, a short password and a colon are refused', async () => {
    const unknown = { error_code: 1, data: 'Specified user does not exist' }
    expect((await bench.run(changeTo('TEST-new-12', 'app_crypto', 'admin'))).answer).toEqual(unknown)
    for (const bad of ['TEST-12', 'TEST:with-colon'])
      expect((await bench.run(changeTo(bad))).answer?.error_code).toBe(1)
    expect(await bench.holding('CU:app_crypto', now)).toEqual([true, true, true, true, true])
  })

  test('a user that is logged in elsewhere is refused', async () => {
    await bench.sim.fault('logged-in', '--user', 'CU:app_crypto')
    const { answer } = await bench.run(changeTo('TEST-new-12'))
    await bench.sim.fault('logged-in', '--user', 'CU:app_crypto', '--off')
    expect(answer).toMatchObject({ error_code: 1, data: expect.stringContaining('logged in User is denied') })
    expect(await bench.holding('CU:app_crypto', now)).toEqual([true, true, true, true, true])
  })

  test('what fails on one of three HSMs is a failure that leaves the others changed', async () => {
    await bench.sim.fault('partial', '--cluster', A, '--operation', 'change', '--count', '1')
    const { answer, code } = await bench.run(changeTo('TEST-new-12'))
    await bench.sim.fault('partial', '--cluster', A, '--operation', 'change', '--count', '1', '--off')
    expect([code, answer?.error_code]).toEqual([1, 1])
    expect(answer?.data).toBe('User change password failed on 1 of 3 connections')
    expect(await bench.holding('CU:app_crypto', 'TEST-new-12')).toEqual([false, true, true, false, false])
  })

  test('user create says that a user exists, but completes one that only some HSMs have', async () => {
    const create = `user create --username carol --role crypto-user --password TEST-carol-1 --cluster-id ${A}`
    await bench.sim.fault('partial', '--cluster', A, '--operation', 'create', '--count', '2', '--nth', '1')
    expect((await bench.run(create)).answer).toEqual({
      error_code: 1,
      data: 'User create failed on 2 of 3 connections',
    })
    expect((await bench.run(create)).answer).toEqual({
      error_code: 0,
      data: { username: 'carol', role: 'crypto-user' },
    })
    expect((await bench.run(create)).answer).toEqual({ error_code: 1, data: 'User already exists' })
    const gone = await bench.run(`user delete --username carol --role crypto-user --cluster-id ${A}`)
    expect(gone.answer?.error_code).toBe(0)
    expect((await list()).map(({ username }) => username)).not.toContain('carol')
  })
})

describe('user replicate', () => {
  const failedOn = (failures: number, connections: number) => ({
    error_code: 1,
    data: `User replicate failed on ${failures} of ${connections} connections`,
  })

  test('carries the password to every HSM of the clone', async () => {
    await bench.run(changeTo('TEST-new-12'))
    const { answer } = await bench.run(replicate())
    expect(answer).toMatchObject({ error_code: 0, data: { message: 'Successfully replicated user' } })
    expect((answer?.data as { user: unknown }).user).toMatchObject({
      username: 'app_crypto',
      'cluster-coverage': 'full',
    })
    expect(await bench.holding('CU:app_crypto', 'TEST-new-12')).toEqual([true, true, true, true, true])
  })

  test('creates a user that the destination does not have, with the credentials of the source', async () => {
    await bench.run(`user create --username dave --role crypto-user --password TEST-dave-12 --cluster-id ${A}`)
    expect((await bench.run(replicate('dave'))).answer?.error_code).toBe(0)
    expect(await bench.holding('CU:dave', 'TEST-dave-12')).toEqual([true, true, true, true, true])
    for (const id of [A, B]) await bench.run(`user delete --username dave --role crypto-user --cluster-id ${id}`)
  })

  test('refuses where an attribute differs, where the source is inconsistent, and what it does not know', async () => {
    const [hsm = '', , , there = ''] = firsts
    await bench.sim.fault('failures', '--hsm', there, '--user', 'CU:app_crypto', '--count', '5')
    expect((await bench.run(replicate())).answer).toEqual(failedOn(1, 2))
    await bench.sim.fault('failures', '--hsm', there, '--user', 'CU:app_crypto', '--off')
    await bench.sim.fault('missing-user', '--hsm', hsm, '--user', 'CU:app_batch')
    const inconsistent = { error_code: 1, data: 'Specified user is inconsistent across the cluster' }
    expect((await bench.run(replicate('app_batch'))).answer).toEqual(inconsistent)
    await bench.sim.fault('missing-user', '--hsm', hsm, '--user', 'CU:app_batch', '--off')
    expect((await bench.run(replicate('nobody'))).answer?.data).toBe('Specified user does not exist')
  })

  test('fails on all connections of a cluster that is no clone', async () => {
    for (const id of firsts.slice(3)) await bench.sim.fault('wrong-masking-key', '--hsm', id)
    const { answer } = await bench.run(replicate())
    for (const id of firsts.slice(3)) await bench.sim.fault('wrong-masking-key', '--hsm', id, '--off')
    expect(answer).toEqual(failedOn(2, 2))
  })

  test('a quorum at the destination and a missing login there refuse it', async () => {
    for (const id of firsts.slice(3)) await bench.sim.fault('quorum', '--hsm', id)
    expect((await bench.run(replicate())).answer?.data).toBe('Quorum approval is required for this operation')
    const values = await bench.run(`quorum token-sign list-quorum-values --cluster-id ${B}`, {})
    for (const id of firsts.slice(3)) await bench.sim.fault('quorum', '--hsm', id, '--off')
    expect(values.answer?.data).toMatchObject({ user: 2 })
    const { CLOUDHSM_PIN, CLOUDHSM_ROLE } = ADMIN
    expect((await bench.run(replicate(), { CLOUDHSM_PIN, CLOUDHSM_ROLE })).answer?.error_code).toBe(1)
  })
})

describe('circumstances', () => {
  test('in limited-write mode users cannot be changed and AWS reports the migration', async () => {
    await bench.sim.fault('limited-write', '--cluster', A)
    const refused = [
      await bench.run(changeTo('TEST-new-12')),
      await bench.run(replicate('app_crypto', 'crypto-user', B, A)),
    ]
    await bench.sim.fault('limited-write', '--cluster', A, '--off')
    expect(refused.map(({ code }) => code)).toEqual([1, 1])
    expect(await bench.holding('CU:app_crypto', now)).toEqual([true, true, true, true, true])
  })

  test('several clusters and no --cluster-id, or an unknown one, are told without JSON', async () => {
    const none = await bench.run('user list', {})
    expect(none).toMatchObject({ code: 1, stdout: '', stderr: expect.stringContaining('Please specify `cluster-id`') })
    expect(await bench.run('user list --cluster-id cluster-zzzzzzzzzzz', {})).toMatchObject({ code: 1, stdout: '' })
  })

  test('a package that nobody configured says so; the environment moves the file', async () => {
    const { cloudhsmCli, env } = bench.sim.ready
    const plain = await runProgram(cloudhsmCli, ['user', 'list'], env)
    expect(plain).toMatchObject({ code: 1, stdout: '', stderr: 'Error: "Config key hostname has invalid value"\n' })
    const moved = { LOCKSTEP_SIM_CLOUDHSM_CLI_CONFIG: bench.config }
    expect((await runProgram(cloudhsmCli, ['user', 'list', '--cluster-id', A], moved)).answer?.error_code).toBe(0)
  })

  test.each([
    ['user lst', "error: unrecognized subcommand 'lst'"],
    ['user list --frobnicate', "error: unexpected argument '--frobnicate' found"],
    ['login --username admin --role officer', "invalid value 'officer' for '--role <ROLE>'"],
    ['login --username admin', '--role <ROLE>'],
  ])('"%s" is a mistake in the command line', async (line, text) => {
    expect(await bench.run(line)).toMatchObject({ code: 2, stdout: '', stderr: expect.stringContaining(text) })
  })
})
