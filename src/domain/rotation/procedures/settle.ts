import { allAre } from '../conditions.js'
import type { Procedure, Row } from '../procedure.js'

/** HSMs that stayed behind, and clusters that were left out because they were lost. */
export const PAY_DEBTS: Row = {
  stage: 'finalize',
  effect: 'pay-debts',
  isDone: ({ debts, lostClusters }) => debts.size === 0 && lostClusters.size === 0,
  mayBeInterrupted: true,
  otherwise: 'debt',
}

/** After the new credential became the current one: HSMs that joined since, and those that stayed behind. */
export const SETTLE: Procedure = [
  {
    stage: 'verify',
    effect: 'give-joined',
    isDone: (ledger) =>
      allAre(
        ledger,
        ledger.takingPart.map(({ hsmId }) => hsmId),
        'new',
      ),
    mayBeInterrupted: true,
    otherwise: 'pause',
  },
  PAY_DEBTS,
]
