import { type CredentialStore, type CredentialVersion, credentialOf } from '../../../domain/credential-store.js'
import { OperatorError, refusal } from '../../../domain/errors.js'
import type { UserKey } from '../../../domain/hsm-user.js'
import type { ClusterId, RotationId } from '../../../domain/ids.js'
import type { JournalShelf } from '../../../domain/rotation/journal.js'
import type { RotationLedger } from '../../../domain/rotation/ledger.js'
import type { PlannedUser, RotationPlan } from '../../../domain/rotation/plan.js'
import type { Progress } from '../../../domain/rotation/progress.js'
import {
  canCopyBack,
  isOverOnHsms,
  nothingToUndo,
  wayBackOf,
  whereCurrentCanBeAsked,
} from '../../../domain/rotation/way-back.js'
import type { Secret } from '../../../domain/secret.js'
import { describePlaces } from '../describe-plan.js'
import type { Credentials, RunOptions } from '../ports.js'
import { byPlannedKey } from './planned-passwords.js'

/** CURRENT of a store, of every user of a plan. */
export interface StoredCurrent {
  readonly passwords: ReadonlyMap<UserKey, Secret>
  /** The rotation that gave it; null where it was kept before any did. */
  readonly rotationId: RotationId | null
  /** UTC, ISO 8601. */
  readonly startedAt: string
  /** How a refusal of it is remembered. */
  readonly name: string
}

/** What a version of a store keeps for these users; those that it does not know are left out. */
export const passwordsIn = (
  version: CredentialVersion | null,
  users: readonly PlannedUser[],
): ReadonlyMap<UserKey, Secret> =>
  new Map(
    users.flatMap((user) => {
      const secret = credentialOf(version, user)
      return secret === undefined ? [] : [[user.key, secret] as const]
    }),
  )

/** CURRENT of the store; null where it does not hold one for every user. */
export const currentOfStore = async (store: CredentialStore, plan: RotationPlan): Promise<StoredCurrent | null> => {
  const version = await store.read('current')
  const passwords = passwordsIn(version, plan.users)
  if (version === null || passwords.size < plan.users.length) return null
  const { rotationId, startedAt } = version
  return { passwords, rotationId, startedAt, name: `CURRENT of ${rotationId ?? startedAt}` }
}

/** Passwords as they are given again when a rotation is taken up. */
export interface GivenPasswords {
  readonly newPasswords: ReadonlyMap<UserKey, Secret>
  readonly currentPasswords: ReadonlyMap<UserKey, Secret>
  readonly options: Pick<RunOptions, 'acceptNoWayBack'>
}

type CredentialPorts = {
  readonly store: CredentialStore
  readonly progress: Progress
  readonly shelf: Pick<JournalShelf, 'list'>
}

/**
 * The credentials that a rotation goes on with.
 * @param goesBack whether the old one is given back, for which nobody has to know the new one
 * @returns `replacesLost`: the new one is another than the store had returned, and lost; `currentLost`: it has lost the current
 * one, and what goes back goes by copies
 * @throws {OperatorError} `PENDING_LOST`, `CURRENT_LOST`, `DEBT_SUPERSEDED`, `NEW_CREDENTIAL_MISSING`,
 * `CURRENT_CREDENTIAL_MISSING`, and those of the store
 */
export const credentialsOf = async (
  ledger: RotationLedger,
  given: GivenPasswords,
  ports: CredentialPorts,
  goesBack: boolean,
): Promise<Credentials & { readonly replacesLost?: true; readonly currentLost?: boolean }> => {
  if (ledger.facts.procedure === 'repair') {
    const isKept = ledger.facts.newCredential === 'kept'
    const kept = goesBack && isKept ? await currentOfStore(ports.store, ledger.plan) : null
    const wanted = goesBack ? (kept?.passwords ?? new Map()) : await repairCredential(ledger, given, ports)
    return { new: wanted, current: new Map() }
  }
  if (goesBack) {
    const pending = await pendingCredential(ledger, ports)
    if (isOverOnHsms(ledger)) return { new: pending, current: new Map() }
    const current = await currentCredential(ledger, given, ports).catch((error) => {
      if (error instanceof OperatorError && error.code === 'CURRENT_LOST' && canCopyBack(ledger)) return null
      throw error
    })
    return { new: pending, current: current ?? new Map(), currentLost: current === null }
  }
  const version = await keptVersion(ledger.facts.rotationId, ports.store)
  if (version === null && replacesLost(ledger, given, ports.store)) {
    const current = byPlannedKey(ledger.plan, given.currentPasswords)
    const isWhole = current.size === ledger.plan.users.length
    const next = byPlannedKey(ledger.plan, given.newPasswords)
    return { new: next, current: isWhole ? current : new Map(), replacesLost: true }
  }
  return {
    new: version === null ? await notKept(ledger, given, ports) : keptCredential(version, ledger, given, ports),
    current: await currentCredential(ledger, given, ports),
  }
}

/** What a repair gives: CURRENT of the store, or what the operator says that the origin holds, or nobody knows it. */
const repairCredential = async (
  ledger: RotationLedger,
  { newPasswords }: GivenPasswords,
  { store }: CredentialPorts,
): Promise<ReadonlyMap<UserKey, Secret>> => {
  const { facts, plan } = ledger
  if (facts.newCredential === 'unknown') return new Map()
  if (facts.newCredential === 'kept') {
    const current = await currentOfStore(store, plan)
    if (current !== null) return current.passwords
    throw refusal('CURRENT_LOST', `${store.description} does not hold CURRENT for every user of ${facts.rotationId}`, [
      `name the store the repair was started with: ${facts.store}`,
    ])
  }
  const given = byPlannedKey(plan, newPasswords)
  if (ownUsers(ledger).every(({ key }) => given.has(key))) return given
  throw refusal('NEW_CREDENTIAL_MISSING', `${facts.rotationId} gives a password that no store keeps`, [
    'give it again with --new-password',
  ])
}

/** PENDING of this rotation: a rollback may have to see that it is gone. Empty where the store does not hold it. */
const pendingCredential = async (
  { facts, plan }: RotationLedger,
  { store }: CredentialPorts,
): Promise<ReadonlyMap<UserKey, Secret>> => {
  const version = await store.read('pending')
  return version?.rotationId === facts.rotationId ? passwordsIn(version, plan.users) : new Map()
}

/**
 * Whether the store that kept the new credential of a rotation has lost it, and the operator gives another one, which every HSM
 * is to get in its place: nobody could finish the rotation with the first one any more.
 */
const replacesLost = (
  { facts, plan, stored, promote }: RotationLedger,
  { newPasswords }: GivenPasswords,
  store: CredentialStore,
): boolean =>
  stored &&
  promote !== 'read-back' &&
  facts.store === store.description &&
  byPlannedKey(plan, newPasswords).size === plan.users.length

/** The version of a store that keeps the new credential of a rotation: PENDING, and CURRENT once it was promoted. */
const keptVersion = async (rotationId: RotationId, store: CredentialStore): Promise<CredentialVersion | null> => {
  for (const stage of ['pending', 'current'] as const) {
    const version = await store.read(stage)
    if (version?.rotationId === rotationId) return version
  }
  return null
}

const keptCredential = (
  version: CredentialVersion,
  { facts, plan }: RotationLedger,
  { newPasswords }: GivenPasswords,
  { store, progress }: CredentialPorts,
): ReadonlyMap<UserKey, Secret> => {
  if (newPasswords.size > 0) {
    const text = `--new-password is not used: ${store.description} holds the new credential of ${facts.rotationId} already`
    progress({ kind: 'notice', text })
  }
  return passwordsIn(version, plan.users)
}

/**
 * The new credential where the store does not keep it as this rotation's: as it is given again before any HSM holds it, or as
 * newer rotations have left it. Never a second one while a first may be on an HSM, but where that is lost.
 */
const notKept = async (
  ledger: RotationLedger,
  { newPasswords }: GivenPasswords,
  { store, shelf }: CredentialPorts,
): Promise<ReadonlyMap<UserKey, Secret>> => {
  const { rotationId, newCredential: origin, store: kept } = ledger.facts
  const { plan } = ledger
  if (ledger.promote === 'read-back') {
    const left = await keptForTheRest(ledger, store, shelf)
    if (left !== null) return left
    throw await superseded(ledger, store)
  }
  if (ledger.stored) {
    throw refusal('PENDING_LOST', `${store.description} does not hold the new credential of ${rotationId} any more`, [
      store.description === kept
        ? 'bring it back from a copy of the store, if there is one'
        : `name the store the rotation was started with: --store ${kept}`,
      `where it is lost for good, another one in its place goes to every HSM: lockstep rotate resume --rotation ${rotationId} --store ${kept} --new-password generate`,
    ])
  }
  const given = byPlannedKey(plan, newPasswords)
  if (given.size === plan.users.length) return given
  const isNowhere = nothingToUndo(ledger)
  throw refusal(
    'NEW_CREDENTIAL_MISSING',
    isNowhere
      ? `${rotationId} stopped before ${store.description} held its new credential (${origin}); no HSM holds it either`
      : `${rotationId} stopped before ${store.description} held the new credential that was given in the place of the lost one`,
    [
      `give it again with --new-password${ledger.currentProved ? ', and the current one with --current-password' : ''}`,
      ...(isNowhere ? [`or close the rotation: lockstep rotate rollback --rotation ${rotationId}`] : []),
    ],
  )
}

/**
 * Where newer rotations have only superseded this one for some users, or on some clusters, the store may keep still what it
 * gives the rest: as PREVIOUS, or as CURRENT where the newest one left a user alone. Null where it does not, and where
 * somebody wrote CURRENT of whom this machine knows nothing.
 */
const keptForTheRest = async (ledger: RotationLedger, store: CredentialStore, shelf: Pick<JournalShelf, 'list'>) => {
  const current = await store.read('current')
  const ours = ownUsers(ledger)
  const isNewer = (id: RotationId) => id > ledger.facts.rotationId
  const theirs = async () => [...newerRuns(ledger), ...(await shelf.list()).filter(isNewer)]
  if (current?.rotationId == null || !(await theirs()).includes(current.rotationId)) return null
  const isWhole = ours.every(({ key }) => ledger.clusterIds.every((one) => ledger.superseded(key, one) === null))
  const previous = await store.read('previous')
  const isPrevious = previous?.rotationId === ledger.facts.rotationId
  const kept = isWhole ? passwordsIn(current, ours) : isPrevious ? passwordsIn(previous, ours) : null
  return kept?.size === ours.length ? kept : null
}

/** Users of which some cluster has nothing newer than what this rotation gives. */
const ownUsers = (ledger: RotationLedger): readonly PlannedUser[] =>
  ledger.plan.users.filter(({ key }) => ledger.clusterIds.some((one) => ledger.superseded(key, one) === null))

const newerRuns = (ledger: RotationLedger): readonly RotationId[] =>
  ledger.clusterIds.flatMap((one) => ledger.plan.users.flatMap(({ key }) => ledger.superseded(key, one)?.by ?? []))

/** The debts of this rotation cannot be paid with its credential any more, but with the one that is in force now. */
const superseded = async (ledger: RotationLedger, store: CredentialStore) => {
  const { facts, plan, debts, lostClusters } = ledger
  const now = (await store.read('current'))?.rotationId
  return refusal(
    'DEBT_SUPERSEDED',
    `the credential of ${facts.rotationId} is not CURRENT of ${store.description} any more${now ? `, that of ${now} is` : ''}; ${[...debts.keys()].join(', ') || 'what stayed behind'} needs the one that is in force`,
    [
      copiedInstead(ledger) ??
        `lockstep users repair --to-current --store ${store.description} ${describePlaces(plan, [...lostClusters.values()])}`,
      ...(facts.store === store.description ? [] : [`if that is not the store it was started with: ${facts.store}`]),
    ],
  )
}

/**
 * Where newer runs have gone on with some of the clusters of a user alone, what this rotation gave is in force on the others,
 * and is copied there from an HSM that was given it; null where they have gone on with all or none.
 */
const copiedInstead = (ledger: RotationLedger): string | null => {
  const users = ownUsers(ledger).filter(({ key }) => ledger.clusterIds.some((one) => ledger.superseded(key, one)))
  const isOurs = (clusterId: ClusterId) => users.some(({ key }) => ledger.superseded(key, clusterId) === null)
  const [source, ...destinations] = [ledger.plan.source, ...ledger.plan.destinations].filter(({ clusterId }) =>
    isOurs(clusterId),
  )
  const from = ledger.cells().find(({ state, clusterId }) => state === 'new' && isOurs(clusterId))
  if (source === undefined || from === undefined) return null
  return `lockstep users repair --from ${from.hsmId} ${describePlaces({ ...ledger.plan, source, destinations, users })}`
}

/**
 * What the rotation proved lies in the store. One that is given only now is taken where it can still be proved.
 */
const currentCredential = async (
  ledger: RotationLedger,
  { currentPasswords, options: { acceptNoWayBack } }: GivenPasswords,
  { store, progress }: CredentialPorts,
): Promise<ReadonlyMap<UserKey, Secret>> => {
  const { facts, plan } = ledger
  const given = byPlannedKey(plan, currentPasswords)
  const isAll = given.size === plan.users.length
  if (!ledger.stored && ledger.currentProved) {
    const kept = isAll || ledger.replacesLost ? null : await currentOfStore(store, plan)
    if (isAll || kept !== null) return kept?.passwords ?? given
    // Nobody knows it any more: then the rehearsal decides whether there is another way back. It was lost with the new one.
    if (acceptNoWayBack || !nothingToUndo(ledger)) return new Map()
    throw refusal(
      'CURRENT_CREDENTIAL_MISSING',
      `${facts.rotationId} stopped before ${store.description} held the current credential that was proved`,
      [
        'give it again with --current-password',
        `nothing is written yet: lockstep rotate rollback --rotation ${facts.rotationId}   closes it`,
        'or go on without it: --accept-no-way-back',
      ],
    )
  }
  if (!wayBackOf(ledger).byCurrent) {
    if (isAll && whereCurrentCanBeAsked(ledger) !== undefined) return given
    if (given.size > 0) {
      const text = 'the current credential came too late to be proved: no HSM is known to hold it'
      progress({ kind: 'notice', text })
    }
    return new Map()
  }
  const proved = await provedCurrent(store, ledger)
  if (proved !== null) {
    if (given.size > 0) {
      progress({ kind: 'notice', text: '--current-password is not used: the store keeps the one that was proved' })
    }
    return proved
  }
  if (isAll) return given
  // Forward it is only the way back, and going forward needs none.
  if (ledger.rollback === null && (ledger.promote !== null || acceptNoWayBack)) return new Map()
  const now = await store.read('current')
  const moved = now === null ? '' : `; its CURRENT is of ${now.rotationId ?? 'no rotation'}, started ${now.startedAt}`
  throw refusal('CURRENT_LOST', `${store.description} does not hold the proved current credential any more${moved}`, [
    'give it again with --current-password',
    ...(ledger.rollback === null ? ['or go forward without it: --accept-no-way-back'] : []),
  ])
}

/**
 * The current credential that was proved in this rotation, as the store keeps it; null where it does not any more: somebody
 * may have moved CURRENT since, and what it is now was perhaps never on these HSMs.
 */
export const provedCurrent = async (
  store: CredentialStore,
  { facts, plan, currentVersion }: RotationLedger,
): Promise<ReadonlyMap<UserKey, Secret> | null> => {
  const version = await versionBefore(store, facts.rotationId)
  if (version === null) return null
  const isMoved =
    currentVersion !== null &&
    (version.rotationId !== currentVersion.rotationId || version.startedAt !== currentVersion.startedAt)
  const users = passwordsIn(version, plan.users)
  return isMoved || users.size < plan.users.length ? null : users
}

/** Once PENDING has become CURRENT, what was current before is PREVIOUS; before it was stored, neither is ours. */
const versionBefore = async (store: CredentialStore, rotationId: RotationId) => {
  if ((await store.read('pending'))?.rotationId === rotationId) return store.read('current')
  return (await store.read('current'))?.rotationId === rotationId ? store.read('previous') : store.read('current')
}
