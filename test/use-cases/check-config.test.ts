import { describe, expect, test } from '@jest/globals'
import type { DiscoveryProblem } from '../../src/domain/clone-family.js'
import type { Cluster } from '../../src/domain/cluster.js'
import type { ConfigFiles, StoredConfig } from '../../src/domain/config-files.js'
import type { Sha256 } from '../../src/domain/ids.js'
import { mergedConfig } from '../../src/domain/merged-config.js'
import { mappedClusters } from '../../src/domain/roster-map.js'
import { checkConfig } from '../../src/use-cases/check-config.js'
import { clusterOf, hsmOf, MemoryClusterSource, twoClones } from '../helpers/clusters.js'
import { operatorErrorOf } from '../helpers/errors.js'

const { a, b } = twoClones()
const scope = { regions: [], profiles: [], targets: [] }
const SHA = '1'.repeat(64) as Sha256

type CmuConfig = Extract<StoredConfig, { utility: 'cmu' }>

const stored = (change: Partial<CmuConfig> = {}): CmuConfig => {
  const clusters = { source: a, destinations: [{ ...b, profile: 'standby' }] }
  const { document, roster } = mergedConfig(clusters)
  const map = {
    generatedAt: '2026-03-01T03:15:00.000Z',
    utility: 'cmu' as const,
    sha256: SHA,
    clusters: mappedClusters(clusters),
    servers: roster,
    proofConfigs: [],
  }
  return { utility: 'cmu', document, sha256: SHA, map, proofs: [], strayProofs: [], ...change }
}

const check = (clusters: readonly Cluster[], config = stored(), source = new MemoryClusterSource(clusters)) =>
  checkConfig({ path: 'merged.cfg', scope }, { source, files: { read: async () => config } as unknown as ConfigFiles })

const differencesWith = async (change: Partial<Cluster>) => {
  const { ok, differences } = await check([a, { ...b, ...change }])
  expect(ok).toBe(differences.length === 0)
  return differences.map(({ hsmId, field, expected, actual, message }) => [hsmId, field, expected, actual, message])
}

describe('checking a configuration', () => {
  test('one that lists what AWS reports is all right', async () => {
    expect(await check([a, b, clusterOf('c', 'eu-west-1', [])])).toEqual({
      path: 'merged.cfg',
      utility: 'cmu',
      ok: true,
      sha256: SHA,
      generatedAt: '2026-03-01T03:15:00.000Z',
      differences: [],
    })
  })

  test('asks the Regions and profiles of its map alone', async () => {
    const source = new MemoryClusterSource([a, b])
    await check([], stored(), source)
    expect(source.scopes).toEqual([
      { regions: ['us-east-1', 'eu-west-1'], profiles: ['standby'], targets: [{ profile: null, regions: [] }] },
    ])
  })

  test('an HSM that is gone', async () => {
    expect(await differencesWith({ hsms: [hsmOf('b', 2)] })).toEqual([
      [
        'hsm-bbbbbbbbbb3',
        'hsmId',
        'hsm-bbbbbbbbbb3',
        null,
        'hsm-bbbbbbbbbb3 (10.2.0.3) is no HSM of eu-west-1/cluster-bbbbbbbbbbb any more',
      ],
    ])
  })

  test('an HSM that was replaced under its address, reported once', async () => {
    expect(
      await differencesWith({ hsms: [hsmOf('b', 2), hsmOf('b', 7, { eniIp: b.hsms[1]?.eniIp ?? null })] }),
    ).toEqual([
      [
        'hsm-bbbbbbbbbb3',
        'hsmId',
        'hsm-bbbbbbbbbb3',
        'hsm-bbbbbbbbbb7',
        'hsm-bbbbbbbbbb3 was replaced: its address 10.2.0.3 now belongs to hsm-bbbbbbbbbb7',
      ],
    ])
  })

  test('an HSM that was added', async () => {
    expect(
      await differencesWith({ hsms: [...b.hsms, hsmOf('b', 5, { state: 'CREATE_IN_PROGRESS', eniIp: null })] }),
    ).toEqual([
      [
        'hsm-bbbbbbbbbb5',
        'hsmId',
        null,
        'hsm-bbbbbbbbbb5',
        'hsm-bbbbbbbbbb5 (no address, CREATE_IN_PROGRESS) was added to eu-west-1/cluster-bbbbbbbbbbb and is not listed',
      ],
    ])
  })

  test('an HSM with another address or state', async () => {
    expect(
      await differencesWith({
        hsms: [hsmOf('b', 2, { eniIp: hsmOf('b', 9).eniIp }), hsmOf('b', 3, { state: 'DEGRADED' })],
      }),
    ).toEqual([
      [
        'hsm-bbbbbbbbbb2',
        'eniIp',
        '10.2.0.2',
        '10.2.0.9',
        'hsm-bbbbbbbbbb2 has the address 10.2.0.9 now, not 10.2.0.2',
      ],
      ['hsm-bbbbbbbbbb3', 'state', 'ACTIVE', 'DEGRADED', 'hsm-bbbbbbbbbb3 (10.2.0.3) is DEGRADED, not ACTIVE'],
    ])
  })

  test('a cluster that is not ACTIVE, and one that is gone', async () => {
    expect(await differencesWith({ state: 'UPDATE_IN_PROGRESS' })).toEqual([
      [
        null,
        'clusterState',
        'ACTIVE',
        'UPDATE_IN_PROGRESS',
        'cluster eu-west-1/cluster-bbbbbbbbbbb is UPDATE_IN_PROGRESS, not ACTIVE',
      ],
    ])
    expect((await check([a])).differences).toEqual([
      {
        hsmId: null,
        field: 'cluster',
        expected: 'cluster-bbbbbbbbbbb',
        actual: null,
        message: 'cluster eu-west-1/cluster-bbbbbbbbbbb does not exist any more',
      },
    ])
  })

  test('a cluster in a Region that did not answer is not taken for gone', async () => {
    const problem = {
      region: 'eu-west-1',
      profile: null,
      roleArn: null,
      operation: 'DescribeClusters',
      error: 'timed out',
      kind: 'unreachable',
    } as unknown as DiscoveryProblem
    const error = await operatorErrorOf(() => check([], stored(), new MemoryClusterSource([a], [problem])))
    expect([error.code, error.exitCode]).toEqual(['CLUSTER_UNSEEN', 3])
    expect(error.message).toContain('eu-west-1 did not answer: timed out')
  })

  test('servers changed by hand are named by their place', async () => {
    const config = stored()
    const [first, second, ...others] = config.document.servers
    const servers = [second, first, ...others, { hostname: '10.9.9.9', name: 'x' }].flatMap((server) => server ?? [])
    const { ok, differences } = await check([a, b], stored({ document: { servers }, sha256: '2'.repeat(64) as Sha256 }))
    expect(ok).toBe(false)
    expect(differences.map(({ hsmId, field, message }) => [hsmId, field, message])).toEqual([
      [
        null,
        'sha256',
        'merged.cfg is not the file that was generated at 2026-03-01T03:15:00.000Z: it was edited by hand, or generating it was interrupted',
      ],
      ['hsm-aaaaaaaaaa2', 'hostname', 'server 0 was generated for 10.1.0.2 (hsm-aaaaaaaaaa2) and now names 10.1.0.3'],
      ['hsm-aaaaaaaaaa3', 'hostname', 'server 1 was generated for 10.1.0.3 (hsm-aaaaaaaaaa3) and now names 10.1.0.2'],
      [null, 'hostname', 'server 5 (10.9.9.9) was added by hand'],
    ])
    const fewer = await check([a, b], stored({ document: { servers: config.document.servers.slice(0, 4) } }))
    expect(fewer.differences.map(({ message }) => message)).toEqual([
      'server 4 (10.2.0.3, hsm-bbbbbbbbbb3) was removed by hand',
    ])
  })
})
