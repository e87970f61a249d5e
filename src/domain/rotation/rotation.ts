import type { HsmId, RotationId } from '../ids.js'
import type { Cell, CellRef } from './cell.js'
import type { Debt, LostCluster, RotationFacts } from './journal-entry.js'
import type { PauseFacts, RotationLedger, Unanswered } from './ledger.js'
import type { Propagation, RotationPlan, UnseenRegion } from './plan.js'
import { procedureOf } from './procedure.js'
import type { Stage } from './stage.js'
import { type WayBack, wayBackOf } from './way-back.js'

/** How a rotation stands in one word; `paused` is every one that is not through, whoever may be working on it. */
export type OutcomeWord = 'completed' | 'completed-with-debt' | 'paused' | 'rolled-back'

/** A debt that another run paid, by which. */
export type SettledDebt =
  | { readonly hsmId: HsmId; readonly by: RotationId }
  | {
      readonly hsmId: null
      readonly clusterId: LostCluster['clusterId']
      readonly region: LostCluster['region']
      readonly by: RotationId
    }

/** A rotation as its journal tells it. Derived, never stored. */
export interface Rotation {
  readonly facts: RotationFacts
  /** The plan with the HSMs that were added since. */
  readonly plan: RotationPlan
  readonly startedAt: string
  readonly outcome: OutcomeWord
  /** Nothing is left to do, not even a debt. */
  readonly closed: boolean
  /** The stage of the first row that is not done; null when all are, but for debts. */
  readonly stage: Stage | null
  readonly cells: readonly Cell[]
  /** Null until it is settled. */
  readonly propagation: Propagation | null
  readonly wayBack: WayBack
  /** Back from the rollback on; forward again where it was given up because nothing can give the old credential back. */
  readonly direction: 'forward' | 'back'
  /** Something but reading was begun: the store was about to be written, or an HSM. */
  readonly hasChanged: boolean
  /** PENDING may have become CURRENT: there is no going back from here. */
  readonly promoting: boolean
  /** HSMs that stay behind with the operator's consent; of a rotation that goes back, those it went on without. */
  readonly debts: readonly Debt[]
  readonly lostClusters: readonly LostCluster[]
  /** Regions that have not said since it began which clusters they have. */
  readonly unseenRegions: readonly UnseenRegion[]
  /** Debts of it that another run paid. */
  readonly settled: readonly SettledDebt[]
  /** HSMs that are gone from their cluster, and without which the operator went on. */
  readonly gone: readonly Debt[]
  /** Clusters that were lost from the start and do not exist any more. */
  readonly goneClusters: readonly LostCluster[]
  /** Cells of a rollback that may hold something else than before, see `RotationLedger.isAsBefore`; but for debts. */
  readonly withoutProof: readonly CellRef[]
  readonly pause: PauseFacts | null
  readonly failedLogins: number
  /** Cells that somebody else had written, and that were written with the operator's consent. */
  readonly overwritten: readonly CellRef[]
  readonly unanswered: readonly Unanswered[]
}

/** How a rotation stands after the last line that its ledger followed. Linear in the number of cells. */
export const rotationOf = (ledger: RotationLedger): Rotation => {
  const row = procedureOf(ledger).find((candidate) => !candidate.isDone(ledger))
  const direction = ledger.rollback === null ? 'forward' : 'back'
  const cells = ledger.cells()
  const outcome = outcomeOf(row?.otherwise, direction)
  return {
    facts: ledger.facts,
    plan: ledger.plan,
    startedAt: ledger.startedAt,
    outcome,
    closed: row === undefined,
    stage: outcome === 'paused' ? (row?.stage ?? null) : null,
    cells,
    propagation: ledger.propagation,
    wayBack: wayBackOf(ledger),
    direction,
    hasChanged: ledger.hasChanged,
    promoting: ledger.promote !== null,
    debts: [...(direction === 'back' ? ledger.owedBack : ledger.debts)].map(([hsmId, reason]) => ({ hsmId, reason })),
    lostClusters: [...ledger.lostClusters.values()],
    unseenRegions: ledger.unseenRegions,
    settled: settledElsewhere(ledger),
    gone: ledger.gone,
    goneClusters: ledger.goneClusters,
    withoutProof: direction === 'forward' ? [] : notAsBefore(ledger, cells),
    pause: ledger.pause,
    failedLogins: ledger.failedLogins,
    overwritten: ledger.overwritten,
    unanswered: ledger.unanswered,
  }
}

const outcomeOf = (undone: 'pause' | 'debt' | undefined, direction: Rotation['direction']): OutcomeWord => {
  if (undone === 'pause') return 'paused'
  if (direction === 'back') return 'rolled-back'
  return undone === 'debt' ? 'completed-with-debt' : 'completed'
}

const settledElsewhere = ({ paidElsewhere, clustersPaidElsewhere }: RotationLedger): readonly SettledDebt[] => [
  ...[...paidElsewhere].map(([hsmId, by]) => ({ hsmId, by })),
  ...clustersPaidElsewhere.map(({ clusterId, region, by }) => ({ hsmId: null, clusterId, region, by })),
]

const notAsBefore = (ledger: RotationLedger, cells: readonly Cell[]): readonly CellRef[] =>
  cells.flatMap(({ user, hsmId }) =>
    ledger.isAsBefore(user, hsmId) || ledger.owedBack.has(hsmId) ? [] : [{ user, hsmId }],
  )
