import { EXIT, OperatorError } from '../../../domain/errors.js'
import type { ClusterId, HsmId, RotationId } from '../../../domain/ids.js'
import type { Cell } from '../../../domain/rotation/cell.js'
import type { JournalShelf } from '../../../domain/rotation/journal.js'
import type { PlannedUser } from '../../../domain/rotation/plan.js'
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
  (await shelf.openRotations(clusterIds)).flatMap(({ outcome, direction, debts, facts: { rotationId } }) => {
    const what = direction === 'back' ? 'gives it back what it held' : 'gives it the credential'
    return outcome === 'paused'
      ? []
      : debts.map(
          ({ hsmId, reason }) =>
            `${hsmId} stayed behind in ${rotationId} (${reason}): lockstep rotate resume --rotation ${rotationId}   ${what}, unless a newer one has gone on since`,
        )
  })

/**
 * Writes down in rotations that started before this one which of their debts are paid now: every user of theirs was given
 * a newer credential, or the same, on those HSMs, by this one or another that is newer than they are. The locks of the
 * clusters are held, so nobody else works on those rotations.
 */
export const settleEarlierDebts = async (
  rotation: Rotation,
  shelf: JournalShelf,
  progress: Progress,
): Promise<void> => {
  if (rotation.outcome === 'paused' || rotation.direction === 'back') return
  const { plan, facts } = rotation
  const clusterIds = [plan.source, ...plan.destinations].map(({ clusterId }) => clusterId)
  const all = await shelf.rotationsOn(clusterIds)
  const earlier = all.filter(
    (one) => !one.closed && one.outcome !== 'paused' && !isSame(one, rotation) && one.startedAt <= rotation.startedAt,
  )
  for (const one of earlier) {
    const newer = [rotation, ...all.filter((other) => hasGoneOn(other, one) && !isSame(other, rotation))]
    await settleDebtsOf(one, { by: facts.rotationId, newer, shelf, progress })
  }
}

const isSame = (one: Rotation, other: Rotation): boolean => one.facts.rotationId === other.facts.rotationId

const hasGoneOn = (other: Rotation, earlier: Rotation): boolean =>
  other.outcome.startsWith('completed') && other.startedAt >= earlier.startedAt && !isSame(other, earlier)

const settleDebtsOf = async (
  earlier: Rotation,
  {
    by,
    newer,
    shelf,
    progress,
  }: {
    readonly by: RotationId
    readonly newer: readonly Rotation[]
    readonly shelf: JournalShelf
    readonly progress: Progress
  },
): Promise<void> => {
  // A copy of nobody knows what pays nothing.
  const isPaid = ({ key }: PlannedUser, of: (cell: Cell) => boolean): boolean =>
    newer.some(({ cells }) => {
      const its = cells.filter((cell) => cell.user === key && of(cell))
      return its.length > 0 && its.every(({ state, proof }) => state === 'new' && proof === 'login-new')
    })
  const hsms = earlier.debts.filter(({ hsmId }) =>
    owedOn(earlier, hsmId).every((user) => isPaid(user, (cell) => cell.hsmId === hsmId)),
  )
  const clusters = earlier.lostClusters.filter(
    ({ clusterId }) =>
      earlier.direction === 'forward' &&
      earlier.plan.users.every((user) => isPaid(user, (cell) => cell.clusterId === clusterId)),
  )
  if (hsms.length === 0 && clusters.length === 0) return
  const { rotationId } = earlier.facts
  const { journal } = await shelf.reopen(rotationId)
  try {
    for (const { hsmId } of hsms) await journal.append({ type: 'debt-settled', hsmId, by })
    for (const { clusterId } of clusters) await journal.append({ type: 'cluster-settled', clusterId, by })
  } finally {
    await journal.close()
  }
  const paid = [...hsms.map(({ hsmId }) => hsmId), ...clusters.map(({ clusterId }) => clusterId)].join(', ')
  progress({ kind: 'notice', text: `the debt of ${rotationId} is paid: ${paid}` })
}

/** Users that an HSM is owed still: the others it was given, or given back, by this rotation or a newer one. */
const owedOn = ({ plan, cells, direction }: Rotation, hsmId: HsmId): readonly PlannedUser[] => {
  const done = direction === 'back' ? 'old' : 'new'
  const owed = plan.users.filter(({ key }) =>
    cells.some((cell) => cell.hsmId === hsmId && cell.user === key && cell.state !== done),
  )
  return owed.length === 0 ? plan.users : owed
}
