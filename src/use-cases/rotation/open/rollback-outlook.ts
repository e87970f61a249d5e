import { EXIT } from '../../../domain/errors.js'
import type { UserKey } from '../../../domain/hsm-user.js'
import type { HsmId, UnitId } from '../../../domain/ids.js'
import type { RotationLedger } from '../../../domain/rotation/ledger.js'
import { serversOf, unitsOf } from '../../../domain/rotation/plan.js'
import { rotationOf } from '../../../domain/rotation/rotation.js'
import {
  copiesImpossible,
  nothingToUndo,
  oldOriginFor,
  untouchedUnits,
  wayBackOf,
  whereCurrentCanBeAsked,
} from '../../../domain/rotation/way-back.js'
import { Secret } from '../../../domain/secret.js'
import { describePlaces } from '../describe-plan.js'
import { byPlannedKey } from './planned-passwords.js'
import type { ReopenRequest } from './reopen.js'
import { RollbackRefused } from './rollback-refused.js'

/** What would come of a rollback, as far as the journal tells. */
export type RollbackOutlook =
  | { readonly kind: 'taken' }
  /** Refused without the current credential, which can be proved where it is given. */
  | { readonly kind: 'needs-current'; readonly why: string }
  | { readonly kind: 'refused'; readonly why: string }

/**
 * Whether a rollback would be taken now, so that nobody is advised to try one that is not.
 * @param gone HSMs that AWS lists no more, where the ledger does not know of it yet
 */
export const rollbackOutlook = (ledger: RotationLedger, gone: readonly HsmId[] = []): RollbackOutlook => {
  const refusalWith = (currentPasswords: ReadonlyMap<UserKey, Secret>): string | null => {
    try {
      refuseRollback(ledger, { currentPasswords }, { gone })
      return null
    } catch (error) {
      if (error instanceof RollbackRefused) return error.message
      throw error
    }
  }
  const why = refusalWith(new Map())
  if (why === null) return { kind: 'taken' }
  const anything = new Map(ledger.plan.users.map(({ key }) => [key, new Secret('')]))
  return refusalWith(anything) === null ? { kind: 'needs-current', why } : { kind: 'refused', why }
}

/**
 * Whether going back is still possible, from the journal and what the operator gives.
 * @param beside nobody has looked yet whether the clusters that are left out still are; HSMs that are gone
 */
export const refuseRollback = (
  ledger: RotationLedger,
  { currentPasswords }: Pick<ReopenRequest, 'currentPasswords'>,
  { lostMayBeBack = false, gone = [] }: { readonly lostMayBeBack?: boolean; readonly gone?: readonly HsmId[] } = {},
): void => {
  const { facts, rollback } = ledger
  const { rotationId } = facts
  if (rollback !== null) return
  const { outcome, wayBack } = rotationOf(ledger)
  if (ledger.promote !== null || outcome !== 'paused') {
    throw refused(
      'ROLLBACK_TOO_LATE',
      tooLate(ledger),
      outcome === 'paused' ? [`lockstep rotate resume --rotation ${rotationId}`] : insteadOfRollback(ledger),
    )
  }
  if (facts.recovered && !lostMayBeBack) refuseOverLost(ledger)
  if (nothingToUndo(ledger)) return
  if (facts.procedure === 'repair') {
    refuseRepairBack(ledger, gone)
    return
  }
  if (wayBack.byCurrent) return
  const mayBeCopied = wayBack.bySync || (!facts.recovered && ledger.copies?.verdict === 'unsettled')
  const isThere = (unitId: UnitId) => serversOf(ledger.plan.roster, unitId).some(({ hsmId }) => !gone.includes(hsmId))
  if (mayBeCopied && untouchedUnits(ledger).some(isThere)) return
  const given = byPlannedKey(ledger.plan, currentPasswords)
  const canBeAsked = whereCurrentCanBeAsked(ledger) !== undefined
  const isGiven = given.size === ledger.plan.users.length
  if (isGiven && canBeAsked) return
  const current = isGiven ? 'given came too late: no HSM is known to hold it' : 'is not known'
  throw refused('NO_WAY_BACK', `${whyNoCopy(ledger)}, and the current credential ${current}`, [
    ...(canBeAsked ? ['give the current credential with --current-password: it can be proved'] : []),
    `${canBeAsked ? 'else forward' : 'forward'} is the only way: lockstep rotate resume --rotation ${rotationId}`,
  ])
}

/**
 * After a lost journal nobody knows whether a cluster that is left out was written.
 * @throws {RollbackRefused} `NO_WAY_BACK`
 */
const refuseOverLost = ({ facts, lostClusters }: RotationLedger): void => {
  if (lostClusters.size === 0) return
  const lost = [...lostClusters.keys()].join(', ')
  throw refused(
    'NO_WAY_BACK',
    `${lost} may hold the new credential of ${facts.rotationId}, and with PENDING its password would be gone`,
    [
      `once ${lost} is back, the same command again takes it along`,
      `else forward is the only way: lockstep rotate resume --rotation ${facts.rotationId}`,
    ],
  )
}

/** What a repair overwrote nobody knows; only a sibling that nobody wrote may hold it. */
const refuseRepairBack = (ledger: RotationLedger, gone: readonly HsmId[]): void => {
  const { roster, utility } = ledger.plan
  const isThere = (unitId: UnitId) => serversOf(roster, unitId).some(({ hsmId }) => !gone.includes(hsmId))
  const clusterOf = (unitId: UnitId) => serversOf(roster, unitId)[0]?.clusterId
  const stuck = unitsOf(roster, utility).filter(({ unitId, servers }) => {
    const isWritten = servers.some(({ hsmId }) =>
      ledger.plan.users.some(({ key }) => ledger.mayBeNew(key, hsmId) && ledger.everWritten(key, hsmId)),
    )
    if (!isWritten || !isThere(unitId)) return false
    const from = oldOriginFor(ledger, unitId, isThere)
    return from === undefined || clusterOf(from) !== clusterOf(unitId)
  })
  if (stuck.length === 0) return
  const { rotationId } = ledger.facts
  throw refused(
    'NO_WAY_BACK',
    `nobody knows what ${stuck.map(({ unitId }) => unitId).join(', ')} held before ${rotationId}, and nothing of the same cluster is left untouched`,
    [`forward is the only way: lockstep rotate resume --rotation ${rotationId}`],
  )
}

/** Why no copy gives the old credential back, in words. */
const whyNoCopy = (ledger: RotationLedger): string => {
  const { rotationId } = ledger.facts
  const impossible = copiesImpossible(ledger.plan)
  if (impossible !== null) return `nothing can be copied back in ${rotationId}: ${impossible}`
  if (wayBackOf(ledger).bySync) return `nothing of ${rotationId} is left on the old credential untouched`
  const { copy } = ledger.capabilities.words
  // Of what was tried before the journal was lost nobody knows any more.
  if (ledger.copies === null) return `whether ${copy} returns the old credential in ${rotationId} is not known`
  return `${copy} does not return the old credential in ${rotationId}`
}

const tooLate = ({ facts }: RotationLedger): string =>
  facts.procedure === 'repair'
    ? `the repair ${facts.rotationId} is through, and nobody knows what it overwrote`
    : `${facts.rotationId} has begun to make the new credential the current one`

/** What gives HSMs something else once it is too late. */
const insteadOfRollback = ({ facts, plan }: RotationLedger): readonly string[] => {
  if (facts.procedure === 'rotate') return ['start a rotation that gives the old credential as the new one']
  const repair = `lockstep users repair ${describePlaces(plan)}`
  return [
    facts.from === null
      ? `to give them what one of them holds: ${repair} --from HSM`
      : `to give them what the store keeps as CURRENT: ${repair} --to-current --store STORE`,
    'where you know what they held: a rotation that gives that as the new credential',
  ]
}

const refused = (code: string, message: string, suggestions: readonly string[]): RollbackRefused =>
  new RollbackRefused(code, message, { suggestions, exitCode: EXIT.refused })
