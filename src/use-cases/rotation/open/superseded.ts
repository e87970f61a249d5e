import { refusal } from '../../../domain/errors.js'
import type { UserKey } from '../../../domain/hsm-user.js'
import type { ClusterId } from '../../../domain/ids.js'
import type { JournalShelf } from '../../../domain/rotation/journal.js'
import type { RotationLedger } from '../../../domain/rotation/ledger.js'
import type { Rotation } from '../../../domain/rotation/rotation.js'
import { leftToNewer } from '../cells/left-to-newer.js'
import type { RotationRun } from '../run/rotation-run.js'
import { rotationOpen } from './earlier-rotations.js'

/**
 * Writes down which users of which clusters a newer run has given something newer: what this one gives is older than what
 * they hold, so that it neither writes nor asks them any more. HSMs that stayed behind in the newer one as well are left to
 * it; where the newer one has none left there, a debt of this one is settled.
 *
 * What the store keeps as CURRENT is never older: a repair that gives it is not superseded, and supersedes no rotation,
 * whose credential the store may keep still.
 * @throws {OperatorError} `ROTATION_OPEN` (exit 5) while the newer one is not finished; `DEBT_SUPERSEDED` where all that is
 * left is left to it
 */
export const leaveToNewer = async (run: RotationRun, shelf: JournalShelf): Promise<void> => {
  const { ledger } = run
  if (!mayBeSuperseded(ledger)) return
  const { clusterIds } = ledger
  const newer = (await shelf.rotationsOn(clusterIds)).filter((other) => isNewer(other, ledger))
  if (!run.goesBack) refuseUnfinished(newer, ledger, clusterIds)
  const through = newer.filter(({ outcome }) => outcome.startsWith('completed')).reverse()
  for (const clusterId of clusterIds) {
    for (const { key: user } of ledger.plan.users) {
      const by = through.find((other) => hasGiven(other, user, clusterId))
      if (by !== undefined) await noteSuperseded(run, user, clusterId, by)
    }
  }
  await settleSuperseded(run)
  const left = leftToNewer(ledger)
  if (run.goesBack || left === null || isAnythingLeft(ledger)) return
  throw refusal(left.code, left.message, left.suggestions)
}

const mayBeSuperseded = ({ facts, applicationsTold }: RotationLedger): boolean =>
  facts.procedure === 'repair' ? facts.newCredential !== 'kept' : applicationsTold

const isNewer = ({ facts, startedAt, plan }: Rotation, mine: RotationLedger): boolean => {
  if (facts.rotationId === mine.facts.rotationId || startedAt <= mine.startedAt) return false
  const mayBeSame = facts.procedure === 'repair' && facts.newCredential === 'kept' && mine.facts.procedure === 'rotate'
  return !mayBeSame && plan.users.some(({ key }) => mine.plan.users.some((user) => user.key === key))
}

/** What it has written it may still take back, so that nobody knows what is older. */
const refuseUnfinished = (
  newer: readonly Rotation[],
  { facts }: RotationLedger,
  clusterIds: readonly ClusterId[],
): void => {
  const open = newer.find(({ outcome, hasChanged }) => outcome === 'paused' && hasChanged)
  if (open !== undefined) throw rotationOpen(open, clusterIds, `, and is newer than ${facts.rotationId}`)
}

const hasGiven = ({ cells, debts, plan }: Rotation, user: UserKey, clusterId: ClusterId): boolean =>
  cells.some((cell) => cell.user === user && cell.clusterId === clusterId && cell.state === 'new') ||
  (plan.users.some(({ key }) => key === user) &&
    plan.roster.some((server) => server.clusterId === clusterId && debts.some(({ hsmId }) => hsmId === server.hsmId)))

const noteSuperseded = async (
  run: RotationRun,
  user: UserKey,
  clusterId: ClusterId,
  { facts: { rotationId: by }, debts, plan }: Rotation,
): Promise<void> => {
  const { ledger } = run
  const owing = plan.roster
    .filter((server) => server.clusterId === clusterId && debts.some(({ hsmId }) => hsmId === server.hsmId))
    .map(({ hsmId }) => hsmId)
  const known = ledger.superseded(user, clusterId)
  if (known?.by === by && known.owing.join() === owing.join()) return
  await run.record({ type: 'superseded', user, clusterId, by, owing })
  if (known?.by === by) return
  run.notice(
    `${by} is newer and gives ${user} on ${clusterId} another password: ${ledger.facts.rotationId} leaves it alone`,
  )
}

/** A debt of which a newer run has given every user something newer is none of this one any more. */
const settleSuperseded = async (run: RotationRun): Promise<void> => {
  const { ledger, plan } = run
  for (const [hsmId] of [...ledger.debts]) {
    const clusterId = plan.roster.find((server) => server.hsmId === hsmId)?.clusterId
    const by = clusterId === undefined ? null : supersededBy(ledger, clusterId)
    if (by === null || plan.users.some(({ key }) => ledger.isOwedElsewhere(key, hsmId))) continue
    await run.record({ type: 'debt-settled', hsmId, by })
    run.notice(`the debt of ${ledger.facts.rotationId} on ${hsmId} is settled by ${by}, which is newer`)
  }
  for (const clusterId of [...ledger.lostClusters.keys()]) {
    const by = supersededBy(ledger, clusterId)
    if (by !== null) await run.record({ type: 'cluster-settled', clusterId, by })
  }
}

/** The newer run that has given every user there something newer. */
const supersededBy = (ledger: RotationLedger, clusterId: ClusterId) => {
  const [first, ...others] = ledger.plan.users.map(({ key }) => ledger.superseded(key, clusterId))
  return first && others.every((one) => one !== null) ? first.by : null
}

/** Whether anything is left that this run has to give by itself. */
const isAnythingLeft = (ledger: RotationLedger): boolean => {
  // One that was not through goes on with the rest only once nobody else has anything left to give there.
  if (!ledger.applicationsTold) return false
  if (ledger.lostClusters.size > 0) return true
  return [...ledger.debts.keys()].some((hsmId) =>
    ledger.plan.users.some(
      ({ key }) => ledger.supersededBy(key, hsmId) === null && ledger.cell(key, hsmId).state !== 'new',
    ),
  )
}
