import { refusal, usageError } from '../../../domain/errors.js'
import { findUser, type HsmUserRef, type UserKey } from '../../../domain/hsm-user.js'
import type { ClusterId, HsmId, UnitId } from '../../../domain/ids.js'
import type { RosterEntry } from '../../../domain/roster.js'
import type { Cell, CellRef } from '../../../domain/rotation/cell.js'
import { checkOfficers, type EligibilityRules } from '../../../domain/rotation/eligibility.js'
import type { RotationFacts } from '../../../domain/rotation/journal-entry.js'
import { RotationLedger } from '../../../domain/rotation/ledger.js'
import { isLocked } from '../../../domain/rotation/login-budget.js'
import { type RotationPlan, serversOf, unitOf } from '../../../domain/rotation/plan.js'
import type { Rotation } from '../../../domain/rotation/rotation.js'
import { copiesImpossible } from '../../../domain/rotation/way-back.js'
import type { Secret } from '../../../domain/secret.js'
import type { RunOptions, StartPorts } from '../ports.js'
import { refuseKnownOfficer } from '../sessions/officer.js'
import { type AskedCredentials, firstLogins } from '../survey/first-logins.js'
import { refuseQuorum } from '../survey/quorum.js'
import { currentOfStore } from './credentials.js'
import { refuseOpenRotation } from './earlier-rotations.js'
import { type ChosenForRotation, type PlannedRotation, planRotation } from './plan.js'
import { byPlannedKey } from './planned-passwords.js'
import { describeExtent, Preflight, refuseInterrupted } from './start.js'

/** What is repaired, and by what. */
export interface RepairRequest {
  readonly chosen: ChosenForRotation
  readonly users: readonly HsmUserRef[]
  readonly rules: Omit<EligibilityRules, 'createMissing' | 'repairs'>
  readonly options: RunOptions
  /** The HSM or cluster that users are copied from; null: HSMs are given CURRENT of the store. */
  readonly from: HsmId | ClusterId | null
  /** What that HSM is said to hold; empty where nobody knows it. */
  readonly passwords: ReadonlyMap<UserKey, Secret>
  readonly retryOfficer: boolean
  readonly config: RotationFacts['config']
}

/** What a repair needs from outside; shows what it would do in the place of a plan. */
export type RepairPorts = Omit<StartPorts, 'showPlan'> & {
  readonly showRepair: (preview: RepairPreview) => Promise<void>
}

/** What a repair found, and what it would do about it. Nothing was changed to find it out. */
export interface RepairPreview {
  readonly plan: RotationPlan
  /** What users are copied from; null where CURRENT of the store is given. */
  readonly from: UnitId | null
  /** How every HSM stands. */
  readonly cells: readonly Cell[]
  /** Whether a login showed which HSMs hold it. */
  readonly isProved: boolean
  /** Users that some HSM of a cluster lacks, where its listing does not say which; named on each of its HSMs. */
  readonly inPart: readonly CellRef[]
  /** Cells whose budget allows no login, and why; they are written without being asked. */
  readonly notAsked: readonly (CellRef & { readonly reason: string })[]
  /** Logins that were refused: those hold another password. */
  readonly refusals: readonly RefusedCell[]
}

/** A login that was refused while it was found out who holds what. */
export interface RefusedCell extends CellRef {
  /** The HSM was asked by itself; of a cluster that refuses it is not known which HSM does. */
  readonly isAlone: boolean
  /** It was refused before and not asked again, so that it cost no failed login now. */
  readonly isRemembered: boolean
}

/**
 * Looks at what would be repaired. Costs one failed login on each HSM that holds another password, where one is known;
 * that is remembered, and costs none the next time.
 * @throws {OperatorError} for everything that forbids it
 */
export const previewRepair = async (request: RepairRequest, ports: RepairPorts): Promise<RepairPreview> => {
  const lock = await ports.locks.acquire(clusterIdsOf(request))
  try {
    const { facts } = await check(request, ports, new Preflight({ ...ports, showPlan: async () => {}, lock }))
    return previewOf(facts)
  } finally {
    await lock.release()
  }
}

/**
 * Gives users of some HSMs what another HSM holds, or what the store keeps. Until the question is answered nothing has
 * changed anywhere.
 * @throws {OperatorError} for everything that is refused before that
 */
export const repairUsers = async (request: RepairRequest, ports: RepairPorts): Promise<Rotation> => {
  const lock = await ports.locks.acquire(clusterIdsOf(request))
  try {
    const preflight = new Preflight({ ...ports, showPlan: async () => {}, lock })
    ports.progress({ kind: 'stage-started', stage: 'preflight', steps: 0 })
    const { facts, passwords } = await check(request, ports, preflight)
    ports.progress({ kind: 'stage-completed', stage: 'preflight' })
    const preview = previewOf(facts)
    await ports.showRepair(preview)
    await confirm(preview, ports)
    return await preflight.carryOut(facts, request.options, { new: passwords, current: new Map() })
  } finally {
    await lock.release()
  }
}

const clusterIdsOf = ({ chosen }: RepairRequest): readonly ClusterId[] =>
  [chosen.source, ...chosen.destinations].map((cluster) => cluster.clusterId)

const previewOf = (facts: RotationFacts): RepairPreview => {
  const at = new Date(0).toISOString()
  const ledger = new RotationLedger({ seq: 1, at, event: { type: 'started', facts } })
  return {
    plan: facts.plan,
    from: facts.from,
    cells: ledger.cells(),
    isProved: facts.newCredential !== 'unknown',
    inPart: facts.observed.flatMap((seen) =>
      seen.type === 'listed'
        ? seen.hsms.flatMap(({ hsmId, inPart = [] }) => inPart.map((user) => ({ user, hsmId })))
        : [],
    ),
    notAsked: facts.observed.flatMap((seen) =>
      seen.type === 'not-asked' ? seen.hsmIds.map((hsmId) => ({ user: seen.user, hsmId, reason: seen.reason })) : [],
    ),
    refusals: facts.observed.flatMap((seen) =>
      seen.type === 'login' && seen.answer.kind === 'refused'
        ? seen.hsmIds.map((hsmId) => ({
            user: seen.user,
            hsmId,
            isAlone: seen.hsmIds.length === 1,
            isRemembered: seen.remembered === true,
          }))
        : [],
    ),
  }
}

const check = async (
  request: RepairRequest,
  ports: RepairPorts,
  preflight: Preflight,
): Promise<{ readonly facts: RotationFacts; readonly passwords: ReadonlyMap<UserKey, Secret> }> => {
  const { chosen, users, options } = request
  const clusterIds = clusterIdsOf(request)
  await refuseOpenRotation(ports.shelf, clusterIds)
  await refuseKnownOfficer(ports, clusterIds, request.retryOfficer)
  const { work } = preflight
  // An HSM that others brought near a lock-out, or that lacks a user, is what a repair is for.
  const rules = { ...request.rules, createMissing: true, repairs: true, lockoutLimit: Number.MAX_SAFE_INTEGER }
  const mayStay = options.mayStayBehind.hsmIds
  const planned = await planRotation(chosen, users, work.console, ports.concurrency, rules, mayStay)
  const { plan, absent, matrix, behind } = planned
  const from = request.from === null ? null : originOf(plan, request.from, behind)
  if (from !== null) {
    refuseOrigin(planned, from, ports.lockoutLimit)
    noticeSiblings(plan, request.from, from, ports.progress)
  }
  if (absent.length > 0 || from !== null) await ports.console.checkCopying()
  checkOfficers((clusterId) => ports.officerOf(clusterId).user, plan.users, matrix, ports.lockoutLimit, plan.roster)
  const { passwords, asked, origin } = await credentialToGive(request, ports, plan, from)
  const reachable = inOrder(plan.roster, from).filter(({ hsmId }) => !behind.includes(hsmId))
  const { seen, notAsked } = await firstLogins(work, reachable, plan.users, asked, {
    onQuorum: (server, approvals) => refuseQuorum(ports.console.utility, server, approvals, ports.progress),
  })
  refuseInterrupted({ ...ports, showPlan: async () => {} })
  const facts: RotationFacts = {
    rotationId: ports.newRotationId(),
    procedure: 'repair',
    plan,
    observed: [...preflight.observations(planned), ...seen, ...notAsked],
    debts: behind.map((hsmId) => ({ hsmId, reason: options.mayStayBehind.reason })),
    lostClusters: [],
    acceptedNoWayBack: false,
    createMissing: true,
    recovered: false,
    store: from === null ? ports.store.description : null,
    newCredential: origin,
    from,
    config: request.config,
    operator: ports.who,
    version: ports.version,
  }
  if (from !== null && asked !== null) refuseOriginsPassword(facts, from)
  return { facts, passwords }
}

/**
 * The unit that users are copied from. Of a cluster whose HSMs are written one by one it is the first that answers: the
 * others are repaired like all the rest.
 * @throws {OperatorError} `UNKNOWN_HSM` (exit 2), `HSM_UNREACHABLE`
 */
const originOf = ({ roster, utility }: RotationPlan, from: HsmId | ClusterId, behind: readonly HsmId[]): UnitId => {
  const server = roster.find(
    ({ hsmId, clusterId }) => (hsmId === from || clusterId === from) && !behind.includes(hsmId),
  )
  if (server !== undefined) return unitOf(server, utility)
  const isBehind = roster.some(({ hsmId, clusterId }) => hsmId === from || clusterId === from)
  if (isBehind) {
    throw refusal('HSM_UNREACHABLE', `--from names ${from}, which cannot be reached`, [
      'name an HSM or a cluster that answers and is right',
    ])
  }
  throw usageError('UNKNOWN_HSM', `--from names ${from}, which is no HSM or cluster of this repair`, [
    `HSMs: ${roster.map(({ hsmId }) => hsmId).join(', ')}`,
    `clusters: ${[...new Set(roster.map(({ clusterId }) => clusterId))].join(', ')}`,
  ])
}

/** Where one HSM is named and its whole cluster is copied from, its siblings are taken to hold the same. */
const noticeSiblings = (
  { roster }: RotationPlan,
  named: RepairRequest['from'],
  from: UnitId,
  progress: RepairPorts['progress'],
): void => {
  const siblings = serversOf(roster, from).flatMap(({ hsmId }) => (hsmId === named ? [] : [hsmId]))
  if (named === from || siblings.length === 0 || !roster.some(({ hsmId }) => hsmId === named)) return
  const text = `--from names ${named}, and users are copied from all of ${from} at once: ${siblings.join(', ')} ${siblings.length === 1 ? 'is' : 'are'} taken to hold the same`
  progress({ kind: 'notice', text })
}

/** @throws {OperatorError} `USER_MISSING`, `USER_LOCKED`, `REPLICATION_UNSUPPORTED` */
const refuseOrigin = ({ plan, absent, matrix }: PlannedRotation, from: UnitId, lockoutLimit: number): void => {
  const hsmIds = serversOf(plan.roster, from).map(({ hsmId }) => hsmId)
  const missing = absent.find(({ hsmId }) => hsmIds.includes(hsmId))
  if (missing !== undefined) {
    throw refusal('USER_MISSING', `${missing.user} does not exist on ${missing.hsmId}, which --from names`, [
      'name an HSM or a cluster that has it: lockstep users list --config FILE',
    ])
  }
  // A copy may carry the lock along, and to unlock it there changes what is copied.
  for (const hsmId of hsmIds) {
    const listed = matrix.get(hsmId) ?? []
    const locked = plan.users.find((user) => {
      const row = findUser(listed, user)
      return row !== undefined && isLocked(row, lockoutLimit)
    })
    if (locked === undefined) continue
    throw refusal('USER_LOCKED', `${locked.key} is locked on ${hsmId}, which --from names`, [
      'name an HSM or a cluster where it is right and not locked: lockstep users list --config FILE',
      'or give the password that the store keeps: lockstep users repair --to-current --store STORE',
    ])
  }
  const impossible = copiesImpossible(plan)
  if (impossible === null) return
  throw refusal('REPLICATION_UNSUPPORTED', `nothing can be copied from ${from}: ${impossible}`, [
    'lockstep users repair --to-current --store STORE gives the password that the store keeps',
  ])
}

/** What is given, and how it is asked for first. */
const credentialToGive = async (
  { passwords: said }: RepairRequest,
  { store }: RepairPorts,
  plan: RotationPlan,
  from: UnitId | null,
): Promise<{
  readonly passwords: ReadonlyMap<UserKey, Secret>
  readonly asked: AskedCredentials | null
  readonly origin: RotationFacts['newCredential']
}> => {
  const common = { credential: 'new', refusals: 'go-on', advice: [] } as const
  if (from !== null) {
    const passwords = byPlannedKey(plan, said)
    if (passwords.size === 0) return { passwords, asked: null, origin: 'unknown' }
    const asked = { ...common, passwords, source: '--password gives', remembered: null }
    return { passwords, asked, origin: 'given' }
  }
  const kept = await currentOfStore(store, plan)
  if (kept === null) {
    throw refusal('CURRENT_MISSING', `${store.description} does not keep CURRENT for every user of this repair`, [
      'name the store the last rotation was started with',
      'or copy the users from an HSM that is right: --from HSM',
    ])
  }
  const { passwords, name } = kept
  const asked = { ...common, passwords, source: `${store.description} keeps as CURRENT`, remembered: name }
  return { passwords, asked, origin: 'kept' }
}

/** The origin is asked first: it costs one login to find out that the password is not what it holds. */
const inOrder = (roster: readonly RosterEntry[], from: UnitId | null): readonly RosterEntry[] => {
  const isOrigin = ({ hsmId, clusterId }: RosterEntry) => hsmId === from || clusterId === from
  return [...roster.filter(isOrigin), ...roster.filter((server) => !isOrigin(server))]
}

/** @throws {OperatorError} `CURRENT_REFUSED` */
const refuseOriginsPassword = (facts: RotationFacts, from: UnitId): void => {
  const { cells } = previewOf(facts)
  const hsmIds = serversOf(facts.plan.roster, from).map(({ hsmId }) => hsmId)
  const wrong = cells.find(({ hsmId, state }) => hsmIds.includes(hsmId) && state !== 'new')
  if (wrong === undefined) return
  throw refusal(
    'CURRENT_REFUSED',
    `${wrong.hsmId}, which --from names, does not hold the password of ${wrong.user} that --password gives`,
    ['compare it with the one in your vault, or leave --password out: the users are copied then without being proved'],
  )
}

/** @throws {OperatorError} `DECLINED` */
const confirm = async (
  { plan, cells, from, isProved }: RepairPreview,
  { operator, progress }: RepairPorts,
): Promise<void> => {
  const wrong = cells.filter(({ state }) => state !== 'new')
  if (wrong.length === 0) {
    progress({ kind: 'notice', text: 'every HSM holds it already; nothing is written' })
    return
  }
  const names = plan.users.map((user) => user.key).join(', ')
  const what = from === null ? 'the password that the store keeps as CURRENT' : `what ${from} holds`
  const proof = isProved ? '' : ', which nobody can prove without --password'
  const where = `${new Set(wrong.map(({ hsmId }) => hsmId)).size} of ${describeExtent(plan)}`
  if (await operator.confirm(`Give ${names} on ${where} ${what}${proof}?`)) return
  throw refusal('DECLINED', 'declined; nothing has changed', ['add --yes to answer the question beforehand'])
}
