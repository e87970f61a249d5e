import type { CellRef } from '../cell.js'
import type { RotationLedger } from '../ledger.js'
import type { Procedure } from '../procedure.js'
import { wayBackOf } from '../way-back.js'

/**
 * Whether nothing has to be given back to a cell: it holds the old credential, was certainly never written, or has a newer one.
 * Once PENDING is about to go, every cell is back, and a lock since is a client's.
 */
export const isBack = (ledger: RotationLedger, { user, hsmId }: CellRef): boolean => {
  const { state } = ledger.cell(user, hsmId)
  return (
    state === 'old' ||
    state === 'absent' ||
    !ledger.mayBeWritten(user, hsmId) ||
    ledger.supersededBy(user, hsmId) !== null ||
    (ledger.discard !== null && ledger.holdsOld(user, hsmId))
  )
}

/** Nothing was ever written, or PENDING is gone: no HSM has to be asked, but for those that are owed something. */
export const isNothingLeft = ({ rollback, discard }: RotationLedger): boolean =>
  rollback === 'none' || discard === 'read-back'

/**
 * Whether what we wrote to a cell logged in with the current credential in an earlier invocation alone. Where no store keeps
 * that credential, nobody can be asked for it once more.
 */
export const isProofStale = (ledger: RotationLedger, { user, hsmId }: CellRef): boolean =>
  (ledger.rollback === 'change' || wayBackOf(ledger).byCurrent) &&
  ledger.cell(user, hsmId).proof === 'login-current' &&
  ledger.everWritten(user, hsmId) &&
  ledger.supersededBy(user, hsmId) === null &&
  !ledger.isFresh(user, hsmId)

/** Whether something is left to do on a cell before it counts as back. */
export const isLeftToDo = (ledger: RotationLedger, cell: CellRef): boolean =>
  !isBack(ledger, cell) || isProofStale(ledger, cell)

/** Gives every cell that was written the old credential back. */
export const ROLL_BACK: Procedure = [
  {
    stage: 'restore',
    effect: 'restore',
    isDone: (ledger) =>
      isNothingLeft(ledger) || ledger.cells().every((cell) => ledger.owedBack.has(cell.hsmId) || isBack(ledger, cell)),
    mayBeInterrupted: true,
    otherwise: 'pause',
  },
  {
    stage: 'verify',
    effect: 'verify-back',
    isDone: (ledger) =>
      isNothingLeft(ledger) ||
      (!ledger.cells().some((cell) => !ledger.owedBack.has(cell.hsmId) && isProofStale(ledger, cell)) &&
        ledger.awsAgreesSince(ledger.plan.roster.map(({ hsmId }) => hsmId))),
    mayBeInterrupted: true,
    otherwise: 'pause',
  },
  {
    stage: 'discard',
    effect: 'discard',
    isDone: (ledger) => ledger.discard === 'read-back',
    mayBeInterrupted: false,
    otherwise: 'pause',
  },
  {
    stage: 'restore',
    effect: 'restore-owed',
    isDone: (ledger) => ledger.owedBack.size === 0,
    mayBeInterrupted: true,
    otherwise: 'debt',
  },
]
