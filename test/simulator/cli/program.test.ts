import { spawn } from 'node:child_process'
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { FAULTS } from '../../../src/simulator/faults/catalogue.js'
import { fleetFixture, type RunningFleet, startSimulator } from '../../helpers/simulator.js'

const PROGRAM = fileURLToPath(new URL('../../../../bin/lockstep-sim.js', import.meta.url))

interface Ended {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

const run = (args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<Ended> =>
  new Promise((resolve) => {
    const child = spawn(process.execPath, [PROGRAM, ...args], { env, stdio: ['ignore', 'pipe', 'pipe'] })
    let [stdout, stderr] = ['', '']
    child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
      stdout += chunk
    })
    child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
      stderr += chunk
    })
    child.on('close', (code) => resolve({ code, stdout, stderr }))
  })

let sim: RunningFleet
let home: string
beforeAll(async () => {
  sim = await startSimulator(fleetFixture('two-regions.yaml'))
  home = await mkdtemp(join(tmpdir(), 'lockstep-sim-test-'))
})
afterAll(async () => {
  await sim.stop()
  await rm(home, { recursive: true, force: true })
})

describe('start', () => {
  test('prints one line with all that clients need', () => {
    expect(sim.ready).toEqual({
      ready: true,
      endpoint: expect.stringMatching(/^http:\/\/127\.\d+\.\d+\.1:\d+$/),
      managementUtility: join(sim.dir, 'cloudhsm_mgmt_util'),
      cloudhsmCli: join(sim.dir, 'cloudhsm-cli'),
      configureCli: join(sim.dir, 'configure-cli'),
      control: join(sim.dir, 'control.json'),
      env: {
        AWS_ENDPOINT_URL: sim.ready.endpoint,
        AWS_ACCESS_KEY_ID: expect.stringMatching(/^AKIA[A-Z2-7]{16}$/),
        AWS_SECRET_ACCESS_KEY: expect.any(String),
        AWS_REGION: 'us-east-1',
        AWS_EC2_METADATA_DISABLED: 'true',
        LOCKSTEP_CMU: sim.ready.managementUtility,
        LOCKSTEP_CLOUDHSM_CLI: sim.ready.cloudhsmCli,
        LOCKSTEP_SIM_CLOUDHSM_CLI_CONFIG: join(sim.dir, 'cloudhsm-cli.cfg'),
      },
    })
  })

  test('two of one fleet run side by side, alike but for their addresses', async () => {
    const other = await startSimulator(fleetFixture('two-regions.yaml'))
    const [mine, theirs] = [await sim.state(), await other.state()]
    expect(theirs.hsms.map(({ hsmId }) => hsmId)).toEqual(mine.hsms.map(({ hsmId }) => hsmId))
    const addresses = [...mine.hsms, ...theirs.hsms].map(({ eniIp }) => eniIp)
    expect(new Set(addresses).size).toBe(addresses.length)
    await other.fault('failures', '--user', 'CU:app_crypto', '--count', '3')
    expect(await sim.state()).toEqual(mine)
    await other.stop()
  })

  test('refuses a folder where another one lives', async () => {
    const { code, stderr } = await run(['start', '--fleet', fleetFixture('two-hsms.yaml'), '--dir', sim.dir])
    expect(code).toBe(3)
    expect(stderr).toBe(
      `Error: another simulator runs in ${sim.dir}\nCode: ALREADY_RUNNING\nTry this:\n  * give another folder with --dir\n`,
    )
    expect((await sim.state()).hsms).toHaveLength(5)
  })

  test('names the place where a fleet file is wrong', async () => {
    const fleet = join(home, 'bad.yaml')
    await writeFile(fleet, 'version: 1\nfamilies:\n  - name: x\n    clusters:\n      - {region: us-east-1, hsm: 3}\n')
    const { code, stdout } = await run(['start', '--fleet', fleet, '--dir', join(home, 'bad'), '--json'])
    expect(code).toBe(2)
    expect(JSON.parse(stdout)).toEqual({
      error: {
        code: 'FLEET_INVALID',
        message: expect.stringContaining(`${fleet}: families[0].clusters[0]`),
        suggestions: [],
      },
    })
  })

  test('refuses an address that is taken', async () => {
    const [hsm] = (await sim.state()).hsms
    const fleet = join(home, 'taken.json')
    const clusters = [{ clusterId: 'cluster-aaaaaaaaaaa', region: 'us-east-1', hsms: [{ eniIp: hsm?.eniIp }] }]
    await writeFile(fleet, JSON.stringify({ version: 1, families: [{ name: 'x', clusters }] }))
    const { code, stderr } = await run(['start', '--fleet', fleet, '--dir', join(home, 'taken')])
    expect(code).toBe(3)
    expect(stderr).toContain('Code: ADDRESS_IN_USE\n')
  })

  test.each(['SIGTERM', 'SIGINT', 'SIGHUP'] as const)('ends at %s and leaves nothing in its folder', async (signal) => {
    const dir = join(home, signal)
    const child = spawn(process.execPath, [PROGRAM, 'start', '--fleet', fleetFixture('two-hsms.yaml'), '--dir', dir], {
      stdio: ['pipe', 'pipe', 'inherit'],
    })
    await new Promise((resolve) => child.stdout.once('data', resolve))
    expect((await readdir(dir)).length).toBeGreaterThan(0)
    const ended = new Promise((resolve) => child.once('exit', (code) => resolve(code)))
    child.kill(signal)
    expect(await ended).toBe(0)
    expect(await readdir(dir)).toEqual([])
  })

  test('with --ends-with-stdin ends when who started it is gone', async () => {
    const args = ['start', '--fleet', fleetFixture('two-hsms.yaml'), '--dir', join(home, 'stdin'), '--ends-with-stdin']
    const child = spawn(process.execPath, [PROGRAM, ...args], { stdio: ['pipe', 'pipe', 'inherit'] })
    await new Promise((resolve) => child.stdout.once('data', resolve))
    const ended = new Promise((resolve) => child.once('exit', (code) => resolve(code)))
    child.stdin.end()
    expect(await ended).toBe(0)
  })
})

describe('state and check', () => {
  test('state --json is the truth, and the same as long as nothing changes', async () => {
    const [first, second] = [
      await run(['state', '--dir', sim.dir, '--json']),
      await run(['state', '--dir', sim.dir, '--json']),
    ]
    expect(first).toEqual(second)
    expect(first.code).toBe(0)
    expect(JSON.parse(first.stdout)).toEqual(await sim.state())
    expect(JSON.parse(first.stdout).hsms[0]).toEqual({
      hsmId: expect.any(String),
      clusterId: 'cluster-aaaaaaaaaaa',
      region: 'us-east-1',
      eniIp: expect.any(String),
      users: expect.arrayContaining([
        { id: 4, type: 'CU', name: 'app_crypto', failures: 0, locked: false, sessions: 0 },
      ]),
    })
  })

  test('check ends with 0 when every HSM holds the password and with 6 otherwise', async () => {
    const check = (user: string, value: string) =>
      run(['check', '--dir', sim.dir, '--user', user, '--password', 'env:VALUE', '--json'], { VALUE: value })
    const right = await check('CU:app_crypto', 'TEST-old-1')
    expect(right.code).toBe(0)
    expect(JSON.parse(right.stdout).hsms.map(({ match }: { match: boolean }) => match)).toEqual(Array(5).fill(true))
    const wrong = await check('CU:app_crypto', 'TEST-wrong-1')
    expect([wrong.code, JSON.parse(wrong.stdout).hsms[0].match]).toEqual([6, false])
    const nobody = await check('CU:nobody', 'TEST-old-1')
    expect([nobody.code, JSON.parse(nobody.stdout).hsms[0].match]).toEqual([6, null])
  })

  test('a literal password is refused and not repeated', async () => {
    const { code, stderr, stdout } = await run([
      'check',
      '--dir',
      sim.dir,
      '--user',
      'CU:x',
      '--password',
      'TEST-literal-1',
    ])
    expect(code).toBe(2)
    expect(stderr).toContain('Error: --password takes no literal value\n')
    expect(stderr + stdout).not.toContain('TEST-literal-1')
  })

  test('people get a table', async () => {
    const { stdout } = await run(['state', '--dir', sim.dir])
    expect(stdout.split('\n')[0]?.split(/\s{2,}/)).toEqual([
      'region',
      'cluster',
      'HSM',
      'address',
      'id',
      'user',
      'failures',
      'sessions',
    ])
    expect(stdout.trim().split('\n')).toHaveLength(1 + 5 * 5)
  })
})

describe('what is typed wrongly', () => {
  test.each<[string, readonly string[], number, string]>([
    ['no such command', ['begin'], 2, 'unknown command "begin"'],
    ['no folder', ['state'], 2, 'missing option --dir'],
    ['nothing there', ['state', '--dir', '/nonexistent'], 3, 'no simulator runs in /nonexistent'],
    ['no such option', ['state', '--folder', 'x'], 2, "Unknown option '--folder'"],
    ['no fault', ['fault', '--dir', 'x'], 2, 'which fault?'],
    ['no such fault', ['fault', '--dir', 'x', 'rain'], 2, 'unknown fault "rain"'],
    [
      'an option the fault does not take',
      ['fault', '--dir', 'x', 'silent', '--ms', '5'],
      2,
      'fault silent takes no --ms',
    ],
    ['an option the fault needs', ['fault', '--dir', 'x', 'slow'], 2, 'fault slow needs --ms'],
    [
      'an HSM for a fault of AWS',
      ['fault', '--dir', 'x', 'throttle', '--hsm', 'hsm-a'],
      2,
      'fault throttle takes no --hsm',
    ],
  ])('%s', async (_, args, code, message) => {
    const ended = await run([...args, '--json'])
    expect(ended.code).toBe(code)
    expect(JSON.parse(ended.stdout)).toEqual({
      error: { code: expect.any(String), message, suggestions: expect.any(Array) },
    })
  })

  test.each<[string, readonly string[], string]>([
    ['an unknown HSM', ['silent', '--hsm', 'hsm-nowhere2222'], 'no HSM hsm-nowhere2222 in this fleet'],
    ['an unknown user', ['logged-in', '--user', 'CU:nobody'], 'none of the HSMs has a user CU:nobody'],
    ['an unknown cluster', ['added', '--cluster', 'cluster-x'], 'no cluster cluster-x in this fleet'],
    ['an unknown operation', ['refuse', '--operation', 'dance'], 'unknown operation "dance"'],
    ['a bad number', ['slow', '--ms', 'long'], '--ms must be a whole number from 0, not "long"'],
    ['a bad user', ['logged-in', '--user', 'joe'], '"joe" is no user'],
  ])('%s is found by the running simulator, and changes nothing', async (_, args, message) => {
    const before = await sim.state()
    await expect(sim.fault(...args)).rejects.toThrow(message)
    expect(await sim.state()).toEqual(before)
  })

  test('--help names every fault', async () => {
    const { code, stdout } = await run(['--help'])
    expect(code).toBe(0)
    const named = stdout.split('\n').map((line) => /^ {2}([a-z-]+)/.exec(line)?.[1])
    expect(named).toEqual(expect.arrayContaining(Object.keys(FAULTS)))
  })
})
