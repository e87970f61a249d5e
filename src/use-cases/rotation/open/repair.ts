import { refusal, usageError } from '../../../domain/errors.js'
import { findUser, type HsmUserRef, type UserKey, userKey } from '../../../domain/hsm-user.js'
import type { ClusterId, HsmId, UnitId } from '../../../domain/ids.js'
import { nameServer, type RosterEntry } from '../../../domain/roster.js'
import type { Cell, CellRef } from '../../../domain/rotation/cell.js'
import { checkOfficers, type EligibilityRules, REPAIR_RULES } from '../../../domain/rotation/eligibility.js'
import type { CurrentVersion, RotationFacts } from '../../../domain/rotation/journal-entry.js'
import { RotationLedger } from '../../../domain/rotation/ledger.js'
import { isLocked, isNearLockout, nearLockout } from '../../../domain/rotation/login-budget.js'
import { nameUnit, type RotationPlan, serversOf, unitOf, unitsOf } from '../../../domain/rotation/plan.js'
import type { Rotation } from '../../../domain/rotation/rotation.js'
import { copiesImpossible, copiesImpossibleBetween } from '../../../domain/rotation/way-back.js'
import type { Secret } from '../../../domain/secret.js'
import { capabilitiesOf } from '../../../domain/utility/capabilities.js'
import type { UtilityName } from '../../../domain/utility/utility.js'
import { isMissingIn } from '../cells/absent-users.js'
import { describePlaces } from '../describe-plan.js'
import type { RunOptions, StartPorts } from '../ports.js'
import { refuseKnownOfficer } from '../sessions/officer.js'
import { type AskedCredentials, type FirstLogins, firstLogins } from '../survey/first-logins.js'
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
  refuseImpossibleOrigin(request, ports)
  const lock = await ports.locks.acquire(clusterIdsOf(request))
  try {
    const { facts } = await check(request, ports, new Preflight({ ...ports, showPlan: async () => {}, lock }))
    return previewOf(facts, ports.clock.now())
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
  refuseImpossibleOrigin(request, ports)
  const lock = await ports.locks.acquire(clusterIdsOf(request))
  try {
    const preflight = new Preflight({ ...ports, showPlan: async () => {}, lock })
    ports.progress({ kind: 'stage-started', stage: 'preflight', steps: 0 })
    const { facts, passwords } = await check(request, ports, preflight)
    ports.progress({ kind: 'stage-completed', stage: 'preflight' })
    const preview = previewOf(facts, ports.clock.now())
    await ports.showRepair(preview)
    await confirm(preview, ports)
    return await preflight.carryOut(facts, request.options, { new: passwords, current: new Map() })
  } finally {
    await lock.release()
  }
}

const clusterIdsOf = ({ chosen }: RepairRequest): readonly ClusterId[] =>
  [chosen.source, ...chosen.destinations].map((cluster) => cluster.clusterId)

/** @param now when it was looked at */
const previewOf = (facts: RotationFacts, now: Date): RepairPreview => {
  const ledger = new RotationLedger({ seq: 1, at: now.toISOString(), event: { type: 'started', facts } })
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
  const rules = { ...request.rules, ...REPAIR_RULES }
  const mayStay = options.mayStayBehind.hsmIds
  const planned = await planRotation(chosen, users, work.console, ports.concurrency, rules, mayStay)
  const { plan, absent, matrix, behind } = planned
  const from = request.from === null ? null : originOf(plan, request.from, behind)
  const said = byPlannedKey(plan, request.passwords)
  if (from !== null) {
    refuseOrigin(planned, from, said.size > 0, ports.lockoutLimit)
    refuseLockedTargets(planned, from, said, ports.lockoutLimit)
    noticeSiblings(plan, request.from, from, ports.progress)
  }
  refuseMissing(planned, ports.console.utility)
  if (absent.length > 0 || from !== null) await ports.console.checkCopying()
  checkOfficers((clusterId) => ports.officerOf(clusterId).user, plan.users, matrix, ports.lockoutLimit, plan.roster)
  const { passwords, asked, origin, kept } = await credentialToGive(said, ports, plan, from)
  const isOrigin = ({ hsmId, clusterId }: RosterEntry) => hsmId === from || clusterId === from
  const reachable = plan.roster.filter(({ hsmId }) => !behind.includes(hsmId))
  const ask = (servers: readonly RosterEntry[]) =>
    firstLogins(work, servers, plan.users, asked, {
      onQuorum: (server, approvals) => refuseQuorum(ports.console.utility, server, approvals, ports.progress),
    })
  // The origin is asked first: it costs one login to find out that the password is not what it holds.
  const there = await ask(reachable.filter(isOrigin))
  if (from !== null && asked !== null) refuseOriginsPassword(request.from ?? from, plan, passwords, there)
  const elsewhere = await ask(reachable.filter((server) => !isOrigin(server)))
  refuseInterrupted({ ...ports, showPlan: async () => {} })
  const facts: RotationFacts = {
    rotationId: ports.newRotationId(),
    procedure: 'repair',
    plan,
    observed: [
      ...preflight.observations(planned),
      ...[there, elsewhere].flatMap(({ seen }) => seen),
      ...[there, elsewhere].flatMap(({ notAsked }) => notAsked),
    ],
    debts: behind.map((hsmId) => ({ hsmId, reason: options.mayStayBehind.reason })),
    lostClusters: [],
    acceptedNoWayBack: false,
    createMissing: true,
    recovered: false,
    store: from === null ? ports.store.description : null,
    newCredential: origin,
    ...(kept === null ? {} : { kept }),
    from,
    config: request.config,
    operator: ports.who,
    version: ports.version,
  }
  return { facts, passwords }
}

/**
 * What is wrong with `--from` whatever the HSMs say, before any of them is asked.
 * @throws {OperatorError} `UNKNOWN_HSM` (exit 2), `REPLICATION_UNSUPPORTED`
 */
const refuseImpossibleOrigin = ({ chosen, users, from }: RepairRequest, { console }: RepairPorts): void => {
  if (from === null) return
  const { roster } = chosen
  if (!roster.some((server) => isNamed(server, from))) {
    throw usageError('UNKNOWN_HSM', `--from names ${from}, which is no HSM or cluster of this repair`, [
      `HSMs: ${roster.map(({ hsmId }) => hsmId).join(', ')}`,
      `clusters: ${[...new Set(roster.map(({ clusterId }) => clusterId))].join(', ')}`,
    ])
  }
  const units = unitsOf(roster, console.utility).length
  const planned = { ...chosen, users: users.map((user) => ({ key: userKey(user) })) }
  refuseWithoutCopies(from, copiesImpossibleBetween(chosen, console.utility, units), planned)
}

/** @throws {OperatorError} `REPLICATION_UNSUPPORTED` */
const refuseWithoutCopies = (
  from: UnitId,
  impossible: string | null,
  where: Parameters<typeof describePlaces>[0],
): void => {
  if (impossible === null) return
  throw refusal('REPLICATION_UNSUPPORTED', `nothing can be copied from ${from}: ${impossible}`, [
    `${toCurrent(where)}   gives the password that the store keeps`,
  ])
}

const isNamed = ({ hsmId, clusterId }: RosterEntry, name: UnitId): boolean => hsmId === name || clusterId === name

/**
 * The unit that users are copied from. Of a cluster whose HSMs are written one by one it is the first that answers: the
 * others are repaired like all the rest.
 * @throws {OperatorError} `HSM_UNREACHABLE`
 */
const originOf = ({ roster, utility }: RotationPlan, from: HsmId | ClusterId, behind: readonly HsmId[]): UnitId => {
  const server = roster.find((one) => isNamed(one, from) && !behind.includes(one.hsmId))
  if (server !== undefined) return unitOf(server, utility)
  throw refusal('HSM_UNREACHABLE', `--from names ${from}, which cannot be reached`, [
    'name an HSM or a cluster that answers and is right',
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

/**
 * @param isAsked whether its password is proved there first, by a login
 * @throws {OperatorError} `USER_MISSING`, `USER_LOCKED`, `NEAR_LOCKOUT`, `REPLICATION_UNSUPPORTED`
 */
const refuseOrigin = (
  { plan, matrix }: PlannedRotation,
  from: UnitId,
  isAsked: boolean,
  lockoutLimit: number,
): void => {
  for (const server of serversOf(plan.roster, from)) {
    const { hsmId } = server
    const listed = matrix.get(hsmId)
    if (listed === undefined) continue
    const missing = plan.users.find((user) => isMissingIn(listed, user))
    if (missing !== undefined) {
      const where = findUser(listed, missing) === undefined ? hsmId : `every HSM of ${from}`
      throw refusal('USER_MISSING', `${missing.key} does not exist on ${where}, which --from names`, [
        'name an HSM or a cluster that has it: lockstep users list --config FILE',
      ])
    }
    // A copy may carry the lock along, and to unlock it there changes what is copied.
    for (const user of plan.users) {
      const row = findUser(listed, user)
      if (row === undefined) continue
      if (isLocked(row, lockoutLimit)) {
        throw refusal('USER_LOCKED', `${user.key} is locked on ${hsmId}, which --from names`, [
          'name an HSM or a cluster where it is right and not locked: lockstep users list --config FILE',
          orToCurrent(plan),
        ])
      }
      if (!isAsked || !isNearLockout(row, lockoutLimit)) continue
      const { code, message } = nearLockout(user, nameServer(server), row, lockoutLimit)
      throw refusal(
        code,
        `${message}: it cannot show there that --from holds what --password gives`,
        notAskedAdvice(plan),
      )
    }
  }
  refuseWithoutCopies(from, copiesImpossible(plan), plan)
}

const toCurrent = (where: Parameters<typeof describePlaces>[0]): string =>
  `lockstep users repair ${describePlaces(where)} --to-current --store STORE`

const orToCurrent = (plan: RotationPlan): string => `or give the password that the store keeps: ${toCurrent(plan)}`

const notAskedAdvice = (plan: RotationPlan): readonly string[] => [
  'name another HSM or cluster that is right, or leave --password out: the users are copied then without being proved',
  orToCurrent(plan),
]

/**
 * Whether a copy unlocks nobody knows, and without the password nothing else does.
 * @throws {OperatorError} `USER_LOCKED`
 */
const refuseLockedTargets = (
  { plan, matrix }: PlannedRotation,
  from: UnitId,
  said: ReadonlyMap<UserKey, Secret>,
  lockoutLimit: number,
): void => {
  for (const { unitId, servers } of unitsOf(plan.roster, plan.utility)) {
    if (unitId === from) continue
    for (const user of plan.users) {
      const rows = servers.flatMap(({ hsmId }) => findUser(matrix.get(hsmId) ?? [], user) ?? [])
      if (said.has(user.key) || !rows.some((row) => isLocked(row, lockoutLimit))) continue
      const { copy, change } = capabilitiesOf(plan.utility).words
      throw refusal(
        'USER_LOCKED',
        `${user.key} is locked on ${nameUnit(plan.roster, unitId)}, and whether ${copy} unlocks nobody knows`,
        [
          'with --password SECRET, what --from holds, it is unlocked by a change of the password',
          orToCurrent(plan),
          `or an officer unlocks it there by ${change}, to any password; then the same repair once more`,
        ],
      )
    }
  }
}

/**
 * A user that some HSM lacks and that nothing can be copied from: no unit has it on all its HSMs, or no copy is made.
 * @throws {OperatorError} `USER_MISSING`
 */
const refuseMissing = ({ plan, matrix }: PlannedRotation, utility: UtilityName): void => {
  const units = unitsOf(
    plan.roster.filter(({ hsmId }) => matrix.has(hsmId)),
    utility,
  )
  for (const user of plan.users) {
    const lacks = ({ hsmId }: RosterEntry) => isMissingIn(matrix.get(hsmId) ?? [], user)
    const lacking = units.filter(({ servers }) => servers.some(lacks))
    const [first] = lacking
    if (first === undefined) continue
    if (lacking.length < units.length && copiesImpossible({ ...plan, users: [user] }) === null) continue
    const { create } = capabilitiesOf(utility).words
    throw refusal(
      'USER_MISSING',
      `${user.key} does not exist on every HSM of ${nameUnit(plan.roster, first.unitId)}, and cannot be copied there`,
      [`an officer makes it there by ${create}, with any password; then the same repair once more`],
    )
  }
}

/** What is given, and how it is asked for first. */
const credentialToGive = async (
  passwords: ReadonlyMap<UserKey, Secret>,
  { store }: RepairPorts,
  plan: RotationPlan,
  from: UnitId | null,
): Promise<{
  readonly passwords: ReadonlyMap<UserKey, Secret>
  readonly asked: AskedCredentials | null
  readonly origin: RotationFacts['newCredential']
  readonly kept: CurrentVersion | null
}> => {
  const common = { credential: 'new', refusals: 'go-on', advice: [] } as const
  if (from !== null) {
    if (passwords.size === 0) return { passwords, asked: null, origin: 'unknown', kept: null }
    const asked = { ...common, passwords, source: '--password gives', remembered: null }
    return { passwords, asked, origin: 'given', kept: null }
  }
  const kept = await currentOfStore(store, plan)
  if (kept === null) {
    throw refusal('CURRENT_MISSING', `${store.description} does not keep CURRENT for every user of this repair`, [
      'name the store the last rotation was started with',
      'or copy the users from an HSM that is right: --from HSM',
    ])
  }
  const source = `${store.description} keeps as CURRENT`
  const asked = { ...common, passwords: kept.passwords, source, remembered: kept.name }
  const { rotationId, startedAt } = kept
  return { passwords: kept.passwords, asked, origin: 'kept', kept: { rotationId, startedAt } }
}

/** @throws {OperatorError} `CURRENT_REFUSED`, `LOGIN_BUDGET` */
const refuseOriginsPassword = (
  named: UnitId,
  plan: RotationPlan,
  passwords: ReadonlyMap<UserKey, Secret>,
  { seen, notAsked }: FirstLogins,
): void => {
  for (const { key } of plan.users) {
    if (!passwords.has(key)) continue
    const spent = notAsked.find(({ user }) => user === key)
    if (spent !== undefined) {
      const why = `${spent.reason}: it cannot show there that --from holds what --password gives`
      throw refusal('LOGIN_BUDGET', why, notAskedAdvice(plan))
    }
    const refused = seen.find(({ user, answer }) => user === key && answer.kind === 'refused')
    if (refused === undefined) continue
    const [where = named] = refused.hsmIds
    throw refusal(
      'CURRENT_REFUSED',
      `${named === where ? named : `${where} of ${named}`}, which --from names, does not hold the password of ${key} that --password gives`,
      [
        'compare it with the one in your vault, or leave --password out: the users are copied then without being proved',
      ],
    )
  }
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
