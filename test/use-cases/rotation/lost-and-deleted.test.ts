import { describe, expect, test } from '@jest/globals'
import type { Discovery, DiscoveryProblem } from '../../../src/domain/clone-family.js'
import type { Cluster } from '../../../src/domain/cluster.js'
import type { HsmId, RegionName } from '../../../src/domain/ids.js'
import { rotationDocument } from '../../../src/domain/rotation/outcome.js'
import { discoveryOf } from '../../helpers/clusters.js'
import { change, DONE, type Line, login, PROMOTED, STORED, TOLD } from '../../helpers/journal-lines.js'
import { hsm, ROTATION, rosterOf } from '../../helpers/rotation.js'
import { keepPending, type Place, placeOf, planOf, reported } from '../../helpers/run-bench.js'
import { takeUp } from '../../helpers/taken-up.js'

// Cluster b was lost when a rotation of cluster a began, and is deleted for good later on.

const [a, b, c] = [hsm('a'), hsm('b'), hsm('c')]
const servers = rosterOf(2, 1)
const [source, lost] = reported(servers) as readonly [Cluster, Cluster]
const { clusterId, region } = lost
const NEW = [a, b].flatMap((hsmId): Line[] => [
  [change(hsmId), DONE],
  [login(hsmId), DONE],
])

const completed = async (named: RegionName | null = region, profile: string | null = null): Promise<Place> => {
  const place = placeOf({
    hsms: [2, 1],
    facts: {
      plan: planOf(servers.slice(0, 2), 'cmu', ['app']),
      lostClusters: [{ clusterId, region: named, profile, reason: 'Region lost' }],
    },
    lines: [STORED, ...NEW, PROMOTED, TOLD],
    fleet: (its) => {
      for (const hsmId of [a, b]) its.give(hsmId, 'new')
    },
  })
  await keepPending(place)
  await place.store.promote(ROTATION)
  return place
}

const seen = (clusters: readonly Cluster[], problems: readonly DiscoveryProblem[] = []): Discovery => ({
  ...discoveryOf(clusters, problems),
  asked: [source.region, region].map((one) => ({ region: one, profile: null })),
})
const withAws = (place: Place, discovery: Discovery): Place => ({
  ...place,
  ports: { ...place.ports, discover: async () => discovery },
})
const DELETED = seen([source, { ...lost, state: 'DELETED', hsms: [] }])
const SILENT: DiscoveryProblem = {
  region,
  profile: null,
  error: 'timed out',
  kind: 'unreachable',
  operation: 'DescribeClusters',
  named: true,
}

describe('a cluster that was lost from the start is owed nothing any more', () => {
  test.each([
    ['is listed as DELETED', region, DELETED, 'it is DELETED (Region lost)'],
    ['is DELETED, and was named by its ID alone', null, DELETED, 'it is DELETED (Region lost)'],
    ['is not listed by its Region', region, seen([source]), `${region} does not list it any more (Region lost)`],
  ])('once it %s', async (_words, named, discovery, reason) => {
    const { ended, rotation } = await takeUp(withAws(await completed(named), discovery), 'resume')
    expect([ended, rotation?.closed, rotation?.debts]).toEqual(['completed 0', true, []])
    if (rotation === null) throw new Error('it was taken up')
    const { debts, gone, leftOut } = rotationDocument(rotation)
    expect([debts, gone, leftOut]).toEqual([[], [{ hsmId: null, clusterId, region: named, reason }], [clusterId]])
  })

  test.each([
    ['its Region does not answer', region, null, seen([source], [SILENT])],
    ['its Region was not asked', region, null, discoveryOf([source])],
    ['it was named by its ID alone and is not listed', null, null, seen([source])],
    ['nobody shows that the account is the right one', region, 'other', seen([source])],
  ])('but not while %s', async (_words, named, profile, discovery) => {
    const { ended } = await takeUp(withAws(await completed(named, profile), discovery), 'resume')
    expect(ended).toBe('completed-with-debt 6')
  })
})

describe('every HSM of a rotation that was recovered is gone, and a cluster was left out that may hold its new credential', () => {
  const recovered = async (): Promise<Place> => {
    const place = placeOf({
      hsms: [2, 1],
      facts: {
        recovered: true,
        plan: planOf(servers.slice(0, 2), 'cmu', ['app']),
        lostClusters: [{ clusterId, region, profile: null, reason: 'Region lost' }],
      },
      fleet: (its) => its.give(c, 'new'),
    })
    await keepPending(place, true)
    return place
  }
  const gone = { ...source, state: 'DELETED' as const, hsms: [] }
  const both = { options: { mayStayBehind: { hsmIds: [a, b] as readonly HsmId[], reason: 'deleted' } } }

  test('rollback is refused, and forward, as it says, PENDING is kept as the current one and the cluster a debt', async () => {
    const place = withAws(await recovered(), seen([gone], [SILENT]))
    const { ended, suggestions } = await takeUp(place, 'rollback', both)
    expect([ended, suggestions.join()]).toEqual(['NO_WAY_BACK 3', expect.stringContaining('rotate resume')])
    const resumed = await takeUp(place, 'resume', both)
    expect([resumed.ended, place.store.versions.current?.rotationId]).toEqual(['completed-with-debt 6', ROTATION])
  })

  test('once that is deleted as well, resume says that a rollback closes it; it does', async () => {
    const place = withAws(await recovered(), seen([gone, { ...lost, state: 'DELETED', hsms: [] }]))
    const { ended, suggestions } = await takeUp(place, 'resume', both)
    expect([ended, suggestions.join()]).toEqual(['NO_HSM_LEFT 4', expect.stringContaining('rotate rollback')])
    expect((await takeUp(place, 'rollback')).ended).toBe('rolled-back 0')
  })

  test('once that is back, it is taken along', async () => {
    const place = withAws(await recovered(), seen([gone, lost]))
    expect((await takeUp(place, 'resume', both)).ended).toBe('completed 0')
    expect(place.fleet.holds()).toContain('c new')
  })
})
