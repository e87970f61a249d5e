import { describe, expect, test } from '@jest/globals'
import { type CliCluster, type CliServer, mergedCliConfig } from '../../src/domain/cli-config.js'
import { editedProofs } from '../../src/domain/cli-config-difference.js'
import { handEdits } from '../../src/domain/config-difference.js'
import type { Sha256 } from '../../src/domain/ids.js'
import { mappedClusters, type RosterMap } from '../../src/domain/roster-map.js'
import { twoClones } from '../helpers/clusters.js'

const { a, b } = twoClones()
const SHA = '1'.repeat(64) as Sha256
const clusters = { source: a, destinations: [b] }
const { document, roster } = mergedCliConfig(clusters, undefined, { common: null, byCluster: new Map() })
const map: RosterMap = {
  generatedAt: '2026-03-01T03:15:00.000Z',
  utility: 'cloudhsm-cli',
  sha256: SHA,
  clusters: mappedClusters(clusters),
  servers: roster,
  proofConfigs: roster.map(({ hsmId }) => ({ hsmId, sha256: SHA })),
}
const [first, second] = document.clusters as readonly [CliCluster, CliCluster]
const withServers = (servers: readonly CliServer[]): CliCluster => ({
  ...first,
  cluster: { ...first.cluster, servers },
})
const [one, two, three] = first.cluster.servers as readonly [CliServer, CliServer, CliServer]
const stranger = { hostname: '10.9.9.9', port: 2223 }

const editsOf = (...edited: readonly CliCluster[]) =>
  handEdits({ utility: 'cloudhsm-cli', document: { ...document, clusters: edited } }, map).map(
    ({ hsmId, field, expected, actual, message }) => [hsmId, field, expected, actual, message],
  )

describe('a configuration of cloudhsm-cli edited by hand', () => {
  test('one that was not has no differences, whatever its settings', () => {
    expect(editsOf(first, second)).toEqual([])
    expect(editsOf({ ...first, type: 'hsm2m' }, second)).toEqual([])
  })

  test.each<[string, readonly CliCluster[], readonly unknown[]]>([
    [
      'an HSM under another address',
      [withServers([one, stranger, three]), second],
      [
        'hsm-aaaaaaaaaa3',
        'hostname',
        '10.1.0.3',
        '10.9.9.9',
        'clusters[0].cluster.servers[1] was generated for 10.1.0.3 (hsm-aaaaaaaaaa3) and now names 10.9.9.9',
      ],
    ],
    [
      'an HSM that was removed',
      [withServers([two, three]), second],
      [
        'hsm-aaaaaaaaaa2',
        'hostname',
        '10.1.0.2',
        null,
        '10.1.0.2 (hsm-aaaaaaaaaa2) was removed from clusters[0].cluster.servers by hand',
      ],
    ],
    [
      'an address that was added',
      [withServers([one, two, three, stranger]), second],
      [null, 'hostname', null, '10.9.9.9', 'clusters[0].cluster.servers[3] (10.9.9.9) was added by hand'],
    ],
    [
      'another port',
      [withServers([one, { ...two, port: 2225 }, three]), second],
      [
        'hsm-aaaaaaaaaa3',
        'port',
        '2223',
        '2225',
        'clusters[0].cluster.servers[1].port of 10.1.0.3 (hsm-aaaaaaaaaa3) is 2225; HSMs answer cloudhsm-cli on 2223',
      ],
    ],
    [
      'a server that is disabled',
      [withServers([one, two, { ...three, enable: false }]), second],
      [
        'hsm-aaaaaaaaaa4',
        'enable',
        'true',
        'false',
        'clusters[0].cluster.servers[2].enable of 10.1.0.4 (hsm-aaaaaaaaaa4) is false, so the HSM is left out unseen: "enable": true',
      ],
    ],
    [
      'a cluster without its ID',
      [first, { ...second, cluster: { ...second.cluster, cluster_id: undefined } }],
      [
        null,
        'clusterId',
        'cluster-bbbbbbbbbbb',
        null,
        'clusters[1].cluster.cluster_id is missing, so cloudhsm-cli cannot be told to use this cluster: "cluster_id": "cluster-bbbbbbbbbbb"',
      ],
    ],
    [
      'a cluster that was removed',
      [first],
      [null, 'clusterId', 'cluster-bbbbbbbbbbb', null, 'cluster cluster-bbbbbbbbbbb was removed by hand'],
    ],
    [
      'a cluster nobody generated',
      [first, second, { type: 'hsm1', cluster: { cluster_id: 'cluster-ccccccccccc', servers: [stranger] } }],
      [null, 'clusterId', null, 'cluster-ccccccccccc', 'clusters[2] (cluster-ccccccccccc) was added by hand'],
    ],
  ])('%s', (_, edited, difference) => {
    expect(editsOf(...edited)).toEqual([difference])
  })
})

describe('configurations of single HSMs', () => {
  const good = roster.map(({ hsmId, eniIp }) => ({
    hsmId,
    path: `m.proof/${hsmId}.cfg`,
    sha256: SHA as Sha256 | null,
    addresses: [eniIp] as readonly string[] | null,
  }))
  const messagesWith = (change: object, strayProofs: readonly string[] = []) =>
    editedProofs({ map, proofs: good.map((proof, at) => (at === 1 ? { ...proof, ...change } : proof)), strayProofs })

  test('as they were generated', () => {
    expect(messagesWith({})).toEqual([])
  })

  test.each([
    [
      { sha256: null, addresses: null },
      'm.proof/hsm-aaaaaaaaaa3.cfg, which lists hsm-aaaaaaaaaa3 (10.1.0.3) alone, does not exist',
    ],
    [
      { sha256: '2'.repeat(64) },
      'm.proof/hsm-aaaaaaaaaa3.cfg, which lists hsm-aaaaaaaaaa3 (10.1.0.3) alone, was edited by hand',
    ],
    [
      { sha256: '2'.repeat(64), addresses: null },
      'm.proof/hsm-aaaaaaaaaa3.cfg was edited by hand and is no configuration of cloudhsm-cli any more',
    ],
    [
      // the hash agrees, so the map was edited along
      { addresses: ['10.1.0.3', '10.1.0.4'] },
      'm.proof/hsm-aaaaaaaaaa3.cfg was generated for 10.1.0.3 (hsm-aaaaaaaaaa3) and now lists 10.1.0.3, 10.1.0.4',
    ],
  ])('%j', (change, message) => {
    expect(messagesWith(change)).toMatchObject([{ hsmId: 'hsm-aaaaaaaaaa3', field: 'proof', message }])
  })

  test('a stranger among them', () => {
    expect(messagesWith({}, ['m.proof/old.cfg'])).toMatchObject([
      { hsmId: null, field: 'proof', expected: null, actual: 'm.proof/old.cfg' },
    ])
  })
})
