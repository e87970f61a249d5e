import type { UserKey } from '../../hsm-user.js'
import type { HsmId } from '../../ids.js'
import { allAre, isReadAgain, newIsFresh } from '../conditions.js'
import type { RotationLedger } from '../ledger.js'
import { serversOf, unitsOf } from '../plan.js'
import type { Procedure } from '../procedure.js'
import { PAY_DEBTS } from './settle.js'

const hsmsOf = ({ takingPart }: RotationLedger) => takingPart.map(({ hsmId }) => hsmId)

/**
 * Whether it is known well enough what the HSMs of a unit hold for a user to decide whether they are written: one of them
 * that does not hold it is enough. One that lacks the user, has it locked, has no login left in its budget, or was built from
 * some backup since is written without asking.
 */
export const isAskedFor = (ledger: RotationLedger, user: UserKey, hsmIds: readonly HsmId[]): boolean => {
  if (hsmIds.some((hsmId) => ledger.supersededBy(user, hsmId) !== null || ledger.isSeenMissing(user, hsmId)))
    return true
  const states = hsmIds.map((hsmId) => ledger.cell(user, hsmId).state)
  if (states.some((state) => state === 'absent' || state === 'locked')) return true
  if (hsmIds.some((hsmId) => ledger.isJoined(hsmId) && ledger.cell(user, hsmId).state !== 'new')) return true
  const isSettled = (hsmId: HsmId) =>
    ledger.refused(user, hsmId).includes('new') || ledger.everWritten(user, hsmId) || ledger.mayNotBeAsked(user, hsmId)
  if (hsmIds.some(isSettled)) return true
  return states.every((state) => state === 'new' || state === 'other')
}

/** Nobody can ask where nobody knows a password. */
const areAsked = (ledger: RotationLedger): boolean =>
  ledger.facts.newCredential === 'unknown' ||
  unitsOf(ledger.takingPart, ledger.plan.utility).every(({ unitId }) => {
    const hsmIds = serversOf(ledger.takingPart, unitId).map(({ hsmId }) => hsmId)
    return ledger.plan.users.every(({ key }) => isAskedFor(ledger, key, hsmIds))
  })

/** Gives HSMs what others hold, or what the store keeps, and leaves alone those that hold it. */
export const REPAIR: Procedure = [
  { stage: 'prove', effect: 'ask-cells', isDone: areAsked, mayBeInterrupted: true, otherwise: 'pause' },
  {
    stage: 'spread',
    effect: 'repair-cells',
    isDone: (ledger) => allAre(ledger, hsmsOf(ledger), 'new'),
    mayBeInterrupted: true,
    otherwise: 'pause',
  },
  {
    stage: 'verify',
    effect: 'verify',
    isDone: (ledger) => {
      const hsmIds = hsmsOf(ledger)
      const isProved = ledger.facts.newCredential === 'unknown' || newIsFresh(ledger, hsmIds)
      // Once it is through, only what stayed behind is left.
      return ledger.applicationsTold || (isProved && allAre(ledger, hsmIds, 'new') && isReadAgain(ledger, hsmIds))
    },
    mayBeInterrupted: true,
    otherwise: 'pause',
  },
  {
    stage: 'finalize',
    effect: 'tell-applications',
    isDone: (ledger) => ledger.applicationsTold,
    mayBeInterrupted: false,
    otherwise: 'pause',
  },
  PAY_DEBTS,
]
