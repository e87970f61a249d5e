import type { Clock } from '../../domain/clock.js'
import type { ClusterLocks } from '../../domain/cluster-lock.js'
import { type CredentialStore, type CredentialVersion, credentialOf } from '../../domain/credential-store.js'
import { type OperatorError, refusal } from '../../domain/errors.js'
import { ConsoleFailure, type HsmConsole } from '../../domain/hsm-console.js'
import { findUser, type HsmUserRef, type UserKey } from '../../domain/hsm-user.js'
import type { HsmId, RotationId } from '../../domain/ids.js'
import type { Cell } from '../../domain/rotation/cell.js'
import { followReadable } from '../../domain/rotation/follow-rotation.js'
import type { Journal, JournalShelf } from '../../domain/rotation/journal.js'
import type { CredentialName, JournalEvent, RotationFacts } from '../../domain/rotation/journal-entry.js'
import { budgetSpent } from '../../domain/rotation/login-budget.js'
import { type PlannedUser, type RotationPlan, type Unit, unitsOf } from '../../domain/rotation/plan.js'
import type { Progress } from '../../domain/rotation/progress.js'
import { ledgerOf, type Rotation, RotationLedger } from '../../domain/rotation/rotation.js'
import type { Secret } from '../../domain/secret.js'
import { failureCountsOf } from './failure-counts.js'
import { inLanes, inSessionsOn, jointAnswer, usersOf } from './hsm-work.js'
import { lockChanges } from './locked-cells.js'
import { type ChosenForRotation, planRotation } from './plan-rotation.js'

export interface RecoverRequest {
  readonly chosen: ChosenForRotation
  readonly users: readonly HsmUserRef[]
  readonly config: RotationFacts['config']
  readonly lockoutLimit: number
  readonly concurrency: number
  /** How long an HSM may take for a command, in milliseconds. */
  readonly commandMs: number
}

export interface RecoverPorts {
  readonly console: HsmConsole
  readonly locks: ClusterLocks
  readonly shelf: JournalShelf
  readonly store: CredentialStore
  readonly clock: Clock
  readonly progress: Progress
  readonly who: RotationFacts['operator']
  readonly version: string
}

/**
 * Begins the journal of a rotation anew after it was lost: PENDING of the store says which rotation it is, and each
 * cell is asked by at most one login, with the credential it more likely holds. What is not proved stays unknown, and
 * resume or rollback repeat it. Called again, it asks cells that refused the one credential for the other: each call
 * may cost a cell one failed login. A journal that is broken or empty counts as lost: it is set aside, never repaired.
 * @throws {OperatorError} `NOTHING_PENDING`, `USER_NOT_PENDING`, `ROTATION_KNOWN`, and those of planning
 */
export const recoverRotation = async (request: RecoverRequest, ports: RecoverPorts): Promise<Rotation> => {
  const { chosen, users } = request
  const pending = await pendingOf(ports.store, users)
  const { rotationId } = pending
  const { known, trouble } = await knownRotation(ports.shelf, rotationId)
  if (known !== null && !canAskAgain(known, await currentOf(ports.store, known.plan))) throw refuseKnown(rotationId)
  const clusterIds = [chosen.source, ...chosen.destinations].map((cluster) => cluster.clusterId)
  const lock = await ports.locks.acquire(clusterIds, rotationId)
  try {
    if (known !== null) return await askAgain(request, ports, pending)
    // Clients may have brought users near their lock-out; such cells are not asked, which is no reason to give up.
    const rules = { lockoutLimit: Number.MAX_SAFE_INTEGER, createMissing: true, allowKmsuser: true }
    const planned = await planRotation(chosen, users, ports.console, request.concurrency, rules)
    const plan = keepRestorePoint(planned.plan, pending)
    const facts: RotationFacts = {
      rotationId,
      plan,
      provedCurrent: [],
      serials: planned.serials,
      absent: planned.absent,
      failureCounts: failureCountsOf(plan.users, planned.matrix),
      debts: [],
      recovered: true,
      ...(trouble === null ? {} : { brokenJournal: trouble.message }),
      store: ports.store.description,
      newCredential: 'given',
      config: request.config,
      operator: ports.who,
      version: ports.version,
    }
    await lock.name(rotationId)
    const { journal, first, setAside = null } = await ports.shelf.create(facts)
    if (setAside !== null) {
      notice(ports, `${trouble?.message ?? 'the journal could not be used'}; the file is kept as ${setAside}`)
    }
    try {
      return await rebuild(request, ports, pending, new Recovery(journal, new RotationLedger(first)), plan)
    } finally {
      await journal.close()
    }
  } finally {
    await lock.release()
  }
}

const notice = ({ progress }: RecoverPorts, text: string): void => progress({ kind: 'notice', text })

/** A journal that is being begun anew, and the rotation as it tells it. */
class Recovery {
  readonly ledger: RotationLedger
  readonly #journal: Journal

  constructor(journal: Journal, ledger: RotationLedger) {
    this.#journal = journal
    this.ledger = ledger
  }

  readonly record = async (event: JournalEvent): Promise<number> => {
    const entry = await this.#journal.append(event)
    this.ledger.apply(entry)
    return entry.seq
  }
}

const rebuild = async (
  request: RecoverRequest,
  ports: RecoverPorts,
  pending: PendingOf,
  recovery: Recovery,
  plan: RotationPlan,
): Promise<Rotation> => {
  const current = await currentOf(ports.store, plan)
  const evidence = 'the journal was lost, and with it which HSM was never written to'
  await recovery.record({ type: 'way-back', bySync: false, byCurrent: false, evidence })
  const credentials = { new: byUser(plan.users, pending), current }
  await outwaitLostCommands(request, ports)
  notice(ports, `asking ${plan.roster.length} HSMs by at most one login per user each`)
  await inLanes(unitsOf(plan.roster, plan.utility), request.concurrency, (unit) =>
    askCells(request, ports, recovery, { unit, plan, credentials }),
  )
  return pauseRecovered(recovery, current)
}

/** How long nothing is said while time is waited out. */
const SAY_EVERY_MS = 30_000

/** The last command before the journal was lost may still take effect, and nobody knows when it was sent. */
const outwaitLostCommands = async ({ commandMs }: RecoverRequest, ports: RecoverPorts): Promise<void> => {
  for (let restMs = commandMs; restMs > 0; restMs -= SAY_EVERY_MS) {
    notice(
      ports,
      `waiting ${Math.ceil(restMs / 1000)} s${restMs < commandMs ? ' more' : ''}: a command sent before the journal was lost could still take effect`,
    )
    await ports.clock.wait(Math.min(restMs, SAY_EVERY_MS))
  }
}

/** Asks the cells that refused one credential for the other one. */
const askAgain = async (request: RecoverRequest, ports: RecoverPorts, pending: PendingOf): Promise<Rotation> => {
  const { entries, journal } = await ports.shelf.reopen(pending.rotationId)
  try {
    const recovery = new Recovery(journal, ledgerOf(entries))
    // Somebody else may have gone on with it between the first look and the lock.
    const { plan } = recovery.ledger
    const current = await currentOf(ports.store, plan)
    if (!canAskAgain(recovery.ledger, current)) throw refuseKnown(pending.rotationId)
    const credentials = { new: byUser(plan.users, pending), current }
    const doubtful = doubtfulCells(recovery.ledger)
    const units = unitsOf(plan.roster, plan.utility).filter(({ servers }) =>
      servers.some(({ hsmId }) => doubtful.some((cell) => cell.hsmId === hsmId)),
    )
    await inLanes(units, request.concurrency, (unit) => askCells(request, ports, recovery, { unit, plan, credentials }))
    return await pauseRecovered(recovery, current)
  } finally {
    await journal.close()
  }
}

const pauseRecovered = async (
  { ledger, record }: Recovery,
  current: ReadonlyMap<UserKey, Secret>,
): Promise<Rotation> => {
  const { rotationId, plan } = ledger.facts
  const loggedIn = ledger.rotation().cells.filter(({ proof }) => proof === 'login-current')
  const everybody = plan.users.every(({ key }) => loggedIn.some(({ user }) => user === key))
  // The store may keep a CURRENT that was not in force: it is a way back only if each user logged in with it somewhere.
  if (everybody && !ledger.wayBack.byCurrent) {
    const alone = loggedIn.every(({ evidence }) => evidence === 'hsm')
    await record({ type: 'current-proved', evidence: alone ? 'hsm' : 'cluster' })
  }
  const { cells, wayBack } = ledger.rotation()
  await record({
    type: 'paused',
    stage: 'change',
    code: 'RECOVERED',
    message: 'the cells were rebuilt from what the store and the HSMs say',
    suggestions: [
      ...(current.size > 0 && doubtfulCells(ledger).length > 0
        ? ['some cells refused one credential: the same rotate recover again asks them for the other one']
        : []),
      ...(cells.some(({ state }) => state === 'other')
        ? ['somebody else has changed the password of cells shown as other: resume and rollback need --overwrite-other']
        : []),
      `lockstep rotate resume --rotation ${rotationId}`,
      ...(wayBack.byCurrent ? [`lockstep rotate rollback --rotation ${rotationId}`] : []),
    ],
  })
  return ledger.rotation()
}

/** Cells that refused the one credential they were asked for. */
const doubtfulCells = (ledger: RotationLedger): readonly Cell[] =>
  ledger
    .rotation()
    .cells.filter(({ state, user, hsmId }) => state === 'unknown' && ledger.refused(user, hsmId).size === 1)

/** A journal that was begun anew, with nothing done since, where a second credential can still be asked for. */
const canAskAgain = (ledger: RotationLedger, current: ReadonlyMap<UserKey, Secret>): boolean =>
  ledger.rotation().pause?.code === 'RECOVERED' && current.size > 0 && doubtfulCells(ledger).length > 0

/** CURRENT of the store, where it holds one for every user. */
const currentOf = async (store: CredentialStore, { users }: RotationPlan): Promise<ReadonlyMap<UserKey, Secret>> => {
  const current = byUser(users, await store.read('current'))
  return current.size === users.length ? current : new Map()
}

interface CellsOfUnit {
  readonly unit: Unit
  readonly plan: RotationPlan
  readonly credentials: Readonly<Record<CredentialName, ReadonlyMap<UserKey, Secret>>>
}

/** One login per cell, where its budget allows one; where no count can be read, a refusal is the last login there. */
const askCells = async (
  request: RecoverRequest,
  { console }: RecoverPorts,
  recovery: Recovery,
  { unit: { unitId, servers }, plan, credentials }: CellsOfUnit,
): Promise<void> => {
  // The restore point is the last one to hold the old credential; every other unit more likely holds the new one.
  const [likely, other]: readonly [CredentialName, CredentialName] =
    unitId === plan.parts.restorePoint ? ['current', 'new'] : ['new', 'current']
  const refusedUncounted = new Set<PlannedUser>()
  try {
    await inSessionsOn({ console }, servers, async (session, reached) => {
      const hsmIds = reached.map(({ hsmId }) => hsmId)
      const listing = await session.listUsers()
      for (const hsmId of hsmIds) {
        const listed = usersOf(listing, hsmId)
        for (const event of lockChanges(recovery.ledger, plan.users, hsmId, listed, request.lockoutLimit)) {
          await recovery.record(event)
        }
      }
      for (const user of plan.users) {
        const known = (name: CredentialName) => credentials[name].has(user.key)
        const credential = nextCredential(recovery.ledger, user, hsmIds, [likely, other].filter(known))
        const secret = credential === null ? undefined : credentials[credential].get(user.key)
        const rows = hsmIds.flatMap((hsmId) => findUser(usersOf(listing, hsmId), user) ?? [])
        if (credential === null || secret === undefined) continue
        if (rows.length < hsmIds.length || refusedUncounted.has(user)) continue
        if (rows.some((row) => budgetSpent(row, request.lockoutLimit))) continue
        const intent = { act: 'login', user: user.key, hsmIds, credential } as const
        const to = await recovery.record({ type: 'intent', intent, process: session.process })
        const answer = jointAnswer(await session.login(user, secret, hsmIds), hsmIds)
        await recovery.record({ type: 'answer', to, answer })
        if (answer.kind === 'done') await session.logout()
        else if (rows.some((row) => row.loginFailureCount === null)) refusedUncounted.add(user)
      }
    })
  } catch (error) {
    if (!(error instanceof ConsoleFailure)) throw error
    for (const hsmId of error.hsmIds) await recovery.record({ type: 'unreachable', hsmId, reason: error.message })
  }
}

/**
 * What the HSMs that one login reaches are asked for: the first of these that they have not refused yet; null once each of
 * them has answered.
 * @param credentials those that are known, the likelier one first
 */
const nextCredential = (
  ledger: RotationLedger,
  user: PlannedUser,
  hsmIds: readonly HsmId[],
  credentials: readonly CredentialName[],
): CredentialName | null => {
  const hsmId = hsmIds.find((candidate) => ['unknown', 'unreachable'].includes(ledger.cell(user.key, candidate).state))
  if (hsmId === undefined) return null
  return credentials.find((name) => !ledger.refused(user.key, hsmId).has(name)) ?? null
}

type PendingOf = CredentialVersion & { readonly rotationId: RotationId }

const pendingOf = async (store: CredentialStore, users: readonly HsmUserRef[]): Promise<PendingOf> => {
  const pending = await store.read('pending')
  if (pending?.rotationId === undefined || pending.rotationId === null) {
    throw refusal('NOTHING_PENDING', `${store.description} keeps no PENDING credential: no rotation is under way`, [
      'check --store: it must name the store the rotation was started with',
    ])
  }
  const stranger = users.find((user) => credentialOf(pending, user) === undefined)
  if (stranger !== undefined) {
    throw refusal(
      'USER_NOT_PENDING',
      `${pending.rotationId} does not rotate ${stranger.type}:${stranger.name}`,
      [...pending.users.keys()].map((user) => `--user ${user}`),
    )
  }
  return { ...pending, rotationId: pending.rotationId }
}

/** The rotation as its journal tells it; null where the journal is lost, with what is wrong with the file where there is one. */
const knownRotation = async (
  shelf: JournalShelf,
  rotationId: RotationId,
): Promise<{ readonly known: RotationLedger | null; readonly trouble: OperatorError | null }> => {
  const { ledger, trouble } = await followReadable(shelf, rotationId)
  switch (trouble?.code) {
    case undefined:
      return { known: ledger, trouble: null }
    case 'ROTATION_NOT_FOUND':
      return { known: null, trouble: null }
    case 'JOURNAL_BROKEN':
    case 'JOURNAL_EMPTY':
      return { known: null, trouble }
    default:
      throw trouble
  }
}

const refuseKnown = (rotationId: RotationId): OperatorError =>
  refusal('ROTATION_KNOWN', `the journal of ${rotationId} is here and whole; nothing has to be recovered`, [
    `lockstep rotate resume --rotation ${rotationId}`,
  ])

/** The restore point the lost rotation had, where it is still there. */
const keepRestorePoint = (plan: RotationPlan, { restorePoint }: CredentialVersion): RotationPlan => {
  const { parts } = plan
  const taken = [parts.first, parts.canary, parts.restorePoint]
  if (restorePoint === null || taken.includes(restorePoint)) return plan
  if (!unitsOf(plan.roster, plan.utility).some(({ unitId }) => unitId === restorePoint)) return plan
  const waves = parts.waves.map((wave) => ({
    ...wave,
    units: wave.units.map((unitId) => (unitId === restorePoint ? parts.restorePoint : unitId)),
  }))
  return { ...plan, parts: { ...parts, restorePoint, waves } }
}

const byUser = (users: readonly PlannedUser[], version: CredentialVersion | null): ReadonlyMap<UserKey, Secret> => {
  const result = new Map<UserKey, Secret>()
  for (const user of users) {
    const secret = credentialOf(version, user)
    if (secret !== undefined) result.set(user.key, secret)
  }
  return result
}
