import { allAre, isReadAgain, newIsFresh, takingPartIn } from '../conditions.js'
import type { RotationLedger } from '../ledger.js'
import type { Procedure } from '../procedure.js'
import { wayBackOf } from '../way-back.js'

/** The restore point keeps the old credential until everything else is through and was read again. */
const beforeRestorePoint = (ledger: RotationLedger) => {
  const restorePoint = takingPartIn(ledger, [ledger.plan.parts.restorePoint])
  return ledger.takingPart.flatMap(({ hsmId }) => (restorePoint.includes(hsmId) ? [] : [hsmId]))
}

const isFirstWritten = (ledger: RotationLedger): boolean =>
  takingPartIn(ledger, [ledger.plan.parts.first]).every((hsmId) =>
    ledger.plan.users.every(
      ({ key }) =>
        ledger.cell(key, hsmId).state === 'new' ||
        (ledger.isWritten(key, hsmId) &&
          ledger.isMeantNew(key, hsmId) &&
          ledger.refused(key, hsmId).length === 0 &&
          // Somebody has deleted the user since.
          ledger.cell(key, hsmId).state !== 'absent'),
    ),
  )

const hasWayBack = (ledger: RotationLedger): boolean => {
  const { bySync, byCurrent } = wayBackOf(ledger)
  return bySync || byCurrent || ledger.acceptedNoWayBack
}

const isAnythingNew = (ledger: RotationLedger): boolean =>
  ledger.cells().some(({ user, hsmId }) => ledger.isMeantNew(user, hsmId) || ledger.mayBeNew(user, hsmId))

/** Gives every cell the new credential. */
export const ROTATE: Procedure = [
  {
    stage: 'store-pending',
    effect: 'store-pending',
    isDone: (ledger) => ledger.stored,
    mayBeInterrupted: false,
    otherwise: 'pause',
  },
  {
    stage: 'rehearse',
    effect: 'rehearse',
    // Once something is new it is too late to try a copy of what is old.
    isDone: (ledger) =>
      ledger.facts.recovered || isAnythingNew(ledger) || (ledger.copies !== null && hasWayBack(ledger)),
    mayBeInterrupted: true,
    otherwise: 'pause',
  },
  { stage: 'change', effect: 'change', isDone: isFirstWritten, mayBeInterrupted: true, otherwise: 'pause' },
  {
    stage: 'prove',
    effect: 'prove',
    isDone: (ledger) => allAre(ledger, takingPartIn(ledger, [ledger.plan.parts.first]), 'new'),
    mayBeInterrupted: true,
    otherwise: 'pause',
  },
  {
    stage: 'canary',
    effect: 'canary',
    isDone: (ledger) =>
      ledger.propagation !== null && allAre(ledger, takingPartIn(ledger, [ledger.plan.parts.canary]), 'new'),
    mayBeInterrupted: true,
    otherwise: 'pause',
  },
  {
    stage: 'spread',
    effect: 'spread',
    isDone: (ledger) =>
      allAre(
        ledger,
        takingPartIn(
          ledger,
          ledger.plan.parts.waves.flatMap(({ units }) => units),
        ),
        'new',
      ),
    mayBeInterrupted: true,
    otherwise: 'pause',
  },
  {
    stage: 'verify',
    effect: 'verify',
    isDone: (ledger) => {
      const hsmIds = beforeRestorePoint(ledger)
      // Of the restore point only what is through already counts: the rest is given and proved by its own stage.
      const last = takingPartIn(ledger, [ledger.plan.parts.restorePoint])
      const proved = allAre(ledger, last, 'new') ? [...hsmIds, ...last] : hsmIds
      return allAre(ledger, hsmIds, 'new') && newIsFresh(ledger, proved) && isReadAgain(ledger, hsmIds)
    },
    mayBeInterrupted: true,
    otherwise: 'pause',
  },
  {
    stage: 'restore-point',
    effect: 'restore-point',
    isDone: (ledger) => allAre(ledger, takingPartIn(ledger, [ledger.plan.parts.restorePoint]), 'new'),
    mayBeInterrupted: true,
    otherwise: 'pause',
  },
  {
    stage: 'finalize',
    effect: 'finalize',
    isDone: (ledger) => ledger.promote === 'read-back' && ledger.applicationsTold,
    mayBeInterrupted: false,
    otherwise: 'pause',
  },
]
