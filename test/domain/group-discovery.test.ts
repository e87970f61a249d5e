import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import type { BackupRecord } from '../../src/domain/backup-record.js'
import { contradiction } from '../../src/domain/clone-evidence.js'
import { judgePair } from '../../src/domain/clone-verdict.js'
import type { Cluster } from '../../src/domain/cluster.js'
import { groupDiscovery } from '../../src/domain/group-discovery.js'
import type { ClusterId, RegionName, Sha256 } from '../../src/domain/ids.js'

const LETTERS = ['a', 'b', 'c', 'd', 'e', 'f']
const idOf = (letter: string): ClusterId => `cluster-${letter.repeat(11)}` as ClusterId
const region = fc.constantFrom<RegionName[]>('eu-west-1' as RegionName, 'us-east-1' as RegionName)
const backupId = fc.constantFrom('backup-1', 'backup-2', 'backup-3', 'backup-4')
const maybe = <T>(value: fc.Arbitrary<T>) => fc.option(value, { nil: null })

const cluster = (letter: string): fc.Arbitrary<Cluster> =>
  fc.record({
    clusterId: fc.constant(idOf(letter)),
    region,
    profile: fc.constant(null),
    state: fc.constant('ACTIVE'),
    hsmType: fc.constant('hsm1.medium'),
    mode: maybe(fc.constantFrom('FIPS', 'NON_FIPS')),
    sourceBackupId: maybe(backupId),
    certificateFingerprint: maybe(fc.constantFrom('1'.repeat(64) as Sha256, '2'.repeat(64) as Sha256)),
    hsms: fc.constant([]),
  })

const record: fc.Arbitrary<BackupRecord> = fc.record({
  backupId,
  region,
  account: fc.constant(null),
  clusterId: maybe(fc.constantFrom(...LETTERS.map(idOf))),
  sourceRegion: maybe(region),
  sourceBackup: maybe(backupId),
  sourceCluster: maybe(fc.constantFrom(...LETTERS.map(idOf))),
  seen: fc.constantFrom('live' as const, 'cached' as const),
})

const found = fc.record({
  clusters: fc.tuple(...LETTERS.map(cluster)),
  backups: fc.uniqueArray(record, { maxLength: 8, selector: ({ region: where, backupId: id }) => `${where}/${id}` }),
})

const grouped = ({ clusters, backups }: { clusters: readonly Cluster[]; backups: readonly BackupRecord[] }) =>
  groupDiscovery({ clusters, backups, problems: [], asked: [] })

describe('whatever AWS answers', () => {
  test('every cluster is in one family, and every family has a name of its own', () => {
    fc.assert(
      fc.property(found, (answer) => {
        const { families } = grouped(answer)
        expect(families.flatMap(({ clusterIds }) => clusterIds).sort()).toEqual(LETTERS.map(idOf))
        expect(new Set(families.map(({ family }) => family)).size).toBe(families.length)
      }),
    )
  })

  test('no family holds two members that contradict one another', () => {
    fc.assert(
      fc.property(found, (answer) => {
        for (const { clusterIds } of grouped(answer).families) {
          const members = answer.clusters.filter(({ clusterId }) => clusterIds.includes(clusterId))
          for (const a of members) for (const b of members) expect(a === b ? null : contradiction(a, b)).toBeNull()
        }
      }),
    )
  })

  test('the order of the answers changes nothing', () => {
    fc.assert(
      fc.property(found, ({ clusters, backups }) => {
        const turned = { clusters: [...clusters].reverse(), backups: [...backups].reverse() }
        expect(grouped(turned).families).toEqual(grouped({ clusters, backups }).families)
      }),
    )
  })

  test('two clusters are judged alike in either order, and as clones only inside one family', () => {
    fc.assert(
      fc.property(found, (answer) => {
        const discovery = grouped(answer)
        for (const a of answer.clusters) {
          for (const b of answer.clusters) {
            if (a === b) continue
            const verdict = judgePair(discovery, a, b)
            expect(judgePair(discovery, b, a)).toMatchObject({ verdict: verdict.verdict, certainty: verdict.certainty })
            const together = discovery.families.some(
              ({ clusterIds }) => clusterIds.includes(a.clusterId) && clusterIds.includes(b.clusterId),
            )
            expect(verdict.verdict.endsWith('clone') && verdict.verdict !== 'not-a-clone').toBe(together)
          }
        }
      }),
    )
  })
})
