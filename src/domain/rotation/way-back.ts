import type { UserKey } from '../hsm-user.js'
import type { HsmId, UnitId } from '../ids.js'
import { capabilitiesOf } from '../utility/capabilities.js'
import type { UtilityName } from '../utility/utility.js'
import type { RotationLedger } from './ledger.js'
import { type PlannedUser, type RotationPlan, sameHsmType, serversOf, unitsOf } from './plan.js'

/** How the old credential could be given back. */
export interface WayBack {
  /** By a copy from where it is still held, which needs no knowledge of the old password. */
  readonly bySync: boolean
  /** By a change to the current credential, proved and kept in the store. */
  readonly byCurrent: boolean
}

/** How the old credential of this rotation could be given back, as far as it was seen. */
export const wayBackOf = ({ copies, storedCurrent, currentProved, facts }: RotationLedger): WayBack => ({
  bySync: !facts.recovered && copies !== null && (copies.verdict === 'accepted' || copies.verdict === 'overwrites'),
  byCurrent: storedCurrent && currentProved,
})

/** Why no copy can be made at all between the units of a plan; null where one can. */
export const copiesImpossible = (plan: RotationPlan): string | null => {
  const { copy } = capabilitiesOf(plan.utility)
  const different = plan.users.filter((user) => !user.idsAgree).map((user) => user.key)
  if (different.length > 0 && copy.namesUserBy === 'id') {
    return `${different.join(', ')} has different IDs on the HSMs, and a copy may match by ID`
  }
  const { first, canary, restorePoint, waves } = plan.parts
  const units = new Set([first, canary, restorePoint, ...waves.flatMap((wave) => wave.units)])
  const impossible = copiesImpossibleBetween(plan, plan.utility, units.size)
  const isAlone = impossible !== null && copiesImpossibleBetween(plan, plan.utility, 2) === null
  if (!isAlone || unitsOf(plan.roster, plan.utility).length === 1) return impossible
  return `no ${copy.between === 'clusters' ? 'cluster' : 'HSM'} but ${first} was in reach when it was planned`
}

/** Why no copy can be made between so many units of these clusters, whoever is copied; null where one can. */
export const copiesImpossibleBetween = (
  clusters: Parameters<typeof sameHsmType>[0],
  utility: UtilityName,
  units: number,
): string | null => {
  if (!sameHsmType(clusters))
    return 'the clusters consist of different HSM types, which do not copy users to each other'
  if (units > 1) return null
  const { copy } = capabilitiesOf(utility)
  return copy.between === 'clusters' ? 'there is no copy inside one cluster' : 'there is only one HSM'
}

/**
 * The moment from which nothing could give the old credential back although everything goes well, in words; null where
 * there is none before the restore point follows.
 * @param byCurrent whether the current credential is proved, which is a way back by itself
 */
export const pointOfNoReturn = (plan: RotationPlan, byCurrent: boolean): string | null => {
  if (byCurrent) return null
  const impossible = copiesImpossible(plan)
  if (impossible !== null) {
    const changed = unitsOf(plan.roster, plan.utility).length === 1 ? 'it' : 'one of them'
    return `${impossible}, so nothing can give the old password back once ${changed} is changed`
  }
  const { canary, restorePoint } = plan.parts
  if (canary !== restorePoint) return null
  const two = capabilitiesOf(plan.utility).writeReach === 'hsm' ? 'two HSMs' : 'two clusters'
  return `there are only ${two}: ${canary} is canary and restore point in one, so its change is the point of no return`
}

/**
 * What an operator should know who gives no current credential, where nobody knows beforehand whether the old one can
 * be copied back; null where AWS says that it can, or no copy is made. Nothing shows it before the source is changed: a
 * copy of the unchanged user succeeds either way. Source: AWS CloudHSM User Guide, `cloudhsm_cli-user-replicate`,
 * which does not speak of the password of a user that exists.
 */
export const wayBackInDoubt = (plan: RotationPlan, byCurrent: boolean): string | null => {
  const { copy, words } = capabilitiesOf(plan.utility)
  if (byCurrent || copy.overwriting === 'documented' || copiesImpossible(plan) !== null) return null
  return `without --current-password there may be none once ${plan.source.clusterId} is changed: AWS does not say whether ${words.copy} overwrites the password of a user that exists; --current-password keeps one`
}

/**
 * What the rehearsal does to the canary, for the plan and the question; null where nothing is rehearsed there.
 * @param behind HSMs that cannot be reached and stay behind: nothing is copied from there
 */
export const rehearsalWrites = (
  plan: RotationPlan,
  behind: readonly HsmId[] = [],
): { readonly from: UnitId; readonly to: UnitId } | null => {
  if (copiesImpossible(plan) !== null) return null
  const isReached = (unitId: UnitId) => serversOf(plan.roster, unitId).some(({ hsmId }) => !behind.includes(hsmId))
  return { from: rehearsalOrigin(plan, isReached), to: plan.parts.canary }
}

/** A sibling of the canary, which more likely holds what the canary holds; else the unit that is changed first. */
export const rehearsalOrigin = (plan: RotationPlan, usable: (unitId: UnitId) => boolean = () => true): UnitId => {
  const { canary, first } = plan.parts
  const [cluster] = serversOf(plan.roster, canary).map(({ clusterId }) => clusterId)
  const siblings = unitsOf(plan.roster, plan.utility).filter(
    ({ unitId, servers }) => unitId !== canary && servers[0].clusterId === cluster && usable(unitId),
  )
  return siblings[0]?.unitId ?? first
}

/**
 * Units on each of whose HSMs every one of these users is what it was before this rotation, and was there, as far as was
 * seen: not written by us, and not known or suspected to be written by anybody else. In the order of the roster.
 */
export const untouchedUnits = (ledger: RotationLedger, users = ledger.plan.users): readonly UnitId[] =>
  unitsOf(ledger.plan.roster, ledger.plan.utility).flatMap(({ unitId, servers }) =>
    servers.every(({ hsmId }) => holdsOld(ledger, hsmId, users)) ? [unitId] : [],
  )

const holdsOld = (ledger: RotationLedger, hsmId: HsmId, users: readonly PlannedUser[]): boolean => {
  const isComplete = users.every(({ key }) => !ledger.mayBeAbsent(key, hsmId))
  return users.every(({ key }) => {
    if (ledger.supersededBy(key, hsmId) !== null) return false
    if (ledger.facts.procedure === 'repair')
      return isComplete && ledger.isLeftAlone(key, hsmId) && !ledger.isOther(key, hsmId)
    if (!ledger.holdsOld(key, hsmId) || isCopiedByOtherId(ledger, key, hsmId)) return false
    return ledger.cell(key, hsmId).proof === 'login-current' || (isComplete && !ledger.mayBeWritten(key, hsmId))
  })
}

/** Whether a copy would be of another user: the one that is meant has another ID there than planned. */
const isCopiedByOtherId = (ledger: RotationLedger, user: UserKey, hsmId: HsmId): boolean =>
  ledger.capabilities.copy.namesUserBy === 'id' && ledger.hasOtherId(user, hsmId)

/** Units that a rollback has given the old credential by a copy: they hold it as well as those that were never written. */
const restoredUnits = (ledger: RotationLedger, users: readonly PlannedUser[]): readonly UnitId[] =>
  unitsOf(ledger.plan.roster, ledger.plan.utility).flatMap(({ unitId, servers }) =>
    servers.every(({ hsmId }) =>
      users.every(({ key }) => ledger.cell(key, hsmId).state === 'old' && ledger.supersededBy(key, hsmId) === null),
    )
      ? [unitId]
      : [],
  )

/** Units that the old credential of these users can be copied from. */
export const oldOrigins = (ledger: RotationLedger, users = ledger.plan.users): readonly UnitId[] => [
  ...new Set([...untouchedUnits(ledger, users), ...(ledger.rollback === null ? [] : restoredUnits(ledger, users))]),
]

/** Whether copies that were seen to overwrite can give the old credential back, for which nobody has to know it. */
export const canCopyBack = (ledger: RotationLedger): boolean =>
  wayBackOf(ledger).bySync && ledger.copies?.verdict === 'overwrites' && oldOrigins(ledger).length > 0

/**
 * A unit to copy the old credential of these users from to another one: of its own cluster where there is one, because
 * nobody proved that the clusters held the same; one that is in sight before one that is not.
 */
export const oldOriginFor = (
  ledger: RotationLedger,
  target: UnitId,
  usable: (unitId: UnitId) => boolean = () => true,
  users = ledger.plan.users,
): UnitId | undefined => {
  const { roster } = ledger.plan
  const clusterOf = (unitId: UnitId) => serversOf(roster, unitId)[0]?.clusterId
  const origins = oldOrigins(ledger, users).filter((unitId) => unitId !== target && usable(unitId))
  const rank = (unitId: UnitId): number =>
    (clusterOf(unitId) === clusterOf(target) ? 0 : 2) + (isInSight(ledger, unitId) ? 0 : 1)
  return [...origins].sort((a, b) => rank(a) - rank(b))[0]
}

const isInSight = (ledger: RotationLedger, unitId: UnitId): boolean =>
  serversOf(ledger.plan.roster, unitId).every(({ hsmId }) =>
    ledger.plan.users.every(({ key }) => ledger.cell(key, hsmId).state === 'old'),
  )

/**
 * A unit on which the old credential can still be asked for: one that was never written, although it may have refused what
 * was typed for it, else one that refused the new credential since it was written.
 */
export const whereCurrentCanBeAsked = (
  ledger: RotationLedger,
  usable: (unitId: UnitId) => boolean = () => true,
): UnitId | undefined => {
  const { plan } = ledger
  const untouched = untouchedUnits(ledger).filter(usable)
  return (
    untouched.find((unitId) => isInSight(ledger, unitId)) ??
    untouched[0] ??
    unitsOf(plan.roster, plan.utility).find(
      ({ unitId, servers }) =>
        usable(unitId) &&
        servers.every(({ hsmId }) =>
          plan.users.every(({ key }) => ledger.isLeftAlone(key, hsmId) || ledger.refusedNewAlone(key, hsmId)),
        ),
    )?.unitId
  )
}

/** Whether a rollback, begun or about to be, has not a word to say to an HSM any more. */
export const isOverOnHsms = (ledger: RotationLedger): boolean => {
  const { rollback, discard, facts } = ledger
  // After a lost journal it is logins that tell, and those of an earlier invocation are made again.
  if (rollback === null) return !facts.recovered && !ledger.isWrittenGone() && nothingToUndo(ledger)
  return rollback === 'none' || (discard === 'read-back' && ledger.owedBack.size === 0)
}

/** Whether a rollback has nothing to do on any HSM: nothing was ever meant to be written, or nothing of it can be new. */
export const nothingToUndo = (ledger: RotationLedger): boolean => {
  const cells = ledger.cells()
  const isUnwritten = cells.every(({ user, hsmId }) => !ledger.everWritten(user, hsmId))
  // What was right before a repair is none of its doing.
  if (isUnwritten && ledger.facts.procedure === 'repair') return true
  if (cells.some(({ user, hsmId }) => ledger.mayBeNew(user, hsmId))) return false
  return ledger.facts.recovered || isUnwritten
}
