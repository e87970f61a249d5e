import { EXIT, type ExitCode } from '../errors.js'
import type { UserKey } from '../hsm-user.js'
import type { ClusterId, RegionName, RotationId } from '../ids.js'
import type { UtilityName } from '../utility/utility.js'
import { type Cell, type CellRef, type Coverage, coverageOf } from './cell.js'
import type { Debt, LostCluster, RotationFacts } from './journal-entry.js'
import type { Propagation, UnseenRegion } from './plan.js'
import type { OutcomeWord, Rotation, SettledDebt } from './rotation.js'
import type { Stage } from './stage.js'

/** A command of the operator that failed, and how. */
export interface HookFailure {
  readonly hook: 'after-finalize'
  readonly message: string
}

/** An HSM that stays behind, or a whole cluster that was out of reach from the start. */
export type ShownDebt =
  | Debt
  | {
      readonly hsmId: null
      readonly clusterId: ClusterId
      readonly region: RegionName | null
      readonly reason: string
    }

/** The document of `rotate start`, `resume`, `rollback`, `status` and `users repair`. Its keys are a contract. */
export interface RotationDocument {
  readonly rotationId: RotationId
  readonly procedure: RotationFacts['procedure']
  /** Where it goes: `back` once a rollback was begun, whoever resumes it. */
  readonly direction: Rotation['direction']
  readonly outcome: OutcomeWord
  /** The first stage not completed; null when all are. */
  readonly stage: Stage | null
  /** The program that speaks to the HSMs; `propagation` is done in its words. */
  readonly utility: UtilityName
  readonly propagation: Propagation | null
  readonly users: readonly UserKey[]
  readonly cells: readonly Cell[]
  readonly coverage: readonly Coverage[]
  readonly startedAt: string
  readonly store: string | null
  /** Where a repair copies users from; only in the document of one that does. */
  readonly from?: string
  /** Members of the family that were left on the old credential. */
  readonly leftOut: readonly string[]
  /** Regions that did not answer when it began, nor since, so that members of the family there may have been missed. */
  readonly unseenRegions: readonly UnseenRegion[]
  readonly wayBack: { readonly bySync: boolean; readonly byCurrent: boolean }
  readonly failedLogins: number
  /** Cells that somebody else had written, and that were written all the same, by `--overwrite-other`. */
  readonly overwritten: readonly CellRef[]
  /** Cells that a rollback gave the old password without proof that they held it before. */
  readonly withoutProof: readonly CellRef[]
  /** HSMs that were allowed to stay behind, and, unless it goes back, clusters that were lost when it began. */
  readonly debts: readonly ShownDebt[]
  /** Debts of it that another run paid, and which; absent where there are none. */
  readonly settled?: readonly SettledDebt[]
  /** HSMs that AWS does not list any more, and without which the operator went on; and lost clusters that exist no more. */
  readonly gone: readonly ShownDebt[]
  /** What was wrong with an earlier journal of this rotation, which was set aside when it was recovered. */
  readonly brokenJournal?: string
  /** Commands that failed once the rotation was complete; only in the document of the run that called them. */
  readonly hookFailures?: readonly HookFailure[]
  readonly error?: { readonly code: string; readonly message: string; readonly suggestions: readonly string[] }
}

/** What scripts are told of a rotation. */
export const rotationDocument = (rotation: Rotation): RotationDocument => {
  const { facts, plan, pause } = rotation
  const [lost, goneClusters] = [rotation.lostClusters.map(asDebt), rotation.goneClusters.map(asDebt)]
  return {
    rotationId: facts.rotationId,
    procedure: facts.procedure,
    direction: rotation.direction,
    outcome: rotation.outcome,
    stage: rotation.stage,
    utility: plan.utility,
    propagation: rotation.propagation,
    users: plan.users.map((user) => user.key),
    cells: rotation.cells,
    coverage: coverageOf(rotation.cells),
    startedAt: rotation.startedAt,
    store: facts.store,
    ...(facts.from === null ? {} : { from: facts.from }),
    leftOut: [
      ...new Set(
        [...plan.leftOut, ...rotation.lostClusters, ...rotation.goneClusters].map(({ clusterId }) => clusterId),
      ),
    ],
    unseenRegions: rotation.unseenRegions,
    wayBack: rotation.wayBack,
    failedLogins: rotation.failedLogins,
    overwritten: rotation.overwritten,
    withoutProof: rotation.withoutProof,
    // A cluster that took no part holds what it held before.
    debts: rotation.direction === 'back' ? rotation.debts : [...rotation.debts, ...lost],
    ...(rotation.settled.length === 0 ? {} : { settled: rotation.settled }),
    gone: [...rotation.gone, ...goneClusters],
    ...(facts.brokenJournal === undefined ? {} : { brokenJournal: facts.brokenJournal }),
    ...(pause === null ? {} : { error: { code: pause.code, message: pause.message, suggestions: pause.suggestions } }),
  }
}

const asDebt = ({ clusterId, region, reason }: LostCluster): ShownDebt => ({ hsmId: null, clusterId, region, reason })

/** Exit code of a command that ends with this document. */
export const exitCodeFor = ({
  outcome,
  withoutProof,
  debts,
}: Pick<RotationDocument, 'outcome' | 'withoutProof' | 'debts'>): ExitCode => {
  switch (outcome) {
    case 'completed':
      return EXIT.done
    case 'rolled-back':
      return withoutProof.length === 0 && debts.length === 0 ? EXIT.done : EXIT.differences
    case 'completed-with-debt':
      return EXIT.differences
    case 'paused':
      return EXIT.paused
  }
}

/** The truth in one line: how many cells hold the new credential, and which do not. */
export const oneLine = (cells: readonly Cell[]): string => {
  const total = cells.length
  const done = cells.filter((cell) => cell.state === 'new').length
  const rest = new Map<string, Set<string>>()
  for (const cell of cells) {
    if (cell.state === 'new') continue
    const where = `${cell.region} ${cell.hsmId}`
    rest.set(cell.state, (rest.get(cell.state) ?? new Set()).add(where))
  }
  const named = [...rest].map(([state, places]) => {
    const list = [...places]
    const shown = list.slice(0, 3).join(', ')
    return `${shown}${list.length > 3 ? ` and ${list.length - 3} more` : ''} ${state}`
  })
  return [`new ${done}/${total}`, ...named].join(', ')
}
