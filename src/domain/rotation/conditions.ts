import type { HsmId, UnitId } from '../ids.js'
import type { CellState } from './cell.js'
import type { RotationLedger } from './ledger.js'

// Conditions on cells that the tables of procedures are written in.

/** HSMs of these units that take part. */
export const takingPartIn = (ledger: RotationLedger, units: readonly UnitId[]): readonly HsmId[] =>
  ledger.takingPart.flatMap(({ hsmId, clusterId }) =>
    units.includes(hsmId) || units.includes(clusterId) ? [hsmId] : [],
  )

/** Whether every user is in one of these states on every one of these HSMs, but for what a newer run has given. */
export const allAre = (ledger: RotationLedger, hsmIds: readonly HsmId[], ...states: readonly CellState[]): boolean =>
  hsmIds.every((hsmId) =>
    ledger.plan.users.every(
      ({ key }) => states.includes(ledger.cell(key, hsmId).state) || ledger.supersededBy(key, hsmId) !== null,
    ),
  )

/** Whether everything was read again in this invocation: AWS, the listings, and as planned. */
export const isReadAgain = (ledger: RotationLedger, hsmIds: readonly HsmId[]): boolean =>
  ledger.awsAgreesSince(hsmIds) &&
  hsmIds.every(
    (hsmId) => ledger.isListed(hsmId) && ledger.plan.users.every(({ key }) => ledger.different(key, hsmId) === null),
  )

/** Whether the proof of every cell that holds the new credential is one of this invocation. */
export const newIsFresh = (ledger: RotationLedger, hsmIds: readonly HsmId[]): boolean =>
  hsmIds.every((hsmId) =>
    ledger.plan.users.every(
      ({ key }) =>
        ledger.cell(key, hsmId).state !== 'new' ||
        ledger.isFresh(key, hsmId) ||
        ledger.supersededBy(key, hsmId) !== null,
    ),
  )
