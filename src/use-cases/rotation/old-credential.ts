import type { UnitId } from '../../domain/ids.js'
import { serversOf, unitsOf } from '../../domain/rotation/plan.js'
import type { Rotation, RotationLedger } from '../../domain/rotation/rotation.js'

/** A unit to copy the old credential from: one that is in sight if there is any. */
export const oldOrigin = ({ oldOrigins, cells, plan }: Rotation): UnitId | undefined => {
  const inSight = (unitId: UnitId) => {
    const hsmIds = serversOf(plan.roster, unitId).map(({ hsmId }) => hsmId)
    return cells.every((cell) => !hsmIds.includes(cell.hsmId) || cell.state === 'old')
  }
  return oldOrigins.find(inSight) ?? oldOrigins[0]
}

/**
 * A unit on which the old credential can still be asked for: one that was never written, else one that refused the new
 * credential since it was.
 */
export const stillOld = (ledger: RotationLedger): UnitId | undefined => {
  const { plan } = ledger
  return (
    oldOrigin(ledger.rotation()) ??
    unitsOf(plan.roster, plan.utility).find(({ servers }) =>
      servers.every(({ hsmId }) => plan.users.every(({ key }) => ledger.refusedNew(key, hsmId))),
    )?.unitId
  )
}

/**
 * Whether a rollback has nothing to do on any HSM: nothing can be new, and nothing was ever meant to be written, so that
 * an HSM that was added since holds nothing new either; or all of it was done before. After a lost journal the logins it
 * was begun with have to do.
 */
export const nothingToTakeBack = (ledger: RotationLedger): boolean => {
  if (ledger.discarding) return true
  const { cells, nothingNew } = ledger.rotation()
  return nothingNew && (ledger.facts.recovered || cells.every(({ user, hsmId }) => !ledger.everWritten(user, hsmId)))
}
