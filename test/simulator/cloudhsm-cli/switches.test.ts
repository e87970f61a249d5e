import { afterEach, describe, expect, test } from '@jest/globals'
import { startSimulator } from '../../helpers/simulator.js'
import {
  A,
  ADMIN,
  B,
  CLI_PROMPT,
  CliBench,
  changeTo,
  cliFleet,
  replicate,
  runProgram,
  writeCliConfig,
} from '../support/cloudhsm-cli.js'
import { TypedSession, writeConfig } from '../support/typed-session.js'

let bench: CliBench | null = null
afterEach(async () => {
  await bench?.stop()
  bench = null
})

const start = async (
  behaviour: object,
  {
    clusters = [A, B],
    listed = 9,
    types,
    more,
  }: { clusters?: string[]; listed?: number; types?: string[]; more?: object[] } = {},
): Promise<CliBench> => {
  const sim = await startSimulator(cliFleet(behaviour, more, types))
  bench = new CliBench(sim, await writeCliConfig(sim, clusters, listed))
  return bench
}

describe('what nobody has published is a switch', () => {
  test.each([
    ['refuse', 1, [true, true, true, false, false]],
    ['ignore', 0, [true, true, true, false, false]],
    ['overwrite', 0, [true, true, true, true, true]],
  ])('userReplicateExisting %s', async (userReplicateExisting, code, holding) => {
    const { holding: held, run } = bound(await start({ userReplicateExisting }))
    await run(changeTo('TEST-new-12'))
    expect((await run(replicate())).answer?.error_code).toBe(code)
    expect(await held('CU:app_crypto', 'TEST-new-12')).toEqual(holding)
  })

  test('cliExitStatus zero hides failures from the exit code', async () => {
    const { run } = bound(await start({ cliExitStatus: 'zero' }))
    const { answer, code } = await run(changeTo('TEST-new-12', 'nobody'))
    expect([code, answer?.error_code]).toEqual([0, 1])
  })

  test('without discovery only the HSMs of the file are seen', async () => {
    const { holding, run } = bound(await start({ cliDiscovery: false }, { listed: 1 }))
    await run(changeTo('TEST-new-12'))
    expect(await holding('CU:app_crypto', 'TEST-new-12')).toEqual([true, false, false, false, false])
    const { answer } = await run(`cluster hsm-info --cluster-id ${A}`)
    expect((answer?.data as { hsms: object[] }).hsms).toHaveLength(1)
  })

  test.each([
    ['skip', { code: 0 }],
    ['fail', { code: 1, stdout: '', stderr: 'Error: "Failed to initialize hsm1 context"\n' }],
  ])('cliUnreachable %s', async (cliUnreachable, expected) => {
    const { sim, run } = bound(await start({ cliUnreachable }))
    const [hsm] = (await sim.state()).hsms
    await sim.fault('unreachable', '--hsm', hsm?.hsmId ?? '')
    expect(await run(`user list --cluster-id ${A}`, {})).toMatchObject(expected)
  })

  test.each([
    ['failure', 1],
    ['success', 0],
  ])('cliLoginRefusedByOne %s', async (cliLoginRefusedByOne, code) => {
    const { sim, run } = bound(await start({ cliLoginRefusedByOne }))
    const [hsm] = (await sim.state()).hsms
    await sim.fault('refuse-login', '--hsm', hsm?.hsmId ?? '')
    const line = `login --username admin --role admin --password TEST-officer-1 --cluster-id ${A}`
    expect((await run(line, {})).code).toBe(code)
  })

  test.each([
    ['left-out', 2],
    ['listed', 3],
  ])('cliLostInHsmInfo %s', async (cliLostInHsmInfo, shown) => {
    const { sim, open } = bound(await start({ cliLostInHsmInfo }))
    const [lost] = (await sim.state()).hsms
    await sim.fault('drop', '--operation', 'login', '--hsm', lost?.hsmId ?? '')
    const session = await open('--cluster-id', A)
    await session.run('login --username admin --role admin', /Enter password:$/)
    await session.run('TEST-officer-1', CLI_PROMPT)
    const info = await session.run('cluster hsm-info', CLI_PROMPT)
    expect(info.match(/"serial-number"/g)).toHaveLength(shown)
  })

  test('cliReadingLogsIn false leaves a wrong PIN unused by user list', async () => {
    const { run } = bound(await start({ cliReadingLogsIn: false }))
    expect((await run(`user list --cluster-id ${A}`, { ...ADMIN, CLOUDHSM_PIN: 'admin:TEST-wrong-1' })).code).toBe(0)
  })

  test.each([
    [true, 1],
    [false, 0],
  ])('quorumGatesOwnPassword %s', async (quorumGatesOwnPassword, code) => {
    const { sim, run } = bound(await start({ quorumGatesOwnPassword }))
    await sim.fault('quorum')
    const own = { CLOUDHSM_ROLE: 'crypto-user', CLOUDHSM_PIN: 'app_crypto:TEST-old-1' }
    expect((await run(changeTo('TEST-own-12'), own)).code).toBe(code)
    expect((await run(changeTo('TEST-own-12'))).answer?.data).toBe('Quorum approval is required for this operation')
  })

  test.each([
    'stdout',
    'stderr',
  ] as const)('cliPromptStream %s also asks without a terminal', async (cliPromptStream) => {
    const { config, sim } = await start({ cliPromptStream })
    const args = ['login', '--username', 'admin', '--role', 'admin', '--cluster-id', A, '--config', config]
    const ran = await runProgram(sim.ready.cloudhsmCli, args, {}, 'TEST-officer-1\n')
    expect(ran.code).toBe(0)
    expect(ran[cliPromptStream]).toMatch(/^Enter password:\n/)
  })

  test('cliConfigOption false knows no --config', async () => {
    const { run } = bound(await start({ cliConfigOption: false }))
    expect(await run('user list')).toMatchObject({ code: 2, stderr: expect.stringContaining("'--config'") })
  })

  test('an HSM that is silent fails after cliTimeoutMs', async () => {
    const { sim, run } = bound(await start({ cliTimeoutMs: 300 }))
    const [hsm] = (await sim.state()).hsms
    await sim.fault('die-after', '--hsm', hsm?.hsmId ?? '', '--operation', 'change')
    expect((await run(changeTo('TEST-new-12'))).answer?.data).toMatch(/failed on 1 of 3 connections$/)
  })

  test('before 5.15 there is no user replicate, before 5.12 no second cluster', async () => {
    const older = bound(await start({ cliVersion: '5.14.0' }))
    expect(await older.run('--version')).toMatchObject({ code: 0, stdout: expect.stringContaining('5.14.0') })
    expect(await older.run(replicate())).toMatchObject({
      code: 2,
      stderr: expect.stringContaining("error: unrecognized subcommand 'replicate'"),
    })
    await bench?.stop()
    const oldest = bound(await start({ cliVersion: '5.11.0' }))
    expect(await oldest.run('user list')).toMatchObject({ code: 1, stdout: '' })
    expect(await oldest.run(`user list --cluster-id ${A}`)).toMatchObject({ code: 2 })
  })
})

describe('kinds of HSMs and users', () => {
  test('an HSM that joins comes with the passwords from before, and no listing shows it', async () => {
    const { holding, run, sim } = bound(await start({}))
    await sim.fault('joining', '--cluster', B)
    const info = await run(`cluster hsm-info --cluster-id ${B}`, {})
    expect((info.answer?.data as { hsms: object[] }).hsms).toHaveLength(2)
    expect((await run(changeTo('TEST-joined-1').replace(A, B))).code).toBe(0)
    await sim.fault('joining', '--cluster', B, '--off')
    expect(await holding('CU:app_crypto', 'TEST-joined-1')).toEqual([false, false, false, true, true, false])
    const { users } = (await run(`user list --cluster-id ${B}`, {})).answer?.data as {
      users: Record<string, unknown>[]
    }
    expect(users.map((user) => user['cluster-coverage'])).toEqual(['full', 'full', 'full', 'full'])
  })

  test('an hsm1.medium takes users from its kind alone, an hsm2m.medium from both', async () => {
    const { run } = bound(await start({}, { types: ['hsm1.medium', 'hsm2m.medium'] }))
    expect((await run(replicate('app_crypto', 'crypto-user', A, B))).answer?.error_code).toBe(0)
    const back = await run(replicate('app_crypto', 'crypto-user', B, A))
    expect(back.answer).toEqual({ error_code: 1, data: 'User replicate failed on 3 of 3 connections' })
  })

  test('the older utility gets no connection to an hsm2m.medium, on its own port or the other', async () => {
    const { sim } = await start({})
    const [hsm] = (await sim.state()).hsms
    for (const port of [2225, 2223]) {
      const config = await writeConfig(sim.dir, [hsm?.eniIp ?? ''], (entry) => ({ ...entry, port }))
      const session = new TypedSession(sim.ready.managementUtility, [config])
      expect(await session.ended).toBe(1)
      expect(session.transcript).toMatch(/failed:Connection re/)
    }
  })

  test('a user with a second factor is shown and cannot log in with its password alone', async () => {
    const mfa = { type: 'CU', name: 'with_factor', password: 'TEST-factor-1', twoFactor: true }
    const { sim, run } = bound(await start({}, { more: [mfa] }))
    const own = { CLOUDHSM_ROLE: 'crypto-user', CLOUDHSM_PIN: 'with_factor:TEST-factor-1' }
    expect((await run(changeTo('TEST-own-12', 'with_factor'), own)).answer?.error_code).toBe(1)
    const users = (await sim.state()).hsms.flatMap((hsm) => hsm.users.filter(({ name }) => name === 'with_factor'))
    expect(users.map(({ failures }) => failures)).toEqual([0, 0, 0, 0, 0])
    const { answer } = await run(`user list --cluster-id ${A}`, {})
    expect(JSON.stringify(answer)).toContain('"mfa":[{"strategy":"token-sign","status":"enabled"}]')
  })
})

const bound = (running: CliBench) => ({
  sim: running.sim,
  run: running.run.bind(running),
  open: running.open.bind(running),
  holding: running.holding.bind(running),
})
