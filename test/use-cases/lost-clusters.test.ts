import { describe, expect, test } from '@jest/globals'
import type { Cluster, ClusterRef } from '../../src/domain/cluster.js'
import { type LeavingOut, splitLeftOut } from '../../src/use-cases/lost-clusters.js'
import { clusterOf, hsmOf } from '../helpers/clusters.js'
import { ref, refusalOf } from '../helpers/discovery.js'

const healthy = clusterOf('a', 'us-east-1', [hsmOf('a', 2)])
const busy = clusterOf('b', 'eu-west-1', [hsmOf('b', 2)], { state: 'MODIFY_IN_PROGRESS' })
const empty = clusterOf('c', 'ap-south-1', [hsmOf('c', 2, { state: 'DEGRADED' })])
const deleted = clusterOf('d', 'eu-west-2', [], { state: 'DELETED' })
const UNSEEN = ref('prod:sa-east-1/cluster-eeeeeeeeeee')
const WHY = 'the Region is gone'

const split = (
  leftOut: readonly Cluster[],
  said: Partial<LeavingOut> = {},
  leftOutUnseen: readonly ClusterRef[] = [],
) => splitLeftOut({ leftOut, leftOutUnseen }, { reason: null, isForHsms: false, planned: [], ...said })
const idsOf = (clusters: readonly { readonly clusterId: string }[]) => clusters.map(({ clusterId }) => clusterId)

describe('a cluster that is left out', () => {
  test.each([
    ['is not ACTIVE', busy, 'eu-west-1/cluster-bbbbbbbbbbb is MODIFY_IN_PROGRESS, not ACTIVE'],
    ['has no ACTIVE HSM', empty, 'ap-south-1/cluster-ccccccccccc has no ACTIVE HSM'],
  ])('and %s needs a reason', async (_, cluster, words) => {
    expect(await refusalOf(() => split([healthy, cluster]))).toMatchObject({
      code: 'REASON_MISSING',
      exitCode: 2,
      message: `${words}: to leave it out is a debt, and needs a reason`,
    })
  })

  test('and that nobody saw needs one as well', async () => {
    expect(await refusalOf(() => split([], {}, [UNSEEN]))).toMatchObject({
      code: 'REASON_MISSING',
      message: expect.stringContaining('prod:sa-east-1/cluster-eeeeeeeeeee is not seen'),
    })
  })

  test('with a reason it is lost, in the Region and by the profile that it was named with', () => {
    const { leftOut, lost } = split([busy], { reason: WHY }, [UNSEEN, ref('cluster-fffffffffff')])
    expect(leftOut).toEqual([])
    expect(lost).toEqual([
      { clusterId: busy.clusterId, region: 'eu-west-1', profile: null, reason: WHY },
      { clusterId: UNSEEN.clusterId, region: 'sa-east-1', profile: 'prod', reason: WHY },
      { clusterId: 'cluster-fffffffffff', region: null, profile: null, reason: WHY },
    ])
  })

  test('and is healthy is left out by choice, and owed nothing', () => {
    expect(split([healthy])).toEqual({ leftOut: [healthy], lost: [] })
  })

  test.each([
    ['given for it alone', { reason: WHY }, [healthy], []],
    ['that another cluster needs', { reason: WHY }, [healthy, busy], [healthy.clusterId]],
    ['that may be meant for an HSM', { reason: WHY, isForHsms: true }, [healthy], [healthy.clusterId]],
  ])('and is healthy, with a reason %s', (_, said, leftOut, byChoice) => {
    expect(idsOf(split(leftOut, said).leftOut)).toEqual(byChoice)
  })

  test('and was lost already when it was planned is lost for the reason that the plan gives', () => {
    const planned = [{ clusterId: healthy.clusterId, region: healthy.region, profile: null, reason: 'as planned' }]
    expect(split([healthy], { planned }).lost).toEqual(planned)
  })

  test('and was deleted is owed nothing', () => {
    expect(split([deleted])).toEqual({ leftOut: [deleted], lost: [] })
  })

  test('and that the rotation is about already is lost, whatever else is left out, and needs a reason', async () => {
    const owed = [healthy.clusterId, deleted.clusterId]
    expect(await refusalOf(() => split([healthy], { owed }))).toMatchObject({
      code: 'REASON_MISSING',
      message: expect.stringContaining('us-east-1/cluster-aaaaaaaaaaa takes part in this rotation'),
      suggestions: [expect.stringMatching(/^--leave-out us-east-1\/cluster-aaaaaaaaaaa --reason /)],
    })
    const { leftOut, lost } = split([healthy, busy, deleted], { owed, reason: WHY })
    expect([idsOf(leftOut), idsOf(lost)]).toEqual([[deleted.clusterId], [healthy.clusterId, busy.clusterId]])
  })

  test('by a plan is given its reason alone: no flag names it beside a plan', async () => {
    const { suggestions } = await refusalOf(() => split([busy], { isPlanned: true }))
    expect(suggestions).toEqual([expect.stringMatching(/^--reason "why it cannot be taken along" /)])
  })
})
