import { describe, expect, test } from '@jest/globals'
import { renderRotation } from '../../../src/cli/views/rotation.js'
import type { Discovery, DiscoveryProblem } from '../../../src/domain/clone-family.js'
import type { Cluster } from '../../../src/domain/cluster.js'
import { ledgerOf } from '../../../src/domain/rotation/ledger.js'
import { exitCodeFor, rotationDocument } from '../../../src/domain/rotation/outcome.js'
import { rotationOf } from '../../../src/domain/rotation/rotation.js'
import { lookAgain } from '../../../src/use-cases/rotation/survey/unseen-regions.js'
import { discoveryOf } from '../../helpers/clusters.js'
import { change, DONE, type Line, login, PROMOTED, STORED, TOLD } from '../../helpers/journal-lines.js'
import { hsm, ROTATION, rosterOf } from '../../helpers/rotation.js'
import { keepPending, type Place, placeOf, planOf, reported } from '../../helpers/run-bench.js'
import { takeUp } from '../../helpers/taken-up.js'

// The Region of cluster b did not say which clusters it has when a rotation of cluster a began.

const [a, b] = [hsm('a'), hsm('b')]
const servers = rosterOf(2, 1)
const [source, missed] = reported(servers) as readonly [Cluster, Cluster]
const { clusterId, region } = missed
const UNSEEN = { region, profile: null, error: 'timed out' }
const SILENT: DiscoveryProblem = { ...UNSEEN, kind: 'unreachable', operation: 'DescribeClusters', named: true }
const NEW = [a, b].flatMap((hsmId): Line[] => [
  [change(hsmId), DONE],
  [login(hsmId), DONE],
])
const CLOSED: readonly Line[] = [STORED, ...NEW, PROMOTED, TOLD]
const seen = (clusters: readonly Cluster[], problems: readonly DiscoveryProblem[] = []): Discovery => ({
  ...discoveryOf(clusters, problems),
  asked: [source.region, region].map((one) => ({ region: one, profile: null })),
})

const unseenAtFirst = async (discovery: Discovery, lines = CLOSED, facts: object = {}): Promise<Place> => {
  const plan = { ...planOf(servers.slice(0, 2), 'cmu', ['app']), unseenRegions: [UNSEEN] }
  const place = placeOf({
    hsms: [2, 1],
    facts: { plan, ...facts },
    lines,
    fleet: (its) => {
      for (const hsmId of [a, b]) its.give(hsmId, 'new')
    },
  })
  await keepPending(place)
  if (lines === CLOSED) await place.store.promote(ROTATION)
  return { ...place, ports: { ...place.ports, discoverUnseen: async () => discovery } }
}
const documentOf = ({ entries }: Place) => rotationDocument(rotationOf(ledgerOf(entries)))

describe('a rotation that is completed, and a Region that was not seen', () => {
  test('answers with a member of the family: it is a debt, which resume pays', async () => {
    const place = await unseenAtFirst(seen([source, missed]))
    expect(exitCodeFor(documentOf(place))).toBe(0)
    const document = rotationDocument(await lookAgain(ROTATION, place.ports))
    expect([document.outcome, exitCodeFor(document), document.unseenRegions]).toEqual(['completed-with-debt', 6, []])
    const reason = 'its Region was not seen when it began (timed out), and it took no part'
    expect(document.debts).toEqual([{ hsmId: null, clusterId, region, reason }])
    expect(renderRotation(document)).not.toContain('not seen when it began:')
    expect(place.notices.join()).toContain(`${region}/${clusterId} belongs to the family of ${ROTATION}`)
    expect((await takeUp(place, 'resume')).ended).toBe('completed 0')
    expect(place.fleet.holds()).toBe('a new, b new, c new')
  })

  test('answers without one: nothing more is said of it', async () => {
    const place = await unseenAtFirst(seen([source]))
    await lookAgain(ROTATION, place.ports)
    expect([documentOf(place).unseenRegions, documentOf(place).outcome]).toEqual([[], 'completed'])
  })

  test.each([
    ['still does not answer', seen([source], [SILENT])],
    ['answers where the source is not seen', seen([missed])],
    ['was not asked', discoveryOf([source])],
  ])('%s: it goes on being named', async (_words, discovery) => {
    const place = await unseenAtFirst(discovery)
    const before = place.entries.length
    await lookAgain(ROTATION, place.ports)
    expect([documentOf(place).unseenRegions, place.entries.length]).toEqual([[UNSEEN], before])
  })
})

test('a rotation that is under way finds the member at its end', async () => {
  const place = await unseenAtFirst(seen([source, missed]), [STORED, ...NEW])
  place.aws.clusters = [source]
  const { ended, rotation } = await takeUp(place, 'resume')
  expect([ended, rotation?.lostClusters.map((one) => one.clusterId)]).toEqual(['completed-with-debt 6', [clusterId]])
})

test('a cluster that was left out with its Region and is back leaves no word of a Region that was not seen', async () => {
  const lostClusters = [{ clusterId, region, profile: null, reason: 'Region lost' }]
  const place = await unseenAtFirst(seen([source, missed]), CLOSED, { lostClusters })
  const { ended } = await takeUp(place, 'resume')
  expect([ended, documentOf(place).unseenRegions]).toEqual(['completed 0', []])
})
