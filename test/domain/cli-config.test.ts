import { describe, expect, test } from '@jest/globals'
import { type CaFiles, type CliConfigDocument, mergedCliConfig, singleHsmConfig } from '../../src/domain/cli-config.js'
import { clusterOf, hsmOf, twoClones } from '../helpers/clusters.js'
import { operatorErrorOf } from '../helpers/errors.js'

const { a, b } = twoClones()
const noCa: CaFiles = { common: null, byCluster: new Map() }
const merge = (base?: CliConfigDocument, caFiles = noCa) =>
  mergedCliConfig({ source: b, destinations: [a] }, base, caFiles)
const serversOf = (...addresses: string[]) => addresses.map((hostname) => ({ hostname, port: 2223, enable: true }))

describe('a configuration of cloudhsm-cli', () => {
  test("without a base it has what AWS's configure tool writes, the source first", () => {
    const { document, roster } = merge()
    expect(document).toEqual({
      clusters: [
        {
          type: 'hsm1',
          cluster: {
            cluster_id: 'cluster-bbbbbbbbbbb',
            hsm_ca_file: '/opt/cloudhsm/etc/customerCA.crt',
            servers: serversOf('10.2.0.2', '10.2.0.3'),
          },
        },
        {
          type: 'hsm1',
          cluster: {
            cluster_id: 'cluster-aaaaaaaaaaa',
            hsm_ca_file: '/opt/cloudhsm/etc/customerCA.crt',
            servers: serversOf('10.1.0.2', '10.1.0.3', '10.1.0.4'),
          },
        },
      ],
      logging: {
        log_type: 'file',
        log_file: '/opt/cloudhsm/run/cloudhsm-cli.log',
        log_level: 'info',
        log_interval: 'daily',
      },
    })
    expect(roster.map(({ serverId, eniIp }) => `${serverId} ${eniIp}`)).toEqual([
      '0 10.2.0.2',
      '1 10.2.0.3',
      '2 10.1.0.2',
      '3 10.1.0.3',
      '4 10.1.0.4',
    ])
  })

  test('a base keeps its keys, and each cluster its own', () => {
    const base = {
      zeta: 1,
      clusters: [
        {
          type: 'hsm2m',
          own: true,
          cluster: {
            cluster_id: a.clusterId,
            hsm_ca_file: '/srv/a.crt',
            options: { disable_key_availability_check: true },
            servers: [
              { hostname: '10.1.0.9', port: 2223, enable: true, retries: 7 },
              { hostname: '10.1.0.3', port: 9, enable: false, mine: 1 },
            ],
          },
        },
      ],
    }
    const { document } = merge(base)
    expect(document['zeta']).toBe(1)
    expect(document['logging']).toBeUndefined()
    expect(document.clusters[1]).toEqual({
      type: 'hsm2m',
      own: true,
      cluster: {
        cluster_id: a.clusterId,
        hsm_ca_file: '/srv/a.crt',
        options: { disable_key_availability_check: true },
        servers: [
          { hostname: '10.1.0.2', port: 2223, enable: true, retries: 7 },
          { hostname: '10.1.0.3', port: 2223, enable: true, mine: 1 },
          { hostname: '10.1.0.4', port: 2223, enable: true, retries: 7 },
        ],
      },
    })
    // the other cluster is not in the base: its settings, but not its type
    expect(document.clusters[0]).toMatchObject({
      type: 'hsm1',
      own: true,
      cluster: {
        cluster_id: b.clusterId,
        hsm_ca_file: '/srv/a.crt',
        options: { disable_key_availability_check: true },
      },
    })
  })

  test('an element without an ID is that of the cluster whose address it lists', () => {
    const nameless = { type: 'hsm1', cluster: { hsm_ca_file: '/srv/a.crt', servers: serversOf('10.1.0.4') } }
    const other = { type: 'hsm1', cluster: { hsm_ca_file: '/srv/b.crt', servers: serversOf('10.2.0.2') } }
    const { document } = merge({ clusters: [nameless, other] })
    expect(document.clusters.map(({ cluster }) => [cluster.cluster_id, cluster.hsm_ca_file])).toEqual([
      [b.clusterId, '/srv/b.crt'],
      [a.clusterId, '/srv/a.crt'],
    ])
  })

  test('certificates that are named go before those of the base, the one of a cluster before the common one', () => {
    const base = merge().document
    const { document } = merge(base, { common: '/c.crt', byCluster: new Map([[a.clusterId, '/a.crt']]) })
    expect(document.clusters.map(({ cluster }) => cluster.hsm_ca_file)).toEqual(['/c.crt', '/a.crt'])
  })

  test('what it is made from itself gives it again', () => {
    expect(JSON.stringify(merge(merge().document).document)).toBe(JSON.stringify(merge().document))
  })

  test('two HSMs under one address are refused', async () => {
    const twin = clusterOf('c', 'eu-west-1', [hsmOf('c', 1, { eniIp: a.hsms[1]?.eniIp ?? null })])
    const error = await operatorErrorOf(() => mergedCliConfig({ source: a, destinations: [twin] }, undefined, noCa))
    expect(error.code).toBe('DUPLICATE_ADDRESS')
  })

  test('that of one HSM lists it alone, with the settings of its cluster', () => {
    const { document, roster } = merge()
    const entry = roster[3] ?? never()
    const [, element] = document.clusters
    expect(singleHsmConfig(document, entry)).toEqual({
      ...document,
      clusters: [{ ...element, cluster: { ...element?.cluster, servers: serversOf('10.1.0.3') } }],
    })
  })
})

const never = (): never => {
  throw new Error('not in the roster')
}
