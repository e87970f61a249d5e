import { type OperatorError, refusal } from '../../../domain/errors.js'
import type { UserKey } from '../../../domain/hsm-user.js'
import type { ClusterId, HsmId } from '../../../domain/ids.js'
import type { CellRef } from '../../../domain/rotation/cell.js'
import { followReadable } from '../../../domain/rotation/follow-rotation.js'
import type { JournalShelf } from '../../../domain/rotation/journal.js'
import type { JournalEvent } from '../../../domain/rotation/journal-entry.js'
import type { RotationLedger } from '../../../domain/rotation/ledger.js'
import { isLeftToDo } from '../../../domain/rotation/procedures/roll-back.js'
import { type Rotation, rotationOf } from '../../../domain/rotation/rotation.js'
import { leftToNewer } from '../cells/left-to-newer.js'
import type { RotationRun } from '../run/rotation-run.js'
import { rotationOpen } from './earlier-rotations.js'

/** That a newer run has given a user of a cluster something newer. */
export type Supersession = Extract<JournalEvent, { type: 'superseded' }>

/**
 * Writes down which users of which clusters a newer run has given something newer: what this one gives, or gives back, is
 * older than what they hold, so that it neither writes nor asks them any more. HSMs that stayed behind in the newer one as
 * well are left to it; where the newer one has none left there, a debt of this one is settled.
 *
 * What the store keeps as CURRENT is never older: a repair that gives it is not superseded, and supersedes no rotation,
 * whose credential the store may keep still. What a rollback owes it does: that may be what was current before.
 * @throws {OperatorError} `ROTATION_OPEN` (exit 5) while the newer one is not finished; `DEBT_SUPERSEDED` where all that is
 * left is left to it
 */
export const leaveToNewer = async (run: RotationRun, shelf: JournalShelf): Promise<void> => {
  const { ledger } = run
  if (!mayBeSuperseded(ledger)) return
  const newer = await newerThan(ledger, shelf)
  if (!isGoingBack(ledger, run.goesBack)) refuseUnfinished(newer, ledger)
  for (const supersession of supersessionsOf(ledger, newer)) await noteSuperseded(run, supersession)
  await settleSuperseded(run)
  if (isGoingBack(ledger, run.goesBack)) return
  const left = allLeftToNewer(ledger)
  if (left !== null) throw left
}

/** What newer runs say of one that is through. */
export interface GoneOnSince {
  /** What they have given its users since: what it says of them was so before. */
  readonly newer: readonly Supersession[]
  /** Why one of them has to give what this one owes; null where it may itself. */
  readonly why: OperatorError | null
}

/**
 * What newer runs have gone on with, as the journals of this machine tell it that can be read.
 * @param ledger follows what a run that takes it up would write down
 */
export const goneOnSince = async (ledger: RotationLedger, shelf: JournalShelf): Promise<GoneOnSince> => {
  const runs = await readableSince(ledger, shelf)
  const newer = supersessionsOf(ledger, runs)
  if (!isOwing(ledger) || !mayBeSuperseded(ledger)) return { newer, why: null }
  const open = unfinished(runs)
  if (open !== undefined) return { newer, why: beingNewer(open, ledger) }
  for (const event of newer) ledger.apply({ seq: 0, at: ledger.startedAt, event })
  return { newer, why: allLeftToNewer(ledger) }
}

const readableSince = async (ledger: RotationLedger, shelf: JournalShelf): Promise<readonly Rotation[]> => {
  const runs: Rotation[] = []
  // IDs begin with the time.
  for (const id of (await shelf.list()).filter((one) => one > ledger.facts.rotationId)) {
    const { ledger: other, trouble } = await followReadable(shelf, id)
    const isBeside = other?.clusterIds.some((clusterId) => ledger.clusterIds.includes(clusterId)) === true
    if (trouble === null && isBeside) runs.push(rotationOf(other))
  }
  return runs.filter((other) => isNewer(other, ledger))
}

/** Nothing is left to do but what is owed. */
const isOwing = ({ applicationsTold, discard, owedBack, debts, lostClusters }: RotationLedger): boolean =>
  (applicationsTold && debts.size + lostClusters.size > 0) || (discard === 'read-back' && owedBack.size > 0)

const mayBeSuperseded = ({ facts, applicationsTold, rollback, discard, owedBack }: RotationLedger): boolean => {
  if (rollback !== null && discard === 'read-back') return owedBack.size > 0
  return facts.procedure === 'repair' ? facts.newCredential !== 'kept' : applicationsTold
}

/** In the middle of a rollback, which no newer run can have begun beside. */
const isGoingBack = ({ discard }: RotationLedger, goesBack: boolean): boolean => goesBack && discard !== 'read-back'

/** Runs that began since and are of one of its users, oldest first. */
const newerThan = async (ledger: RotationLedger, shelf: JournalShelf): Promise<readonly Rotation[]> =>
  (await shelf.rotationsOn(ledger.clusterIds)).filter((other) => isNewer(other, ledger))

const isNewer = ({ facts, startedAt, plan }: Rotation, mine: RotationLedger): boolean => {
  if (facts.rotationId === mine.facts.rotationId || startedAt <= mine.startedAt) return false
  const givesKept = facts.procedure === 'repair' && facts.newCredential === 'kept'
  const isKept = facts.kept === undefined || facts.kept.rotationId === mine.facts.rotationId
  const mayBeSame = givesKept && isKept && mine.facts.procedure === 'rotate' && mine.rollback === null
  return !mayBeSame && plan.users.some(({ key }) => mine.plan.users.some((user) => user.key === key))
}

const unfinished = (newer: readonly Rotation[]): Rotation | undefined =>
  newer.find(({ outcome, hasChanged }) => outcome === 'paused' && hasChanged)

const beingNewer = (open: Rotation, { facts, clusterIds }: RotationLedger): OperatorError =>
  rotationOpen(open, clusterIds, `, and is newer than ${facts.rotationId}`)

/** What it has written it may still take back, so that nobody knows what is older. */
const refuseUnfinished = (newer: readonly Rotation[], ledger: RotationLedger): void => {
  const open = unfinished(newer)
  if (open !== undefined) throw beingNewer(open, ledger)
}

/** What the newest run that is through has given, user by user of each cluster. */
const supersessionsOf = (ledger: RotationLedger, newer: readonly Rotation[]): readonly Supersession[] => {
  const through = newer.filter(({ outcome }) => outcome.startsWith('completed')).reverse()
  return ledger.clusterIds.flatMap((clusterId) =>
    ledger.plan.users.flatMap(({ key: user }) => {
      const by = through.find((other) => hasGiven(other, user, clusterId))
      if (by === undefined) return []
      return [
        { type: 'superseded', user, clusterId, by: by.facts.rotationId, ...owedBy(by, clusterId, ledger) } as const,
      ]
    }),
  )
}

const hasGiven = ({ cells, debts, lostClusters, plan }: Rotation, user: UserKey, clusterId: ClusterId): boolean =>
  // Also where a repair copied from: what it holds there is what is right since.
  cells.some((cell) => cell.user === user && cell.clusterId === clusterId && cell.state === 'new') ||
  (plan.users.some(({ key }) => key === user) &&
    (isLostTo({ lostClusters }, clusterId) ||
      plan.roster.some(
        (server) => server.clusterId === clusterId && debts.some(({ hsmId }) => hsmId === server.hsmId),
      )))

const isLostTo = ({ lostClusters }: Pick<Rotation, 'lostClusters'>, clusterId: ClusterId): boolean =>
  lostClusters.some((lost) => lost.clusterId === clusterId)

/** What a newer run has left to give on a cluster: where all of it was lost, the HSMs that the older one knows. */
const owedBy = (
  newer: Rotation,
  clusterId: ClusterId,
  mine: RotationLedger,
): Pick<Supersession, 'owing' | 'owesCluster'> => {
  const isLost = isLostTo(newer, clusterId)
  const owing = (isLost ? mine.plan.roster : newer.plan.roster)
    .filter((server) => server.clusterId === clusterId)
    .flatMap(({ hsmId }) => (isLost || newer.debts.some((debt) => debt.hsmId === hsmId) ? [hsmId] : []))
  return isLost ? { owing, owesCluster: true } : { owing }
}

const noteSuperseded = async (run: RotationRun, supersession: Supersession): Promise<void> => {
  const { user, clusterId, by, owing } = supersession
  const known = run.ledger.superseded(user, clusterId)
  const isSame = known?.owing.join() === owing.join() && known.owesCluster === supersession.owesCluster
  if (known?.by === by && isSame) return
  await run.record(supersession)
  if (known?.by === by) return
  run.notice(
    `${by} is newer and gives ${user} on ${clusterId} another password: ${run.ledger.facts.rotationId} leaves it alone`,
  )
}

/** A debt of which a newer run has given every user something newer is none of this one any more. */
const settleSuperseded = async (run: RotationRun): Promise<void> => {
  const { ledger, plan } = run
  for (const hsmId of [...ledger.debts.keys(), ...ledger.owedBack.keys()]) {
    const clusterId = plan.roster.find((server) => server.hsmId === hsmId)?.clusterId
    const by = clusterId === undefined ? null : supersededBy(ledger, clusterId)
    if (by === null || plan.users.some(({ key }) => ledger.isOwedElsewhere(key, hsmId))) continue
    await run.record({ type: 'debt-settled', hsmId, by })
    run.notice(`the debt of ${ledger.facts.rotationId} on ${hsmId} is settled by ${by}, which is newer`)
  }
  for (const clusterId of [...ledger.lostClusters.keys()]) {
    const by = supersededBy(ledger, clusterId)
    const isLeft = ledger.lostLeftTo(clusterId).length > 0
    if (by !== null && !isLeft) await run.record({ type: 'cluster-settled', clusterId, by })
  }
}

/** The newer run that has given every user there something newer. */
const supersededBy = (ledger: RotationLedger, clusterId: ClusterId) => {
  const [first, ...others] = ledger.plan.users.map(({ key }) => ledger.superseded(key, clusterId))
  return first && others.every((one) => one !== null) ? first.by : null
}

/** The refusal where a newer run has to give all that is left; null where something is this one's own. */
const allLeftToNewer = (ledger: RotationLedger): OperatorError | null => {
  const left = leftToNewer(ledger)
  return left === null || isAnythingLeft(ledger) ? null : refusal(left.code, left.message, left.suggestions)
}

/** Whether anything is left that this run has to give by itself. */
const isAnythingLeft = (ledger: RotationLedger): boolean => {
  const { owedBack, debts, plan } = ledger
  const isLeft = (hsmIds: Iterable<HsmId>, of: (cell: CellRef) => boolean) =>
    [...hsmIds].some((hsmId) => plan.users.some(({ key: user }) => of({ user, hsmId })))
  if (ledger.rollback !== null) return isLeft(owedBack.keys(), (cell) => isLeftToDo(ledger, cell))
  // One that was not through goes on with the rest only once nobody else has anything left to give there.
  if (!ledger.applicationsTold) return false
  if ([...ledger.lostClusters.keys()].some((clusterId) => ledger.lostLeftTo(clusterId).length === 0)) return true
  return isLeft(
    debts.keys(),
    ({ user, hsmId }) => ledger.supersededBy(user, hsmId) === null && ledger.cell(user, hsmId).state !== 'new',
  )
}
