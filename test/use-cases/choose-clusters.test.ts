import { describe, expect, test } from '@jest/globals'
import { OperatorError } from '../../src/domain/errors.js'
import { type ClusterChoiceRequest, chooseClusters } from '../../src/use-cases/choose-clusters.js'
import { discoverClusters } from '../../src/use-cases/discover-clusters.js'
import { discovered, everywhere, ref, refusalOf } from '../helpers/discovery.js'
import { FixtureApi, fixture, MemoryCache } from '../helpers/fixture-api.js'

const request = (
  source: string,
  destinations: readonly string[],
  more: Partial<Omit<ClusterChoiceRequest, 'leaveOut'>> & { leaveOut?: readonly string[] } = {},
): ClusterChoiceRequest => ({
  waiveCloneProof: false,
  requireFamilyNamed: false,
  ...more,
  source: ref(source),
  destinations: destinations.map(ref),
  leaveOut: (more.leaveOut ?? []).map(ref),
})
const A = 'cluster-aaaaaaaaaaa'
const B = 'cluster-bbbbbbbbbbb'
const C = 'cluster-ccccccccccc'

describe('chooseClusters', () => {
  test('finds the clusters and says why they are clones', async () => {
    const discovery = await discovered('three-regions-mixed')
    const choice = chooseClusters(discovery, request(A, [`eu-west-1/${B}`], { requireFamilyNamed: true }))
    expect(choice.source.clusterId).toBe(A)
    expect(choice.destinations.map(({ clusterId }) => clusterId)).toEqual([B])
    expect(choice.family).toMatch(/^family-[0-9a-f]{12}$/)
    expect(choice.verdicts).toMatchObject([{ destination: B, verdict: 'clone', certainty: 4, waived: false }])
    expect(choice.warnings).toEqual([])
  })

  test.each([
    [
      'source as destination',
      request(A, [`us-east-1/${A}`]),
      'SOURCE_IS_DESTINATION',
      `us-east-1/${A} is both source and destination`,
    ],
    ['a destination twice', request(A, [B, B]), 'DUPLICATE_DESTINATION', `${B} is named twice as destination`],
    [
      'left out and named',
      request(A, [B], { leaveOut: [B] }),
      'LEFT_OUT_AND_NAMED',
      `${B} is left out and named as well`,
    ],
  ])('%s is a usage error', async (_, choice, code, message) => {
    const discovery = await discovered('three-regions-mixed')
    expect(await refusalOf(() => chooseClusters(discovery, choice))).toMatchObject({ code, message, exitCode: 2 })
  })

  test('an unknown cluster names the Regions asked and the nearest ID', async () => {
    const discovery = await discovered('three-regions-mixed')
    const refused = await refusalOf(() => chooseClusters(discovery, request(A, ['cluster-bbbbbbbbbba'])))
    expect(refused).toMatchObject({
      code: 'CLUSTER_NOT_FOUND',
      exitCode: 3,
      message: 'cluster cluster-bbbbbbbbbba was not found in ap-south-1, eu-west-1, us-east-1',
    })
    expect(refused.suggestions[0]).toBe('did you mean eu-west-1/cluster-bbbbbbbbbbb?')
    expect(refused.suggestions.at(-1)).toBe('lockstep clusters list')
  })

  test('a cluster named in the wrong Region is not found, and the right Region is suggested', async () => {
    const discovery = await discovered('three-regions-mixed')
    const refused = await refusalOf(() => chooseClusters(discovery, request(A, [`us-east-1/${B}`])))
    expect(refused.code).toBe('CLUSTER_NOT_FOUND')
    // The other Regions were asked for the other clusters.
    expect(refused.message).toBe(`cluster us-east-1/${B} was not found in us-east-1`)
    expect(refused.suggestions).toContain(`did you mean eu-west-1/${B}?`)
  })

  test('a Region that did not answer is named where the cluster is not found, and only mentioned where it is', async () => {
    const find = (failing: string) =>
      discoverClusters(
        {
          api: new FixtureApi(fixture('three-regions-mixed'), { [failing]: 'unreachable' }),
          cache: new MemoryCache(),
        },
        everywhere,
      )
    const lost = await find('eu-west-1')
    const refused = await refusalOf(() => chooseClusters(lost, request(A, [B])))
    expect(refused.message).toContain(
      'it may be where AWS did not say which clusters there are: eu-west-1 did not answer: made to fail: unreachable',
    )
    const elsewhere = await find('ap-south-1')
    expect(chooseClusters(elsewhere, request(A, [B])).warnings).toEqual([
      'not every Region was seen, members of the family may be missing: ap-south-1 did not answer: made to fail: unreachable',
    ])
  })

  test('a cluster named with a Region that denies was not looked up there, and the permission comes first', async () => {
    const api = new FixtureApi(fixture('three-regions-mixed'), { 'eu-west-1': 'denied' })
    const discovery = await discoverClusters({ api, cache: new MemoryCache() }, everywhere)
    const refused = await refusalOf(() => chooseClusters(discovery, request(A, [`eu-west-1/${B}`])))
    expect(refused).toMatchObject({
      code: 'CLUSTER_NOT_FOUND',
      message: `nobody knows whether cluster eu-west-1/${B} is there: eu-west-1 denied cloudhsm:DescribeClusters: made to fail: denied`,
    })
    expect(refused.suggestions[0]).toBe(
      'allow cloudhsm:DescribeClusters in eu-west-1 to these credentials, then the same command again',
    )
  })

  test.each([
    ['one that its Region hides', 'eu-west-1', {}],
    ['one that has no HSM', null, { requireFamilyNamed: true }],
  ])('a destination that cannot be had now may be left out: %s', async (_, failing, more) => {
    const answers = fixture('three-regions-mixed')
    const [cluster] = answers['eu-west-1']?.Clusters ?? []
    if (cluster !== undefined && failing === null) cluster.Hsms = []
    const api = new FixtureApi(answers, failing === null ? {} : { [failing]: 'unreachable' })
    const discovery = await discoverClusters({ api, cache: new MemoryCache() }, everywhere)
    const asked = request(A, [`eu-west-1/${B}`], { requireFamilyNamed: true, ...more })
    const advice = async (lostIsDebt: boolean) =>
      (await refusalOf(() => chooseClusters(discovery, { ...asked, lostIsDebt }))).suggestions.at(-1)
    expect(await advice(false)).toBe(
      `to go on without it: --leave-out eu-west-1/${B} in the place of --destination eu-west-1/${B}`,
    )
    expect(await advice(true)).toContain(`--leave-out eu-west-1/${B} --reason TEXT in the place of`)
    const free = await refusalOf(() => chooseClusters(discovery, { ...asked, requireFamilyNamed: false }))
    expect(free.suggestions.at(-1)).toBe(`to go on without it: leave --destination eu-west-1/${B} out`)
  })

  test('a cluster by itself is a choice, unless members of its family would be forgotten', async () => {
    const discovery = await discovered('unrelated')
    const [cluster, other] = discovery.clusters
    const alone = chooseClusters(discovery, request(cluster?.clusterId ?? '', [], { requireFamilyNamed: true }))
    expect([alone.destinations, alone.verdicts, other?.clusterId === undefined]).toEqual([[], [], false])
    const family = await discovered('three-regions-mixed')
    expect(await refusalOf(() => chooseClusters(family, request(A, [], { requireFamilyNamed: true })))).toMatchObject({
      code: 'FAMILY_MEMBER_NOT_NAMED',
    })
  })

  test('the same ID in two Regions has to be named with its Region', async () => {
    const discovery = await discovered('three-regions-mixed', (answers) => {
      const twin = answers['us-east-1']?.Clusters[0]
      if (twin !== undefined) answers['ap-south-1']?.Clusters.push(twin)
    })
    expect(await refusalOf(() => chooseClusters(discovery, request(A, [B])))).toMatchObject({
      code: 'AMBIGUOUS_CLUSTER',
      exitCode: 3,
      message: `${A} is the ID of several clusters: ap-south-1/${A}, us-east-1/${A}`,
    })
    expect(chooseClusters(discovery, request(`us-east-1/${A}`, [B])).source.region).toBe('us-east-1')
  })

  test.each([
    ['MODIFY_IN_PROGRESS', 'CLUSTER_NOT_ACTIVE', `cluster eu-west-1/${B} is MODIFY_IN_PROGRESS, not ACTIVE`],
    [
      'ACTIVE',
      'NO_ACTIVE_HSM',
      `cluster eu-west-1/${B} has no ACTIVE HSM (hsm-bbbbbbbbbb2 DEGRADED; hsm-bbbbbbbbbb3 DEGRADED)`,
    ],
  ])('a %s cluster without ACTIVE HSMs is refused: %s', async (state, code, message) => {
    const discovery = await discovered('three-regions-mixed', (answers) => {
      const cluster = answers['eu-west-1']?.Clusters[0]
      if (cluster === undefined) return
      cluster.State = state
      for (const hsm of cluster.Hsms ?? []) hsm.State = 'DEGRADED'
    })
    expect(await refusalOf(() => chooseClusters(discovery, request(A, [B])))).toMatchObject({
      code,
      message,
      exitCode: 3,
    })
  })

  test('a stranger is refused, and no flag waives that', async () => {
    const discovery = await discovered('unrelated')
    for (const waiveCloneProof of [false, true]) {
      const refused = await refusalOf(() => chooseClusters(discovery, request(A, [B], { waiveCloneProof })))
      expect(refused).toMatchObject({ code: 'NOT_A_CLONE', exitCode: 3 })
      expect(refused.message).toContain('the cluster certificates differ')
    }
  })

  test('so is a contradiction between records and certificates', async () => {
    const discovery = await discovered('lineage-against-certificates')
    const refused = await refusalOf(() => chooseClusters(discovery, request(A, [B], { waiveCloneProof: true })))
    expect(refused.code).toBe('NOT_A_CLONE')
  })

  test('an unknown origin is refused unless it is accepted', async () => {
    const discovery = await discovered('purged-backup')
    const refused = await refusalOf(() => chooseClusters(discovery, request(A, [B])))
    expect(refused).toMatchObject({ code: 'CLONE_UNPROVEN', exitCode: 3 })
    expect(refused.suggestions.at(-1)).toBe('if you know that they are, add --accept-unproven-clone')
    const choice = chooseClusters(discovery, request(A, [B], { waiveCloneProof: true }))
    expect(choice.verdicts).toMatchObject([{ verdict: 'unknown', waived: true }])
    expect(choice.warnings[0]).toMatch(/^clone proof waived for cluster-bbbbbbbbbbb: /)
  })

  describe('a family of three', () => {
    const three = (isUsable = true) =>
      discovered('three-regions-mixed', (answers) => {
        const [member, stranger] = [answers['us-east-1']?.Clusters[0], answers['ap-south-1']?.Clusters[0]]
        if (member?.Certificates && stranger) stranger.Certificates = member.Certificates
        if (member?.Hsms && stranger && isUsable) stranger.Hsms = member.Hsms
      })

    test('a member that is not named is refused, with what to type', async () => {
      const discovery = await three()
      const refused = await refusalOf(() => chooseClusters(discovery, request(A, [B], { requireFamilyNamed: true })))
      expect(refused).toMatchObject({ code: 'FAMILY_MEMBER_NOT_NAMED', exitCode: 3 })
      expect(refused.suggestions).toEqual([
        `--destination ap-south-1/${C}   to take it along`,
        `--leave-out ap-south-1/${C}   to leave it out knowingly`,
      ])
      expect(() => chooseClusters(discovery, request(A, [B]))).not.toThrow()
    })

    test('one that cannot be used now is not advised to be taken along, but to be left out with a reason', async () => {
      const asked = request(A, [B], { requireFamilyNamed: true, lostIsDebt: true })
      const refused = await refusalOf(async () => chooseClusters(await three(false), asked))
      expect(refused.suggestions).toEqual([`--leave-out ap-south-1/${C} --reason TEXT   to leave it out knowingly`])
    })

    test('one that the rotation is about already is advised to be left out with a reason, healthy or not', async () => {
      const asked = request(A, [B], { requireFamilyNamed: true, lostIsDebt: true, knownBefore: [ref(C).clusterId] })
      const refused = await refusalOf(async () => chooseClusters(await three(), asked))
      expect(refused.suggestions).toEqual([
        `--destination ap-south-1/${C}   to take it along`,
        `--leave-out ap-south-1/${C} --reason TEXT   to leave it out knowingly`,
      ])
    })

    test('where members need not be named, those that take no part are mentioned', async () => {
      const choice = chooseClusters(await three(), request(A, [B]))
      expect(choice.warnings).toEqual([`ap-south-1/${C} belongs to ${choice.family} as well, and takes no part`])
    })

    test('left out knowingly it is in the answer', async () => {
      const choice = chooseClusters(await three(), request(A, [B], { requireFamilyNamed: true, leaveOut: [C] }))
      expect(choice.leftOut.map(({ clusterId }) => clusterId)).toEqual([C])
    })

    test('a mistyped --leave-out is refused, one in a Region that is down is taken', async () => {
      const mistyped = request(A, [B], { requireFamilyNamed: true, leaveOut: ['cluster-cccccccccca'] })
      const discovery = await three()
      expect(() => chooseClusters(discovery, mistyped)).toThrow(OperatorError)
      const api = new FixtureApi(fixture('three-regions-mixed'), { 'ap-south-1': 'unreachable' })
      const down = await discoverClusters({ api, cache: new MemoryCache() }, everywhere)
      const choice = chooseClusters(down, request(A, [B], { requireFamilyNamed: true, leaveOut: [C] }))
      expect(choice.leftOutUnseen).toEqual([{ clusterId: C }])
      expect(choice.warnings).toContain(`${C} is left out and was not seen`)
      // Its own Region answered.
      const elsewhere = request(A, [B], { requireFamilyNamed: true, leaveOut: [`eu-west-1/${C}`] })
      expect(() => chooseClusters(down, elsewhere)).toThrow('was not found in eu-west-1')
      // Who knows that there was one makes no mistake.
      const gone = chooseClusters(down, { ...elsewhere, knownBefore: [ref(C).clusterId] })
      expect(gone.leftOutUnseen).toEqual([ref(`eu-west-1/${C}`)])
    })
  })
})
