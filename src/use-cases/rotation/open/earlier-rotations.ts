import { EXIT, OperatorError } from '../../../domain/errors.js'
import type { ClusterId, HsmId } from '../../../domain/ids.js'
import type { JournalShelf } from '../../../domain/rotation/journal.js'
import type { Progress } from '../../../domain/rotation/progress.js'
import type { Rotation } from '../../../domain/rotation/rotation.js'

/** An unfinished rotation holds a PENDING credential of its own; a second one beside it would lose the first. */
export const refuseOpenRotation = async (shelf: JournalShelf, clusterIds: readonly ClusterId[]): Promise<void> => {
  for (const open of await shelf.openRotations(clusterIds)) {
    if (open.outcome === 'paused' && sharedWith(open, clusterIds) !== undefined) throw rotationOpen(open, clusterIds)
  }
}

const sharedWith = ({ plan }: Rotation, clusterIds: readonly ClusterId[]): ClusterId | undefined =>
  [plan.source, ...plan.destinations].map(({ clusterId }) => clusterId).find((one) => clusterIds.includes(one))

/**
 * The refusal because of a rotation that is not finished.
 * @param more what else is to be said of it
 */
export const rotationOpen = (open: Rotation, clusterIds: readonly ClusterId[], more = ''): OperatorError => {
  const { rotationId } = open.facts
  const back = open.direction === 'back' ? ' going back,' : ''
  const where = sharedWith(open, clusterIds) ?? open.plan.source.clusterId
  return new OperatorError(
    'ROTATION_OPEN',
    `${rotationId}, started ${open.startedAt},${back} is not finished on ${where} (${open.stage ?? 'closing'})${more}`,
    {
      exitCode: EXIT.locked,
      suggestions: [
        `lockstep rotate status --rotation ${rotationId}`,
        `lockstep rotate resume --rotation ${rotationId}`,
      ],
    },
  )
}

/** HSMs of these clusters that stayed behind in earlier rotations, and how each is paid. */
export const indebted = async (shelf: JournalShelf, clusterIds: readonly ClusterId[]): Promise<readonly string[]> =>
  (await shelf.openRotations(clusterIds)).flatMap(({ outcome, debts, facts: { rotationId } }) =>
    outcome !== 'completed-with-debt'
      ? []
      : debts.map(
          ({ hsmId, reason }) =>
            `${hsmId} stayed behind in ${rotationId} (${reason}): lockstep rotate resume --rotation ${rotationId} gives it the credential`,
        ),
  )

/**
 * Writes down in rotations that started before this one which of their debts are paid now: every user of theirs was given
 * a newer credential, or the same, on those HSMs. The locks of the clusters are held, so nobody else works on those rotations.
 */
export const settleEarlierDebts = async (
  rotation: Rotation,
  shelf: JournalShelf,
  progress: Progress,
): Promise<void> => {
  if (rotation.outcome === 'paused' || rotation.direction === 'back') return
  const { plan, cells, facts } = rotation
  const clusterIds = [plan.source, ...plan.destinations].map(({ clusterId }) => clusterId)
  const isPaid = (users: Rotation['plan']['users'], of: (cell: Rotation['cells'][number]) => boolean): boolean => {
    const mine = cells.filter(of)
    return (
      mine.length > 0 &&
      users.every(({ key }) => mine.some(({ user }) => user === key)) &&
      // A copy of nobody knows what pays nothing.
      mine.every(({ state, proof }) => state === 'new' && proof === 'login-new')
    )
  }
  for (const earlier of await shelf.openRotations(clusterIds)) {
    const { rotationId } = earlier.facts
    if (earlier.outcome !== 'completed-with-debt' || rotationId === facts.rotationId) continue
    if (earlier.startedAt > rotation.startedAt) continue
    const hsms = earlier.debts.filter(({ hsmId }) => isPaid(owedOn(earlier, hsmId), (cell) => cell.hsmId === hsmId))
    const clusters = earlier.lostClusters.filter(({ clusterId }) =>
      isPaid(earlier.plan.users, (cell) => cell.clusterId === clusterId),
    )
    if (hsms.length === 0 && clusters.length === 0) continue
    const { journal } = await shelf.reopen(rotationId)
    try {
      const by = facts.rotationId
      for (const { hsmId } of hsms) await journal.append({ type: 'debt-settled', hsmId, by })
      for (const { clusterId } of clusters) await journal.append({ type: 'cluster-settled', clusterId, by })
    } finally {
      await journal.close()
    }
    const paid = [...hsms.map(({ hsmId }) => hsmId), ...clusters.map(({ clusterId }) => clusterId)].join(', ')
    progress({ kind: 'notice', text: `the debt of ${rotationId} is paid: ${paid}` })
  }
}

/** Users that an HSM is owed still: the others it was given, by this rotation or a newer one. */
const owedOn = ({ plan, cells }: Rotation, hsmId: HsmId): Rotation['plan']['users'] => {
  const owed = plan.users.filter(({ key }) =>
    cells.some((cell) => cell.hsmId === hsmId && cell.user === key && cell.state !== 'new'),
  )
  return owed.length === 0 ? plan.users : owed
}
