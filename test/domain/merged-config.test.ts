import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { type ConfigDocument, deriveSessionConfig, mergedConfig } from '../../src/domain/merged-config.js'
import { clusterOf, hsmOf, twoClones } from '../helpers/clusters.js'
import { operatorErrorOf } from '../helpers/errors.js'

const { a, b } = twoClones()
const hostnames = (document: ConfigDocument) => document.servers.map(({ hostname }) => hostname)

describe('a merged configuration', () => {
  test('lists the source first, one block per cluster, numbered from 0', () => {
    const { roster, document, skipped } = mergedConfig({ source: b, destinations: [a] })
    expect(
      roster.map(({ serverId, hsmId, eniIp, clusterId, region, role }) => [
        serverId,
        hsmId,
        eniIp,
        clusterId,
        region,
        role,
      ]),
    ).toEqual([
      [0, 'hsm-bbbbbbbbbb2', '10.2.0.2', 'cluster-bbbbbbbbbbb', 'eu-west-1', 'source'],
      [1, 'hsm-bbbbbbbbbb3', '10.2.0.3', 'cluster-bbbbbbbbbbb', 'eu-west-1', 'source'],
      [2, 'hsm-aaaaaaaaaa2', '10.1.0.2', 'cluster-aaaaaaaaaaa', 'us-east-1', 'destination'],
      [3, 'hsm-aaaaaaaaaa3', '10.1.0.3', 'cluster-aaaaaaaaaaa', 'us-east-1', 'destination'],
      [4, 'hsm-aaaaaaaaaa4', '10.1.0.4', 'cluster-aaaaaaaaaaa', 'us-east-1', 'destination'],
    ])
    expect(hostnames(document)).toEqual(roster.map(({ eniIp }) => eniIp))
    expect(skipped).toEqual([])
  })

  test('destinations keep the order in which they were given', () => {
    const c = clusterOf('c', 'ap-south-1', [hsmOf('c', 1)])
    const order = (destinations: (typeof a)[]) =>
      mergedConfig({ source: a, destinations })
        .roster.slice(3)
        .map(({ region }) => region)
    expect(order([c, b])).toEqual(['ap-south-1', 'eu-west-1', 'eu-west-1'])
    expect(order([b, c])).toEqual(['eu-west-1', 'eu-west-1', 'ap-south-1'])
  })

  test('does not depend on the order in which AWS lists HSMs', () => {
    const expected = mergedConfig({ source: a, destinations: [b] })
    fc.assert(
      fc.property(fc.shuffledSubarray([...a.hsms], { minLength: 3 }), (hsms) => {
        expect(mergedConfig({ source: { ...a, hsms }, destinations: [b] })).toEqual(expected)
      }),
    )
  })

  test("without a base it has what AWS's configure tool writes", () => {
    const { document } = mergedConfig({ source: b, destinations: [] })
    expect(document).toEqual({
      scard: { certificate: 'cert-sc', enable: 'no', pkey: 'pkey-sc', port: 2225 },
      servers: ['10.2.0.2', '10.2.0.3'].map((address) => ({
        CAfile: '',
        CApath: '/opt/cloudhsm/etc/certs',
        certificate: '/opt/cloudhsm/etc/client.crt',
        e2e_encryption: { enable: 'yes', owner_cert_path: '/opt/cloudhsm/etc/customerCA.crt' },
        enable: 'yes',
        hostname: address,
        name: address,
        pkey: '/opt/cloudhsm/etc/client.key',
        port: 2225,
        server_ssl: 'yes',
        ssl_ciphers: '',
      })),
    })
  })

  test('with a base it has its settings, its unknown keys too', () => {
    const base = {
      scard: { enable: 'no' },
      logging: { level: 3 },
      servers: [
        { hostname: '1.2.3.4', name: 'server1', port: 2225, certificate: '/my/client.crt', retries: 7 },
        { hostname: '1.2.3.5', name: 'server2', port: 9 },
      ],
    }
    expect(mergedConfig({ source: b, destinations: [] }, base).document).toEqual({
      scard: { enable: 'no' },
      logging: { level: 3 },
      servers: ['10.2.0.2', '10.2.0.3'].map((address) => ({
        hostname: address,
        name: address,
        port: 2225,
        certificate: '/my/client.crt',
        retries: 7,
      })),
    })
  })

  test('leaves out HSMs that cannot be used, with the reason', () => {
    const hsms = [hsmOf('a', 4), hsmOf('a', 3, { eniIp: null }), hsmOf('a', 2, { state: 'CREATE_IN_PROGRESS' })]
    const { roster, skipped } = mergedConfig({ source: { ...a, hsms }, destinations: [b] })
    expect(roster.map(({ hsmId }) => hsmId)).toEqual(['hsm-aaaaaaaaaa4', 'hsm-bbbbbbbbbb2', 'hsm-bbbbbbbbbb3'])
    expect(skipped.map(({ hsmId, reason }) => `${hsmId} ${reason}`)).toEqual([
      'hsm-aaaaaaaaaa2 is CREATE_IN_PROGRESS, not ACTIVE',
      'hsm-aaaaaaaaaa3 is ACTIVE but has no address yet',
    ])
  })

  test('two HSMs under one address are refused', async () => {
    const twin = clusterOf('c', 'eu-west-1', [hsmOf('c', 1, { eniIp: a.hsms[1]?.eniIp ?? null })])
    const error = await operatorErrorOf(() => mergedConfig({ source: a, destinations: [twin] }))
    expect([error.code, error.exitCode]).toEqual(['DUPLICATE_ADDRESS', 3])
    expect(error.message).toBe(
      'hsm-aaaaaaaaaa3 in us-east-1/cluster-aaaaaaaaaaa and hsm-cccccccccc1 in eu-west-1/cluster-ccccccccccc have the same address 10.1.0.3, so one of them cannot be reached from here',
    )
  })

  test('HSMs the utility does not work with are refused', async () => {
    const error = await operatorErrorOf(() =>
      mergedConfig({ source: a, destinations: [{ ...b, hsmType: 'hsm2m.medium' }] }),
    )
    expect([error.code, error.exitCode]).toEqual(['HSM_TYPE_NOT_SUPPORTED', 3])
    expect(error.message).toBe(
      'cluster eu-west-1/cluster-bbbbbbbbbbb consists of hsm2m.medium HSMs, and the management utility works with hsm1.medium only',
    )
  })
})

describe('the configuration of one session', () => {
  const base = {
    scard: { enable: 'no' },
    servers: [
      { hostname: '10.2.0.3', name: 'x', port: 1, mine: true },
      { hostname: '10.9.9.9', name: 'y', port: 2 },
    ],
  }
  const { roster } = mergedConfig({ source: a, destinations: [b] })

  test('lists the HSMs asked for, in that order, with their own settings', () => {
    const { document } = mergedConfig({ source: a, destinations: [b] })
    const entries = [roster[4], roster[0]].flatMap((entry) => entry ?? [])
    const derived = deriveSessionConfig(document, entries)
    expect(hostnames(derived)).toEqual(['10.2.0.3', '10.1.0.2'])
    expect(derived['scard']).toEqual(document['scard'])
    expect(document.servers).toHaveLength(5)
  })

  test('keeps the settings a server has in the document, and gives those of the first to one that is not listed', () => {
    const entries = [roster[0], roster[4]].flatMap((entry) => entry ?? [])
    expect(deriveSessionConfig(base, entries).servers).toEqual([
      { hostname: '10.1.0.2', name: '10.1.0.2', port: 1, mine: true },
      { hostname: '10.2.0.3', name: 'x', port: 1, mine: true },
    ])
  })
})
