import { EXIT, type ExitCode } from '../errors.js'
import type { UserKey } from '../hsm-user.js'
import type { RotationId } from '../ids.js'
import type { UtilityName } from '../utility.js'
import { type Cell, type Coverage, coverageOf } from './cell.js'
import type { Debt } from './journal-entry.js'
import type { Propagation } from './plan.js'
import type { Rotation } from './rotation.js'
import type { Stage } from './stage.js'

export type OutcomeWord = 'completed' | 'completed-with-debt' | 'paused' | 'rolled-back'

/** A command of the operator that failed, and how. */
export interface HookFailure {
  readonly hook: 'after-finalize'
  readonly message: string
}

/** The document of `rotate start`, `resume`, `rollback` and `status`. Its keys are a contract. */
export interface RotationDocument {
  readonly rotationId: RotationId
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
  readonly store: string
  /** Members of the family that were left on the old credential. */
  readonly leftOut: readonly string[]
  readonly wayBack: { readonly bySync: boolean; readonly byCurrent: boolean }
  readonly failedLogins: number
  /** Cells that somebody else had written, and that were written all the same, by `--overwrite-other`. */
  readonly overwritten: Rotation['overwritten']
  /** HSMs that were allowed to stay behind. */
  readonly debts: readonly Debt[]
  /** HSMs that AWS does not list any more, and without which the operator went on. */
  readonly gone: readonly Debt[]
  /** What was wrong with an earlier journal of this rotation, which was set aside when it was recovered. */
  readonly brokenJournal?: string
  /** Commands that failed once the rotation was complete; only in the document of the run that called them. */
  readonly hookFailures?: readonly HookFailure[]
  readonly error?: { readonly code: string; readonly message: string; readonly suggestions: readonly string[] }
}

/** What scripts are told of a rotation. A rotation that is not finished is paused, whoever may be working on it. */
export const rotationDocument = (rotation: Rotation): RotationDocument => {
  const { facts } = rotation
  return {
    rotationId: facts.rotationId,
    outcome: rotation.finished ?? 'paused',
    stage: rotation.finished === null ? rotation.stage : null,
    utility: facts.plan.utility,
    propagation: rotation.propagation,
    users: facts.plan.users.map((user) => user.key),
    cells: rotation.cells,
    coverage: coverageOf(rotation.cells),
    startedAt: rotation.startedAt,
    store: facts.store,
    leftOut: facts.plan.leftOut.map((cluster) => cluster.clusterId),
    wayBack: rotation.wayBack,
    failedLogins: rotation.failedLogins,
    overwritten: rotation.overwritten,
    debts: rotation.debts,
    gone: rotation.gone,
    ...(facts.brokenJournal === undefined ? {} : { brokenJournal: facts.brokenJournal }),
    ...(rotation.pause === null
      ? {}
      : {
          error: {
            code: rotation.pause.code,
            message: rotation.pause.message,
            suggestions: rotation.pause.suggestions,
          },
        }),
  }
}

/** Exit code of a command that ends with this outcome. */
export const exitCodeFor = (outcome: OutcomeWord): ExitCode => {
  switch (outcome) {
    case 'completed':
    case 'rolled-back':
      return EXIT.done
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
