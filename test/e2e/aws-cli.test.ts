import { execFile, spawnSync } from 'node:child_process'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { fleetOf, testFamily } from '../helpers/payments.js'
import { type RunningFleet, startSimulator } from '../helpers/simulator.js'
import { tempFolders } from '../helpers/temp-folder.js'

const installed = spawnSync('aws', ['--version']).status === 0
if (!installed) process.stderr.write('skipped: the aws command line is not installed, so nothing here was checked\n')

const folder = tempFolders()
const run = promisify(execFile)

;(installed ? describe : describe.skip)("AWS's own command line against the simulator", () => {
  const families = ['one', 'two', 'three'].map((name) => testFamily(name))
  let fleet: RunningFleet
  let home: string
  beforeAll(async () => {
    fleet = await startSimulator(fleetOf(families))
    home = await folder()
  })
  afterAll(() => fleet.stop())

  const aws = async (...args: string[]) => {
    const { AWS_ENDPOINT_URL: endpoint = '', ...env } = fleet.env
    const { stdout } = await run('aws', ['cloudhsmv2', ...args, '--endpoint-url', endpoint, '--output', 'json'], {
      env: { PATH: process.env['PATH'], HOME: home, ...env },
    })
    return JSON.parse(stdout)
  }

  test('describe-clusters pages through the clusters of one Region', async () => {
    const [part, whole] = await Promise.all([
      aws('describe-clusters', '--region', 'eu-west-1', '--max-items', '1', '--page-size', '1'),
      aws('describe-clusters', '--region', 'eu-west-1', '--page-size', '1'),
    ])
    expect(part.Clusters).toHaveLength(1)
    expect(part.NextToken).toEqual(expect.any(String))
    expect(whole.Clusters.map(({ ClusterId: id }: { ClusterId: string }) => id).sort()).toEqual(
      families.map(({ destination }) => destination.split('/')[1]).sort(),
    )
    for (const { Hsms: hsms, State: state } of whole.Clusters) {
      expect(state).toBe('ACTIVE')
      expect(hsms[0]).toMatchObject({ State: 'ACTIVE', EniIp: expect.stringMatching(/^127\./) })
    }
  })

  test('describe-backups shows the copy that the clone was made from', async () => {
    const { Clusters: clusters } = await aws('describe-clusters', '--region', 'eu-west-1')
    const { Backups: backups } = await aws('describe-backups', '--region', 'eu-west-1', '--page-size', '1')
    for (const { SourceBackupId: id } of clusters) {
      expect(backups).toContainEqual(expect.objectContaining({ BackupId: id, SourceRegion: 'us-east-1' }))
    }
  })
})
