import { isDeleted } from '../../../domain/cluster.js'
import type { ClusterLocks } from '../../../domain/cluster-lock.js'
import { type CredentialStore, type CredentialVersion, credentialOf } from '../../../domain/credential-store.js'
import { type OperatorError, refusal } from '../../../domain/errors.js'
import { ConsoleFailure } from '../../../domain/hsm-console.js'
import { type HsmUserRef, sameUser, type UserKey } from '../../../domain/hsm-user.js'
import { parseUserRef } from '../../../domain/hsm-user-text.js'
import type { HsmId, RotationId } from '../../../domain/ids.js'
import type { Cell } from '../../../domain/rotation/cell.js'
import { followReadable } from '../../../domain/rotation/follow-rotation.js'
import type { Journal, JournalShelf } from '../../../domain/rotation/journal.js'
import type { CredentialName, RotationFacts } from '../../../domain/rotation/journal-entry.js'
import { ledgerOf, RotationLedger } from '../../../domain/rotation/ledger.js'
import { isUncounted, LoginBudget } from '../../../domain/rotation/login-budget.js'
import { type PlannedUser, type RotationPlan, type Unit, unitsOf } from '../../../domain/rotation/plan.js'
import type { Rotation } from '../../../domain/rotation/rotation.js'
import type { Secret } from '../../../domain/secret.js'
import type { SerialObservation } from '../../../domain/serial-numbers.js'
import { noteKept } from '../effects/store-pending.js'
import type { HsmWork, OpenPorts, RunOptions } from '../ports.js'
import { describeFailure } from '../run/pause.js'
import { RotationRun } from '../run/rotation-run.js'
import { inLanes, inSessionsOn, rowsOf } from '../sessions/in-session.js'
import { logIn } from '../sessions/log-in.js'
import { OfficerLogins } from '../sessions/officer-logins.js'
import { provenConsole } from '../sessions/proven-console.js'
import { observed } from '../survey/observe-listing.js'
import { noteUnreachable } from '../survey/unreachable.js'
import { currentOfStore, passwordsIn } from './credentials.js'
import { type ChosenForRotation, planRotation } from './plan.js'
import { rollbackOutlook } from './rollback-outlook.js'

export interface RecoverRequest {
  readonly chosen: ChosenForRotation
  readonly users: readonly HsmUserRef[]
  readonly config: RotationFacts['config']
  /** How long an HSM may take for a command, in milliseconds. */
  readonly commandMs: number
}

/** What recovering needs from outside: no officer, because nothing is written. */
export type RecoverPorts = Omit<OpenPorts, 'officerOf' | 'hooks' | 'discover'> & { readonly locks: ClusterLocks }

/**
 * Begins the journal of a rotation anew after it was lost: PENDING of the store says which rotation it is, and each
 * cell is asked by at most one login, with the credential it more likely holds. What is not proved stays unknown, and
 * resume or rollback repeat it. Called again, it asks cells that refused the one credential for the other: each call
 * may cost a cell one failed login. A journal that is broken or empty counts as lost: it is set aside, never repaired.
 * @throws {OperatorError} `NOTHING_PENDING`, `USER_NOT_PENDING`, `USER_NOT_NAMED`, `CLUSTER_NOT_NAMED`, `ROTATION_KNOWN`, and
 * those of planning
 */
export const recoverRotation = async (request: RecoverRequest, ports: RecoverPorts): Promise<Rotation> => {
  const { chosen, users } = request
  const pending = await pendingOf(ports.store, users)
  const { rotationId } = pending
  const { known, trouble } = await knownRotation(ports.shelf, rotationId)
  if (known !== null && !canAskAgain(known, await currentOf(ports.store, known.plan))) throw refuseKnown(rotationId)
  refuseUnnamedClusters(pending, chosen)
  const clusterIds = [chosen.source, ...chosen.destinations].map((cluster) => cluster.clusterId)
  const lock = await ports.locks.acquire(clusterIds, rotationId)
  try {
    const work: HsmWork = {
      ...ports,
      lock,
      officerOf: () => {
        throw new Error('nobody is written to while a journal is recovered')
      },
      budget: new LoginBudget(ports.lockoutLimit, ports.refusedLogins),
      officerLogins: new OfficerLogins(),
    }
    if (known !== null) return await askAgain(ports, work, pending)
    const serials: SerialObservation[] = []
    const console = provenConsole(ports.console, {
      known: () => serials,
      learn: async (seen) => {
        serials.push(seen)
      },
    })
    // Others may have brought users near their lock-out, or deleted them; such cells are not asked, which is no reason to give up.
    const rules = { lockoutLimit: Number.MAX_SAFE_INTEGER, createMissing: true, allowKmsuser: true, repairs: true }
    const planned = await planRotation(chosen, users, console, ports.concurrency, rules, 'any')
    const plan = keepRestorePoint(planned.plan, pending)
    const hsms = [...planned.matrix].map(([hsmId, listed]) => observed(plan.users, hsmId, listed, ports.lockoutLimit))
    const facts: RotationFacts = {
      rotationId,
      procedure: 'rotate',
      plan,
      observed: [
        { type: 'listed', hsms },
        ...planned.behind.map((hsmId) => ({ type: 'unreachable', hsmId, reason: 'it could not be reached' }) as const),
        ...serials.map((seen) => ({ type: 'serials', seen }) as const),
      ],
      debts: [],
      lostClusters: chosen.lost ?? [],
      acceptedNoWayBack: false,
      createMissing: false,
      recovered: true,
      ...(trouble === null ? {} : { brokenJournal: trouble.message }),
      store: ports.store.description,
      newCredential: 'given',
      from: null,
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
      const run = await runOf(ports, work, pending, journal, new RotationLedger(first))
      await outwaitLostCommands(request, ports)
      notice(ports, `asking ${plan.roster.length} HSMs by at most one login per user each`)
      await inLanes(unitsOf(plan.roster, plan.utility), ports.concurrency, (unit) => askCells(run, unit))
      return await pauseRecovered(run)
    } finally {
      await journal.close()
    }
  } finally {
    await lock.release()
  }
}

const notice = ({ progress }: RecoverPorts, text: string): void => progress({ kind: 'notice', text })

/** Nothing is written while a journal is recovered, so that the operator is asked for nothing. */
const OPTIONS: RunOptions = {
  propagate: 'auto',
  acceptNoWayBack: false,
  pauseBefore: null,
  drainMs: 0,
  maxErrors: 0,
  mayStayBehind: { hsmIds: [], reason: '' },
}

const runOf = async (
  ports: RecoverPorts,
  work: HsmWork,
  pending: PendingOf,
  journal: Journal,
  ledger: RotationLedger,
): Promise<RotationRun> => {
  const { plan } = ledger
  const credentials = { new: passwordsIn(pending, plan.users), current: await currentOf(ports.store, plan) }
  return new RotationRun({
    ...ports,
    ...work,
    journal,
    ledger,
    credentials,
    options: OPTIONS,
    hooks: { run: async () => {} },
    discover: () => Promise.reject(new Error('AWS is not asked while a journal is recovered')),
  })
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
const askAgain = async (ports: RecoverPorts, work: HsmWork, pending: PendingOf): Promise<Rotation> => {
  const { entries, journal } = await ports.shelf.reopen(pending.rotationId)
  try {
    const run = await runOf(ports, work, pending, journal, ledgerOf(entries))
    // Somebody else may have gone on with it between the first look and the lock.
    if (!canAskAgain(run.ledger, run.parts.credentials.current)) throw refuseKnown(pending.rotationId)
    const doubtful = doubtfulCells(run.ledger)
    const units = unitsOf(run.plan.roster, run.plan.utility).filter(({ servers }) =>
      servers.some(({ hsmId }) => doubtful.some((cell) => cell.hsmId === hsmId)),
    )
    await inLanes(units, ports.concurrency, (unit) => askCells(run, unit))
    return await pauseRecovered(run)
  } finally {
    await journal.close()
  }
}

const pauseRecovered = async (run: RotationRun): Promise<Rotation> => {
  const { ledger } = run
  const { rotationId } = ledger.facts
  const { current } = run.parts.credentials
  // The store may keep a CURRENT that was not in force: it is a way back only if each user logged in with it somewhere.
  if (ledger.currentProved) {
    await noteKept(run, true)
  }
  const { cells, wayBack } = run.rotation()
  await run.record({
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
      ...(wayBack.byCurrent && rollbackOutlook(ledger).kind === 'taken'
        ? [`lockstep rotate rollback --rotation ${rotationId}`]
        : []),
    ],
  })
  return run.rotation()
}

/** Cells that refused the one credential they were asked for. */
const doubtfulCells = (ledger: RotationLedger): readonly Cell[] =>
  ledger.cells().filter(({ state, user, hsmId }) => state === 'unknown' && ledger.refused(user, hsmId).length === 1)

/** A journal that was begun anew, with nothing done since, where a second credential can still be asked for. */
const canAskAgain = (ledger: RotationLedger, current: ReadonlyMap<UserKey, Secret>): boolean =>
  ledger.pause?.code === 'RECOVERED' && current.size > 0 && doubtfulCells(ledger).length > 0

/** CURRENT of the store, where it holds one for every user. */
const currentOf = async (store: CredentialStore, plan: RotationPlan): Promise<ReadonlyMap<UserKey, Secret>> =>
  (await currentOfStore(store, plan))?.passwords ?? new Map()

/** One login per cell, where its budget allows one; where no count can be read, a refusal is the last login there. */
const askCells = async (run: RotationRun, { unitId, servers }: Unit): Promise<void> => {
  const { credentials, budget } = run.parts
  // The restore point is the last one to hold the old credential; every other unit more likely holds the new one.
  const [likely, other]: readonly [CredentialName, CredentialName] =
    unitId === run.plan.parts.restorePoint ? ['current', 'new'] : ['new', 'current']
  const refusedUncounted = new Set<PlannedUser>()
  try {
    await inSessionsOn(run.parts, servers, async (session, reached) => {
      const hsmIds = reached.map(({ hsmId }) => hsmId)
      const listing = await session.listUsers(run.users)
      await run.observe(listing, reached)
      for (const user of run.users) {
        const known = [likely, other].filter((name) => run.knows(user.key, name))
        const credential = nextCredential(run.ledger, user, hsmIds, known)
        const rows = rowsOf(listing, reached, user)
        if (credential === null || rows.size < hsmIds.length || refusedUncounted.has(user)) continue
        if ((await budget.objection({ user, reached, rows })) !== null) continue
        const password = credentials[credential].get(user.key)
        if (password === undefined) continue
        const intent = { act: 'login', user: user.key, hsmIds, credential } as const
        const answer = await logIn(budget, { session, user, reached, rows, password, credential: null }, (attempt) =>
          run.ask(session, intent, attempt),
        )
        if (answer.kind !== 'done' && isUncounted(rows)) refusedUncounted.add(user)
      }
    })
  } catch (error) {
    if (!(error instanceof ConsoleFailure)) throw error
    await noteUnreachable(run, error)
    if (error.kind !== 'unreachable') run.notice(describeFailure(error, false).message)
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
  return credentials.find((name) => !ledger.refused(user.key, hsmId).includes(name)) ?? null
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
  const unnamed = [...pending.users.keys()].filter((key) => !users.some((user) => sameUser(parseUserRef(key), user)))
  if (unnamed.length > 0) {
    throw refusal(
      'USER_NOT_NAMED',
      `${pending.rotationId} rotates ${unnamed.join(', ')} as well: PENDING may be all that knows what HSMs hold for ${unnamed.length === 1 ? 'it' : 'them'}`,
      [`add ${unnamed.map((key) => `--user ${key}`).join(' ')}`],
    )
  }
  return { ...pending, rotationId: pending.rotationId }
}

/**
 * Every cluster of the rotation takes part again, or is owed what the others get; one that is deleted is owed nothing.
 * @throws {OperatorError} `CLUSTER_NOT_NAMED`
 */
const refuseUnnamedClusters = (pending: PendingOf, chosen: ChosenForRotation): void => {
  const { source, destinations, leftOut, lost = [] } = chosen
  const named = [source, ...destinations, ...lost, ...leftOut.filter(isDeleted)].map(({ clusterId }) => clusterId)
  const unnamed = pending.clusters.filter((clusterId) => !named.includes(clusterId))
  if (unnamed.length === 0) return
  throw refusal(
    'CLUSTER_NOT_NAMED',
    `${pending.rotationId} is about ${unnamed.join(', ')} as well, which may hold its new credential`,
    [
      `add ${unnamed.map((clusterId) => `--destination ${clusterId}`).join(' ')}`,
      `where one is out of reach or gone: --leave-out CLUSTER --reason TEXT in the place of its --destination`,
    ],
  )
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
