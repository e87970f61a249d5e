import { describe, expect, test } from '@jest/globals'
import { judgePair } from '../../src/domain/clone-verdict.js'
import type { Cluster } from '../../src/domain/cluster.js'
import type { RegionName } from '../../src/domain/ids.js'
import { discoverClusters } from '../../src/use-cases/discover-clusters.js'
import { discovered, everywhere, refusalOf } from '../helpers/discovery.js'
import { FixtureApi, fixture, MemoryCache } from '../helpers/fixture-api.js'

const A = 'cluster-aaaaaaaaaaa'
const B = 'cluster-bbbbbbbbbbb'
const C = 'cluster-ccccccccccc'

describe('clone families', () => {
  test.each([
    ['two-regions-one-family', A, B, 'clone', 4, 'equal-cluster-certificate'],
    ['copied-backup-no-certificates', A, B, 'clone', 4, 'backup-lineage'],
    ['same-source-backup', A, B, 'clone', 4, 'same-source-backup'],
    ['parent-deleted', A, B, 'clone', 3, 'backup-lineage'],
    ['siblings-of-different-backups', A, B, 'probably-clone', 2, 'backup-lineage'],
    ['copy-of-a-copy', A, C, 'clone', 4, 'backup-lineage'],
  ])('%s: one family', async (name, one, two, verdict, certainty, kind) => {
    const discovery = await discovered(name)
    const [a, b] = pair(discovery.clusters, one, two)
    expect(discovery.families).toHaveLength(1)
    expect(discovery.families[0]?.clusterIds).toEqual([one, two])
    expect(judgePair(discovery, a, b)).toMatchObject({ verdict, certainty })
    expect(judgePair(discovery, a, b).evidence[0]).toMatchObject({ kind, certainty, clusterIds: [one, two] })
  })

  test('a purged backup is an unknown origin, never "not a clone", and the missing record is named', async () => {
    const discovery = await discovered('purged-backup')
    const [a, b] = pair(discovery.clusters, A, B)
    expect(discovery.families.map(({ clusterIds }) => clusterIds)).toEqual([[A], [B]])
    expect(discovery.families.flatMap(({ evidence }) => evidence)).toEqual([])
    const { missing, ...verdict } = judgePair(discovery, a, b)
    expect(verdict).toEqual({ verdict: 'unknown', certainty: 0, evidence: [] })
    expect(missing).toContain('cluster-bbbbbbbbbbb was made from backup-bbbbbbbbbb2, whose record is gone')
  })

  test('different certificates are no clones', async () => {
    const discovery = await discovered('unrelated')
    const [a, b] = pair(discovery.clusters, A, B)
    expect(discovery.families).toHaveLength(2)
    const verdict = judgePair(discovery, a, b)
    expect(verdict).toMatchObject({ verdict: 'not-a-clone', certainty: 4, missing: null })
    expect(verdict.evidence.map(({ kind }) => kind)).toEqual(['different-cluster-certificates'])
  })

  test('backup records against certificates are a conflict, and no family', async () => {
    const discovery = await discovered('lineage-against-certificates')
    const [a, b] = pair(discovery.clusters, A, B)
    expect(discovery.families).toHaveLength(2)
    expect(discovery.conflicts).toHaveLength(1)
    expect(judgePair(discovery, a, b)).toMatchObject({ verdict: 'not-a-clone', certainty: 4 })
    expect(judgePair(discovery, a, b).missing).toContain('backup records disagree')
  })

  test('a conflict with a relative keeps a cluster out of the family as well', async () => {
    const discovery = await discovered('lineage-against-certificates', (answers) => {
      // C without a certificate goes back to the same backup as B, in B's Region
      const b = answers['eu-west-1']?.Clusters[0]
      if (b !== undefined) answers['eu-west-1']?.Clusters.push({ ...b, ClusterId: C, Certificates: {} })
    })
    const [a, b] = pair(discovery.clusters, A, B)
    const [c] = pair(discovery.clusters, C, A)
    const related = [judgePair(discovery, a, c), judgePair(discovery, b, c)].map(({ verdict }) => verdict)
    expect(related.filter((verdict) => verdict === 'clone')).toHaveLength(1)
    for (const family of discovery.families) expect(family.clusterIds).not.toEqual(expect.arrayContaining([A, B]))
  })

  test('different modes rule a link out', async () => {
    const discovery = await discovered('copied-backup-no-certificates', (answers) => {
      const cluster = answers['eu-west-1']?.Clusters[0]
      if (cluster !== undefined) cluster.Mode = 'NON_FIPS'
    })
    const [a, b] = pair(discovery.clusters, A, B)
    expect(judgePair(discovery, a, b)).toMatchObject({ verdict: 'not-a-clone' })
    expect(discovery.conflicts).toHaveLength(1)
  })

  test('the family keeps its name when a member is not seen', async () => {
    const whole = await discovered('two-regions-one-family')
    const part = await discovered('two-regions-one-family', (answers) => {
      delete answers['us-east-1']
    })
    expect(part.families[0]?.family).toBe(whole.families[0]?.family)
    expect(part.families[0]).toMatchObject({ clusterIds: [B], evidence: [] })
  })

  test('a record only an earlier run saw counts as recorded', async () => {
    const cache = new MemoryCache()
    await discoverClusters({ api: new FixtureApi(fixture('copied-backup-no-certificates')), cache }, everywhere)
    expect(cache.records.map(({ backupId }) => backupId)).toContain('backup-bbbbbbbbbb2')
    const later = fixture('copied-backup-no-certificates')
    for (const region of Object.values(later)) region.Backups = []
    const discovery = await discoverClusters({ api: new FixtureApi(later), cache }, everywhere)
    const [a, b] = pair(discovery.clusters, A, B)
    expect(judgePair(discovery, a, b)).toMatchObject({ verdict: 'clone', certainty: 3 })
    expect(judgePair(discovery, a, b).evidence[0]?.detail).toContain('as an earlier run recorded')
  })
})

describe('what is asked', () => {
  test('backups only where a cluster was made from one', async () => {
    const api = new FixtureApi(fixture('three-regions-mixed'))
    await discoverClusters({ api, cache: new MemoryCache() }, everywhere)
    expect(api.askedBackups).toEqual(['eu-west-1/backup-bbbbbbbbbb2'])
    expect(api.opened.map(({ region }) => region).sort()).toEqual(['ap-south-1', 'eu-west-1', 'us-east-1'])
  })

  test('two profiles of one account list a cluster once, under the first', async () => {
    const api = new FixtureApi(fixture('two-regions-one-family'))
    const scope = { ...everywhere, profiles: ['prod', 'audit'] }
    const { clusters } = await discoverClusters({ api, cache: new MemoryCache() }, scope)
    expect(clusters.map(({ clusterId, profile, otherProfiles }) => [clusterId, profile, otherProfiles])).toEqual([
      [B, 'prod', ['audit']],
      [A, 'prod', ['audit']],
    ])
  })

  test('targets are asked in their own Regions with their own role', async () => {
    const api = new FixtureApi(fixture('two-regions-one-family'))
    const roleArn = 'arn:aws:iam::111122223333:role/HsmReader'
    const targets = [{ profile: 'prod', regions: ['eu-west-1' as RegionName], roleArn, externalId: 'x1' }]
    await discoverClusters({ api, cache: new MemoryCache() }, { ...everywhere, targets })
    expect(api.opened).toEqual([{ region: 'eu-west-1', profile: 'prod', roleArn, externalId: 'x1', named: true }])
  })
})

describe('Regions that do not answer', () => {
  const find = (failures: ConstructorParameters<typeof FixtureApi>[1], scope = everywhere) =>
    discoverClusters(
      { api: new FixtureApi(fixture('two-regions-one-family'), failures), cache: new MemoryCache() },
      scope,
    )

  test('one is a named problem, and the others are listed', async () => {
    const { clusters, problems, asked } = await find({ 'ap-east-1': 'not-enabled', 'us-east-1': 'denied' })
    expect(clusters.map(({ clusterId }) => clusterId)).toEqual([B])
    expect(asked.map(({ region }) => region).sort()).toEqual(['ap-east-1', 'eu-west-1', 'us-east-1'])
    expect(problems.map(({ region, kind, named }) => [region, kind, named])).toEqual([
      ['ap-east-1', 'not-enabled', false],
      ['us-east-1', 'denied', false],
    ])
  })

  test('unknown credentials are "denied" where no other Region knows them', async () => {
    const { problems } = await find(
      { 'ap-east-1': 'not-enabled' },
      {
        ...everywhere,
        profiles: ['prod'],
        targets: [{ profile: 'other', regions: ['ap-east-1' as RegionName] }],
      },
    )
    expect(problems.map(({ profile, kind, named }) => [profile, kind, named])).toEqual([
      ['other', 'denied', true],
      ['prod', 'not-enabled', false],
    ])
  })

  test('a Region whose backup records are kept back still lists its clusters', async () => {
    const api = new FixtureApi(fixture('two-regions-one-family'), {}, { 'eu-west-1': 'denied' })
    const { clusters, problems } = await discoverClusters({ api, cache: new MemoryCache() }, everywhere)
    expect(clusters).toHaveLength(2)
    expect(problems).toMatchObject([{ region: 'eu-west-1', operation: 'DescribeBackups', kind: 'denied' }])
  })

  test('none at all is a refusal that names them', async () => {
    const refused = await refusalOf(() => find({ 'eu-west-1': 'unreachable', 'us-east-1': 'denied' }))
    expect(refused).toMatchObject({ code: 'DISCOVERY_FAILED', exitCode: 3 })
    expect(refused.message).toContain('asked eu-west-1, us-east-1')
    expect(refused.message).toContain('us-east-1: made to fail: denied')
  })

  test('no credentials anywhere is a refusal of its own', async () => {
    const refused = await refusalOf(() => find({ 'eu-west-1': 'no-credentials', 'us-east-1': 'no-credentials' }))
    expect(refused).toMatchObject({
      code: 'NO_CREDENTIALS',
      exitCode: 3,
      message: 'no AWS credentials: made to fail: no-credentials',
    })
  })
})

const pair = (clusters: readonly Cluster[], one: string, two: string): [Cluster, Cluster] =>
  [one, two].map((id) => {
    const found = clusters.find(({ clusterId }) => clusterId === id)
    if (found === undefined) throw new Error(`${id} is not listed`)
    return found
  }) as [Cluster, Cluster]
