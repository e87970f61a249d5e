import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals'
import { fleetFixture, type RunningFleet, startSimulator } from '../../helpers/simulator.js'
import { A, B, type Ran, runProgram } from '../support/cloudhsm-cli.js'

let sim: RunningFleet
let config: string
beforeAll(async () => {
  sim = await startSimulator(fleetFixture('hsm2m.yaml'))
})
afterAll(() => sim.stop())
let files = 0
beforeEach(() => {
  files += 1
  config = join(sim.dir, `configured-${files}.cfg`)
})

const environment = (): Record<string, string> => ({ ...sim.env, LOCKSTEP_SIM_CLOUDHSM_CLI_CONFIG: config })
const configure = (line: string, env = environment()): Promise<Ran> =>
  runProgram(sim.ready.configureCli, line.split(' '), env)
const written = async () =>
  JSON.parse(await readFile(config, 'utf8')) as {
    clusters: { type: string; cluster: Record<string, unknown> & { servers: { hostname: string }[] } }[]
    logging: Record<string, string>
  }
const addressesOf = async (id: string): Promise<string[]> =>
  (await sim.state()).hsms.filter(({ clusterId }) => clusterId === id).map(({ eniIp }) => eniIp)

describe('configure-cli', () => {
  test('writes every address of a cluster, and the type hsm1 whatever it is', async () => {
    expect((await configure(`--cluster-id ${A} --hsm-ca-cert /ca.crt --log-level debug`)).code).toBe(0)
    const { clusters, logging } = await written()
    const servers = (await addressesOf(A)).map((hostname) => ({ hostname, port: 2223, enable: true }))
    expect(clusters).toEqual([{ type: 'hsm1', cluster: { cluster_id: A, hsm_ca_file: '/ca.crt', servers } }])
    expect(logging['log_level']).toBe('debug')
  })

  test('a second cluster is added, both are usable, and removed again', async () => {
    await configure(`--cluster-id ${A}`)
    expect(await configure(`add-cluster --cluster-id ${B} --region eu-west-1`)).toMatchObject({ code: 0, stderr: '' })
    for (const [id, count] of [
      [A, 3],
      [B, 2],
    ] as const) {
      const { answer } = await runProgram(
        sim.ready.cloudhsmCli,
        ['cluster', 'hsm-info', '--cluster-id', id],
        environment(),
      )
      expect((answer?.data as { hsms: object[] }).hsms).toHaveLength(count)
    }
    expect((await configure(`--cluster-id ${A}`)).code).toBe(1)
    expect((await written()).clusters).toHaveLength(2)
    expect((await configure(`remove-cluster --cluster-id ${B}`)).code).toBe(0)
    expect((await written()).clusters.map(({ cluster }) => cluster['cluster_id'])).toEqual([A])
  })

  test('-a takes several addresses at once and leaves no cluster ID', async () => {
    await configure(`--cluster-id ${A} --hsm-ca-cert /ca.crt`)
    expect((await configure('-a 127.0.0.8 127.0.0.9 --disable-key-availability-check')).code).toBe(0)
    const [entry] = (await written()).clusters
    expect(entry?.cluster.servers.map(({ hostname }) => hostname)).toEqual(['127.0.0.8', '127.0.0.9'])
    expect(entry?.cluster).not.toHaveProperty('cluster_id')
    expect(entry?.cluster).toMatchObject({ hsm_ca_file: '/ca.crt', options: { disable_key_availability_check: true } })
  })

  test.each([
    ['update -a 127.0.0.8', "error: unrecognized subcommand 'update'"],
    ['-a 127.0.0.8 -a 127.0.0.9', "the argument '-a' cannot be used multiple times"],
    ['--region eu-west-1 -a 127.0.0.8', '--cluster-id'],
    ['--client-cert-hsm-tls-file /x', '--client-key-hsm-tls-file'],
    ['add-cluster', '--cluster-id'],
    ['--log-level loud', "invalid value 'loud'"],
  ])('"%s" is a mistake in the command line', async (line, text) => {
    expect(await configure(line)).toMatchObject({ code: 2, stdout: '', stderr: expect.stringContaining(text) })
  })

  test('the Region comes from the option, the environment, the profile, or is us-east-1', async () => {
    const { AWS_REGION: _, ...env } = environment()
    expect((await configure(`--cluster-id ${A}`, env)).code).toBe(0)
    expect((await configure(`--cluster-id ${B}`, env)).code).toBe(1)
    expect((await configure(`--cluster-id ${B}`, { ...env, AWS_DEFAULT_REGION: 'eu-west-1' })).code).toBe(0)
    const profile = join(sim.dir, 'aws-config')
    await writeFile(profile, '[default]\nregion = eu-west-1\n')
    expect((await configure(`--cluster-id ${B}`, { ...env, AWS_CONFIG_FILE: profile })).code).toBe(0)
  })

  test('without credentials nothing is written', async () => {
    const { AWS_ACCESS_KEY_ID: _, ...env } = environment()
    const { code, stderr } = await configure(`--cluster-id ${A}`, env)
    expect([code, stderr]).toEqual([1, 'Error: "No credentials in the property bag"\n'])
    await expect(written()).rejects.toThrow('ENOENT')
  })
})
