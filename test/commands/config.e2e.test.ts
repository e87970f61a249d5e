import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { fleetFixture, type RunningFleet, startSimulator } from '../helpers/simulator.js'
import { tempFolders } from '../helpers/temp-folder.js'

const program = join(fileURLToPath(import.meta.url), '../../../../bin/run.js')
const folder = tempFolders()
let fleet: RunningFleet
beforeAll(async () => {
  fleet = await startSimulator(fleetFixture('two-regions.yaml'))
})
afterAll(() => fleet.stop())

/** The program as an operator starts it, against the simulator's AWS. */
const lockstep = async (home: string, ...argv: readonly string[]) =>
  new Promise<{ exitCode: number; stdout: string; stderr: string }>((resolve) => {
    const env = { PATH: process.env['PATH'] ?? '', HOME: home, LOCKSTEP_STATE_DIR: home, ...fleet.env }
    execFile(process.execPath, [program, ...argv], { env }, (error, stdout, stderr) => {
      resolve({ exitCode: typeof error?.code === 'number' ? error.code : error === null ? 0 : -1, stdout, stderr })
    })
  })

test('a configuration generated from AWS is in order, until an HSM is replaced and another added', async () => {
  const home = await folder()
  const out = join(home, 'merged.cfg')
  const generate = [
    ...[
      'config',
      'generate',
      '--source',
      'us-east-1/cluster-aaaaaaaaaaa',
      '--destination',
      'eu-west-1/cluster-bbbbbbbbbbb',
    ],
    ...['--region', 'us-east-1', '--region', 'eu-west-1', '--out', out, '--json'],
  ]
  const generated = await lockstep(home, ...generate)
  expect(generated.exitCode).toBe(0)
  const truth = (await fleet.state()).hsms
  const { servers } = JSON.parse(generated.stdout)
  expect(servers.map(({ hsmId, eniIp }: { hsmId: string; eniIp: string }) => `${hsmId} ${eniIp}`).sort()).toEqual(
    truth.map(({ hsmId, eniIp }) => `${hsmId} ${eniIp}`).sort(),
  )
  expect(await lockstep(home, 'config', 'check', out, '--json')).toMatchObject({ exitCode: 0 })

  const old = servers[4].hsmId
  await fleet.fault('replaced', '--hsm', old, '--aws-too')
  await fleet.fault('added', '--cluster', 'cluster-aaaaaaaaaaa')
  const checked = await lockstep(home, 'config', 'check', out, '--json')
  expect(checked.exitCode).toBe(6)
  expect(JSON.parse(checked.stdout).differences).toMatchObject([
    { field: 'hsmId', expected: null, message: expect.stringContaining('was added to us-east-1/cluster-aaaaaaaaaaa') },
    { hsmId: old, field: 'hsmId', expected: old, message: expect.stringContaining(`${old} was replaced`) },
  ])
  const again = await lockstep(home, ...generate)
  expect([again.exitCode, JSON.parse(again.stdout).servers.length]).toEqual([0, 6])
  expect(await lockstep(home, 'config', 'check', out)).toMatchObject({ exitCode: 0 })
})
