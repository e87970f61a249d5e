import { X509Certificate } from 'node:crypto'
import { readdirSync } from 'node:fs'
import { dirname } from 'node:path'
import { describe, expect, test } from '@jest/globals'
import type { Fleet, FleetCluster } from '../../../src/simulator/fleet/fleet.js'
import { parseFleet, readFleet } from '../../../src/simulator/fleet/read-fleet.js'
import { fleetFixture } from '../../helpers/simulator.js'

const problem = (fleet: object | string): string => {
  try {
    parseFleet(typeof fleet === 'string' ? fleet : JSON.stringify(fleet))
  } catch (error) {
    return `${(error as Error).name}: ${(error as Error).message}`
  }
  return 'accepted'
}

const cluster = { clusterId: 'cluster-aaaaaaaaaaa', region: 'us-east-1', hsms: 1 }
const family = {
  name: 'payments',
  users: [{ type: 'CO', name: 'admin', password: 'TEST-officer-1' }],
  clusters: [cluster],
}
const withCluster = (change: object): object => ({
  version: 1,
  families: [{ ...family, clusters: [{ ...cluster, ...change }] }],
})
const withUser = (user: object): object => ({ version: 1, families: [{ ...family, users: [user] }] })

describe('a malformed fleet file names the place', () => {
  test.each<[string, object | string, string]>([
    ['no YAML', 'families: [', 'FleetError: not YAML or JSON: '],
    ['another version', { version: 2, families: [family] }, 'FleetError: version: must be 1'],
    [
      'an unknown key',
      { version: 1, families: [family], latency: 5 },
      'FleetError: unknown key "latency"; known are version, families',
    ],
    [
      'an unknown switch',
      { version: 1, families: [family], behaviour: { sync: 'no' } },
      'FleetError: behaviour: unknown key "sync"; known are syncUserExisting',
    ],
    [
      'a bad switch',
      { version: 1, families: [family], behaviour: { syncUserMatches: 'x' } },
      'FleetError: behaviour.syncUserMatches: ',
    ],
    [
      'a bad cluster ID',
      withCluster({ clusterId: 'cluster-0' }),
      'FleetError: families[0].clusters[0].clusterId: must be "cluster-" and 11 to 16',
    ],
    [
      'a bad Region',
      withCluster({ region: 'europe' }),
      'FleetError: families[0].clusters[0].region: must be a Region name',
    ],
    [
      'too many HSMs',
      withCluster({ hsms: 29 }),
      'FleetError: families[0].clusters[0].hsms: Too big: expected number to be <=28',
    ],
    [
      'an address outside loopback',
      withCluster({ hsms: [{ eniIp: '10.0.0.1' }] }),
      'FleetError: families[0].clusters[0].hsms[0].eniIp: must be an address of the 127/8 block',
    ],
    ['no count', withCluster({ hsms: 'many' }), 'FleetError: families[0].clusters[0].hsms: must be a number from 0'],
    [
      'an unknown key of an HSM',
      withCluster({ hsms: [{ address: 'x' }] }),
      'FleetError: families[0].clusters[0].hsms[0]: unknown key "address"; known are hsmId, eniIp, state, users',
    ],
    [
      'no such source',
      withCluster({ clonedFrom: 'cluster-bbbbbbbbbbb' }),
      'FleetError: families[0].clusters[0].clonedFrom: no cluster cluster-bbbbbbbbbbb in this fleet',
    ],
    [
      'a clone of itself',
      withCluster({ clonedFrom: 'cluster-aaaaaaaaaaa' }),
      'FleetError: families[0].clusters[0].clonedFrom: leads back to the cluster itself',
    ],
    [
      'a user without a password',
      withUser({ type: 'CU', name: 'x' }),
      'FleetError: families[0].users[0]: needs a password',
    ],
    [
      'a short password',
      withUser({ type: 'CU', name: 'x', password: 'TEST' }),
      'FleetError: families[0].users[0].password: ',
    ],
    [
      'a user twice',
      { version: 1, families: [{ ...family, users: [...family.users, ...family.users] }] },
      'FleetError: families[0].users[1]: CO:admin is listed twice',
    ],
    [
      'an ID twice',
      {
        version: 1,
        families: [
          {
            ...family,
            users: [
              ...family.users,
              { type: 'CU', name: 'x', password: 'TEST-x-1', id: 1 },
              { type: 'CU', name: 'y', password: 'TEST-y-1', id: 1 },
            ],
          },
        ],
      },
      'FleetError: families[0].users[2]: another user has ID 1 already',
    ],
    [
      'a cluster twice',
      { version: 1, families: [{ ...family, clusters: [cluster, cluster] }] },
      'FleetError: families[0].clusters[1]: cluster-aaaaaaaaaaa is listed twice',
    ],
    [
      'a family twice',
      { version: 1, families: [family, family] },
      'FleetError: families[1].name: "payments" is used twice',
    ],
    [
      'an HSM twice',
      withCluster({ hsms: [{ hsmId: 'hsm-aaaaaaaaaaa' }, { hsmId: 'hsm-aaaaaaaaaaa' }] }),
      'FleetError: families: hsm-aaaaaaaaaaa is given to two HSMs',
    ],
  ])('%s', (_, fleet, message) => {
    expect(problem(fleet)).toMatch(new RegExp(`^${message.replace(/[[\]().]/g, '\\$&')}`))
  })

  test('a clone of a cluster of another family', () => {
    const clone = { clusterId: 'cluster-ccccccccccc', region: 'eu-west-1', hsms: 1, clonedFrom: 'cluster-aaaaaaaaaaa' }
    expect(problem({ version: 1, families: [family, { ...family, name: 'ledger', clusters: [clone] }] })).toBe(
      'FleetError: families[1].clusters[0].clonedFrom: cluster-aaaaaaaaaaa belongs to family "payments", a clone to its source\'s family',
    )
  })

  test('a missing file is named', () => {
    expect(() => readFleet('/nonexistent/fleet.yaml')).toThrow('cannot read fleet file /nonexistent/fleet.yaml: ENOENT')
  })
})

const clusterOf = (fleet: Fleet, clusterId: string): FleetCluster => {
  const found = fleet.clusters.find((entry) => entry.clusterId === clusterId)
  if (!found) throw new Error(`no ${clusterId}`)
  return found
}

describe('a fleet', () => {
  const fleet = readFleet(fleetFixture('two-regions.yaml'))
  const [source, clone] = [clusterOf(fleet, 'cluster-aaaaaaaaaaa'), clusterOf(fleet, 'cluster-bbbbbbbbbbb')]

  test('reads the same every time, with IDs the API could have given', () => {
    expect(readFleet(fleetFixture('two-regions.yaml'))).toEqual(fleet)
    for (const { hsmId } of source.hsms) expect(hsmId).toMatch(/^hsm-[2-7a-z]{11}$/)
    expect(new Set([...source.hsms, ...clone.hsms].map(({ hsmId }) => hsmId)).size).toBe(5)
  })

  test('numbers users alike on every HSM, the service user second', () => {
    for (const { users } of [...source.hsms, ...clone.hsms]) {
      expect(users.map(({ id, name, type }) => `${id} ${type}:${name}`)).toEqual([
        '1 CO:admin',
        '2 AU:app_user',
        '3 CO:second_officer',
        '4 CU:app_crypto',
        '5 CU:app_batch',
      ])
    }
  })

  test('traces a clone to its source by a backup and its copy', () => {
    const copy = fleet.backups.find(({ backupId }) => backupId === clone.sourceBackupId)
    expect(copy).toMatchObject({ region: 'eu-west-1', clusterId: source.clusterId, copy: { region: 'us-east-1' } })
    const original = fleet.backups.find(({ backupId }) => backupId === copy?.copy?.backupId)
    expect(original).toMatchObject({ region: 'us-east-1', clusterId: source.clusterId, copy: null })
    expect(original?.createdAt).toBe(copy?.createdAt)
    expect(source.sourceBackupId).toBeNull()
  })

  test('shows one certificate per family, a real one', () => {
    const certificate = new X509Certificate(source.certificate ?? '')
    expect(certificate.subject).toBe('CN=payments cluster')
    expect(certificate.verify(certificate.publicKey)).toBe(true)
    expect(clone.certificate).toBe(source.certificate)
    const unrelated = readFleet(fleetFixture('unrelated.yaml'))
    const fingerprints = unrelated.clusters.map(({ certificate: pem }) => new X509Certificate(pem ?? '').fingerprint256)
    expect(new Set(fingerprints).size).toBe(2)
  })

  test('lets single HSMs differ', () => {
    const drifted = readFleet(fleetFixture('drifted.yaml'))
    const [without, other] = clusterOf(drifted, 'cluster-bbbbbbbbbbb').hsms
    expect(without?.users.map(({ name }) => name)).toEqual(['admin', 'app_user', 'app_crypto'])
    expect(other?.users.map(({ id, name }) => [id, name])).toEqual([
      [1, 'admin'],
      [2, 'app_user'],
      [3, 'app_crypto'],
      [9, 'app_batch'],
    ])
    const lost = clusterOf(drifted, 'cluster-ddddddddddd').sourceBackupId
    expect(lost).toMatch(/^backup-[2-7a-z]{11}$/)
    expect(drifted.backups.some(({ backupId }) => backupId === lost)).toBe(false)
  })

  test.each(readdirSync(dirname(fleetFixture('x'))))('%s is good', (name) => {
    expect(readFleet(fleetFixture(name)).clusters.length).toBeGreaterThan(0)
  })
})
