import { EXIT, OperatorError, refusal } from '../../../domain/errors.js'
import type { ClusterId, HsmId, RotationId } from '../../../domain/ids.js'
import type { RosterEntry } from '../../../domain/roster.js'
import { followReadable } from '../../../domain/rotation/follow-rotation.js'
import type { JournalShelf } from '../../../domain/rotation/journal.js'
import type { RotationLedger } from '../../../domain/rotation/ledger.js'
import type { RotationPlan } from '../../../domain/rotation/plan.js'
import type { Progress } from '../../../domain/rotation/progress.js'
import { type Rotation, rotationOf } from '../../../domain/rotation/rotation.js'
import { describePlaces } from '../describe-plan.js'

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
export const indebted = async (shelf: JournalShelf, clusterIds: readonly ClusterId[]): Promise<readonly string[]> => {
  const lines: string[] = []
  for (const { outcome, debts, facts, plan } of await shelf.openRotations(clusterIds)) {
    const { rotationId } = facts
    const isBack = outcome === 'rolled-back'
    if (outcome === 'paused' || (isBack && (await overtaking(rotationId, plan, shelf)).length > 0)) continue
    const what = isBack ? 'gives it back what it held' : 'gives it the credential'
    for (const { hsmId, reason } of debts) {
      lines.push(
        `${hsmId} stayed behind in ${rotationId} (${reason}): lockstep rotate resume --rotation ${rotationId} ${what}`,
      )
    }
  }
  return lines
}

/**
 * What a rollback owes is what HSMs held before. Where a later rotation has gone on since, that is in force no more: what
 * would be copied is another thing by now, and CURRENT of the store as well.
 * @returns the refusal to give it back, `DEBT_SUPERSEDED`, which names what pays it; null where nothing has gone on
 */
export const whyOvertaken = async (ledger: RotationLedger, shelf: JournalShelf): Promise<OperatorError | null> => {
  const { facts, plan, owedBack, discard } = ledger
  if (discard !== 'read-back' || owedBack.size === 0) return null
  const later = await overtaking(facts.rotationId, plan, shelf)
  const by = later.find((one) => givesAll(one, ledger)) ?? later[0]
  if (by === undefined) return null
  const { rotationId, store } = by.facts
  const resume = `lockstep rotate resume --rotation ${rotationId}`
  const repair = `lockstep users repair --to-current --store ${store ?? facts.store} ${describePlaces(plan)}`
  const hsmIds = [...owedBack.keys()]
  const isPaused = rotationOf(by).outcome === 'paused'
  return refusal(
    'DEBT_SUPERSEDED',
    `${facts.rotationId} is superseded by ${rotationId}, started ${by.startedAt}: ${hsmIds.join(', ')} ${hsmIds.length === 1 ? 'needs' : 'need'} what is in force now`,
    [
      ...(isPaused ? [`finish it first: ${resume}`] : []),
      ...(!isPaused && givesAll(by, ledger)
        ? [
            `${resume} gives that once ${hsmIds.length === 1 ? 'it is' : 'they are'} back, and settles both`,
            `or ${repair}`,
          ]
        : [`${isPaused ? 'then ' : ''}${repair}`]),
    ],
  )
}

/** @throws {OperatorError} `DEBT_SUPERSEDED`, see `whyOvertaken` */
export const refuseOvertaken = async (ledger: RotationLedger, shelf: JournalShelf): Promise<void> => {
  const why = await whyOvertaken(ledger, shelf)
  if (why !== null) throw why
}

/** Whether a later rotation owes every user on every HSM that another one was to give something back. */
const givesAll = (later: RotationLedger, { plan, owedBack }: RotationLedger): boolean => {
  const { debts, lostClusters } = later
  const owes = ({ hsmId, clusterId }: Pick<RosterEntry, 'hsmId' | 'clusterId'>) =>
    debts.has(hsmId) || lostClusters.has(clusterId)
  return (
    later.rollback === null &&
    plan.roster.filter(({ hsmId }) => owedBack.has(hsmId)).every(owes) &&
    plan.users.every(({ key }) => later.plan.users.some((user) => user.key === key))
  )
}

/** Later rotations or repairs of the same users on one of these clusters that were not taken back, newest first. */
const overtaking = async (
  rotationId: RotationId,
  { source, destinations, users }: RotationPlan,
  shelf: JournalShelf,
): Promise<readonly RotationLedger[]> => {
  const clusterIds = [source, ...destinations].map(({ clusterId }) => clusterId)
  const found: RotationLedger[] = []
  // IDs begin with the time.
  for (const later of (await shelf.list()).filter((one) => one > rotationId)) {
    const { ledger } = await followReadable(shelf, later)
    if (ledger?.hasChanged !== true || rotationOf(ledger).outcome === 'rolled-back') continue
    const { plan } = ledger
    const isShared = [plan.source, ...plan.destinations].some(({ clusterId }) => clusterIds.includes(clusterId))
    if (isShared && plan.users.some(({ key }) => users.some((user) => user.key === key))) found.unshift(ledger)
  }
  return found
}

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
    if (earlier.outcome === 'paused' || rotationId === facts.rotationId) continue
    if (earlier.startedAt > rotation.startedAt) continue
    const hsms = earlier.debts.filter(({ hsmId }) => isPaid(owedOn(earlier, hsmId), (cell) => cell.hsmId === hsmId))
    const clusters = earlier.lostClusters.filter(
      ({ clusterId }) =>
        earlier.direction === 'forward' && isPaid(earlier.plan.users, (cell) => cell.clusterId === clusterId),
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

/** Users that an HSM is owed still: the others it was given, or given back, by this rotation or a newer one. */
const owedOn = ({ plan, cells, direction }: Rotation, hsmId: HsmId): Rotation['plan']['users'] => {
  const done = direction === 'back' ? 'old' : 'new'
  const owed = plan.users.filter(({ key }) =>
    cells.some((cell) => cell.hsmId === hsmId && cell.user === key && cell.state !== done),
  )
  return owed.length === 0 ? plan.users : owed
}
