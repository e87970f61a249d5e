import { type Discovery, familyOf } from '../../../domain/clone-family.js'
import { isDeleted } from '../../../domain/cluster.js'
import { OperatorError } from '../../../domain/errors.js'
import type { RotationId } from '../../../domain/ids.js'
import type { JournalEvent, LostCluster } from '../../../domain/rotation/journal-entry.js'
import { ledgerOf, type RotationLedger } from '../../../domain/rotation/ledger.js'
import type { UnseenRegion } from '../../../domain/rotation/plan.js'
import type { Progress } from '../../../domain/rotation/progress.js'
import { type Rotation, rotationOf } from '../../../domain/rotation/rotation.js'
import type { OpenPorts } from '../ports.js'

/** Asks AWS in Regions that were not seen, and in that of the source. */
export type DiscoverUnseen = (unseen: readonly UnseenRegion[]) => Promise<Discovery>

/** How a look is taken and written down. */
export interface LookPorts {
  readonly discoverUnseen?: DiscoverUnseen | undefined
  readonly record: (event: JournalEvent) => Promise<unknown>
  readonly progress: Progress
}

/**
 * Asks AWS again where it did not say which clusters there are when the rotation began. A member of the family that shows
 * there now and took no part is owed the credential, like one that was known to be lost.
 */
export const lookWhereUnseen = async (
  ledger: RotationLedger,
  { discoverUnseen, record, progress }: LookPorts,
): Promise<void> => {
  const { facts, rollback, unseenRegions } = ledger
  if (discoverUnseen === undefined || !mayBeSeenNow(ledger)) return
  // What is done is done, whatever AWS says: those Regions stay unseen.
  const discovery = await discoverUnseen(unseenRegions).catch((error: unknown) => {
    if (error instanceof OperatorError) return null
    throw error
  })
  if (discovery === null) return
  const unseen = unseenRegions.flatMap((one) => stillUnseen(one, discovery) ?? [])
  const missed = missedIn(ledger, discovery)
  if (missed === null || rollback !== null) return
  if (missed.length === 0 && unseen.length === unseenRegions.length) return
  await record({ type: 'unseen-again', unseen, missed })
  for (const { clusterId, region } of missed) {
    const text = `${region}/${clusterId} belongs to the family of ${facts.rotationId} and was not seen when that began: it is owed the credential`
    progress({ kind: 'notice', text })
  }
}

/** Whether there is anything left to look for: what goes back, or gives what others hold, owes nothing to what it never saw. */
export const mayBeSeenNow = ({ facts, rollback, unseenRegions }: RotationLedger): boolean =>
  facts.procedure === 'rotate' && rollback === null && unseenRegions.length > 0

/** The same for a rotation that is closed, with its locks and its journal. */
export const lookAgain = async (
  rotationId: RotationId,
  { locks, shelf, progress, discoverUnseen }: Pick<OpenPorts, 'locks' | 'shelf' | 'progress' | 'discoverUnseen'>,
): Promise<Rotation> => {
  const { clusterIds } = ledgerOf((await shelf.read(rotationId)).entries)
  const lock = await locks.acquire(clusterIds, rotationId)
  try {
    await lock.name(rotationId)
    const { entries, journal } = await shelf.reopen(rotationId)
    try {
      const ledger = ledgerOf(entries)
      const record = async (event: JournalEvent) => ledger.apply(await journal.append(event))
      await lookWhereUnseen(ledger, { discoverUnseen, record, progress })
      return rotationOf(ledger)
    } finally {
      await journal.close()
    }
  } finally {
    await lock.release()
  }
}

/** The Region with what AWS says now; null where it lists its clusters, and where they come from. */
const stillUnseen = (unseen: UnseenRegion, { asked, problems }: Discovery): UnseenRegion | null => {
  const { region, profile } = unseen
  const problem = problems.find((one) => one.region === region && one.profile === profile)
  if (problem !== undefined) return { region, profile, error: problem.error }
  return asked.some((one) => one.region === region && one.profile === profile) ? null : unseen
}

/** Members of the family that nobody named, in Regions that were not seen; null where AWS does not show the source. */
const missedIn = (ledger: RotationLedger, discovery: Discovery): readonly LostCluster[] | null => {
  const { plan, unseenRegions, facts, lostClusters } = ledger
  if (!discovery.clusters.some((one) => one.clusterId === plan.source.clusterId && one.region === plan.source.region))
    return null
  const known = new Set<string>(
    [
      ...[plan.source, ...plan.destinations, ...plan.leftOut],
      ...[...facts.lostClusters, ...lostClusters.values(), ...ledger.goneClusters, ...ledger.clustersPaidElsewhere],
    ].map(({ clusterId }) => clusterId),
  )
  const family = familyOf(discovery, plan.source.clusterId)?.clusterIds ?? []
  return discovery.clusters
    .filter((cluster) => family.includes(cluster.clusterId) && !known.has(cluster.clusterId) && !isDeleted(cluster))
    .flatMap((cluster) => {
      const before = unseenRegions.find(({ region }) => region === cluster.region)
      if (before === undefined) return []
      const { clusterId, region, profile } = cluster
      const reason = `its Region was not seen when it began (${before.error}), and it took no part`
      return [{ clusterId, region, profile, reason }]
    })
}
