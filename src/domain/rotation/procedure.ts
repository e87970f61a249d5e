import type { RotationLedger } from './ledger.js'
import { REPAIR } from './procedures/repair.js'
import { ROLL_BACK } from './procedures/roll-back.js'
import { ROTATE } from './procedures/rotate.js'
import { SETTLE } from './procedures/settle.js'
import type { Stage } from './stage.js'

/** What a row does; the use case of the same name does it. */
export type Effect =
  | 'store-pending'
  | 'rehearse'
  | 'change'
  | 'prove'
  | 'canary'
  | 'spread'
  | 'verify'
  | 'restore-point'
  | 'finalize'
  | 'tell-applications'
  | 'restore'
  | 'restore-owed'
  | 'verify-back'
  | 'discard'
  | 'give-joined'
  | 'pay-debts'
  | 'ask-cells'
  | 'repair-cells'

/** One row of a procedure. */
export interface Row {
  readonly stage: Stage
  readonly effect: Effect
  /** Judged by what was seen alone. A row that is done is not done again; its effect makes it so, or pauses. */
  readonly isDone: (ledger: RotationLedger) => boolean
  /** Whether the operator's Ctrl-C ends the work between two HSMs; a row without it is finished first. */
  readonly mayBeInterrupted: boolean
  /** What is left where the effect could not make it so: a pause, or a debt with which all else is complete. */
  readonly otherwise: 'pause' | 'debt'
}

/** Rows in their order. The stage is the first one that is not done. */
export type Procedure = readonly Row[]

/** The procedure a rotation is in: the direction and the promotion decide, and both are lines of its journal. */
export const procedureOf = (ledger: RotationLedger): Procedure => {
  if (ledger.rollback !== null) return ROLL_BACK
  if (ledger.facts.procedure === 'repair') return REPAIR
  return ledger.promote === 'read-back' && ledger.applicationsTold ? SETTLE : ROTATE
}

/** The first row that is not done; null when all are. */
export const currentRow = (ledger: RotationLedger): Row | null =>
  procedureOf(ledger).find((row) => !row.isDone(ledger)) ?? null
