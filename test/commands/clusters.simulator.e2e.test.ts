import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { type RunningFleet, startSimulator } from '../helpers/simulator.js'
import { tempFolders } from '../helpers/temp-folder.js'

const PROGRAM = fileURLToPath(new URL('../../../bin/run.js', import.meta.url))
const A = 'cluster-aaaaaaaaaaa'
const B = 'cluster-bbbbbbbbbbb'
const C = 'cluster-ccccccccccc'
const users = [{ type: 'CO', name: 'admin', password: 'TEST-SECRET-officer' }]
const fleet = {
  version: 1,
  families: [
    {
      name: 'payments',
      users,
      clusters: [
        { clusterId: A, region: 'us-east-1', hsmType: 'hsm1.medium', hsms: 3 },
        { clusterId: B, region: 'eu-west-1', hsmType: 'hsm1.medium', hsms: 2, clonedFrom: A },
      ],
    },
    { name: 'reports', users, clusters: [{ clusterId: C, region: 'eu-west-1', hsmType: 'hsm1.medium', hsms: 1 }] },
  ],
}

describe('against the simulator', () => {
  const makeFolder = tempFolders()
  let simulator: RunningFleet
  let state: string
  beforeAll(async () => {
    state = await makeFolder()
    simulator = await startSimulator(fleet)
  })
  afterAll(() => simulator.stop())

  /** The program, with nothing but what the simulator's ready line gives it. */
  const lockstep = (...argv: string[]) =>
    new Promise<{ exitCode: number; document: Record<string, unknown>; stderr: string }>((resolve) => {
      const env = { PATH: process.env['PATH'] ?? '', HOME: state, LOCKSTEP_STATE_DIR: state, ...simulator.env }
      execFile(process.execPath, [PROGRAM, ...argv, '--json'], { env }, (error, stdout, stderr) => {
        const exitCode = error === null ? 0 : Number(error.code)
        resolve({ exitCode, document: JSON.parse(stdout), stderr })
      })
    })

  test('every Region is asked, and the clusters are those of the fleet with their HSMs', async () => {
    const { exitCode, document, stderr } = await lockstep('clusters', 'list')
    expect([exitCode, stderr, document['problems']]).toEqual([0, '', []])
    expect(document['regions']).toHaveLength(32)
    const truth = (await simulator.state()).hsms.map(({ hsmId, eniIp, clusterId }) => ({ hsmId, eniIp, clusterId }))
    const listed = (document['clusters'] as { clusterId: string; hsms: { hsmId: string; eniIp: string }[] }[]).flatMap(
      ({ clusterId, hsms }) => hsms.map(({ hsmId, eniIp }) => ({ hsmId, eniIp, clusterId })),
    )
    const byId = (a: { hsmId: string }, b: { hsmId: string }): number => (a.hsmId < b.hsmId ? -1 : 1)
    expect(listed.sort(byId)).toEqual(truth.sort(byId))
  })

  test.each([
    [A, B, 'clone', 0],
    [A, C, 'not-a-clone', 6],
  ])('%s and %s: %s', async (one, two, verdict, code) => {
    const { exitCode, document } = await lockstep('clusters', 'verify', one, two)
    expect([exitCode, document['verdict'], document['certainty']]).toEqual([code, verdict, 4])
  })
})
