import type { Clock } from '../../domain/clock.js'
import type { Discovery } from '../../domain/clone-family.js'
import type { ClusterLocks } from '../../domain/cluster-lock.js'
import { type CredentialStore, credentialOf } from '../../domain/credential-store.js'
import { EXIT, OperatorError, refusal } from '../../domain/errors.js'
import type { Hooks } from '../../domain/hooks.js'
import type { HsmUserRef, UserKey } from '../../domain/hsm-user.js'
import type { ClusterId, HsmId, RotationId } from '../../domain/ids.js'
import type { Operator } from '../../domain/operator.js'
import type { Roster, RosterEntry } from '../../domain/roster.js'
import type { Evidence } from '../../domain/rotation/cell.js'
import { checkOfficers, type EligibilityRules } from '../../domain/rotation/eligibility.js'
import type { JournalShelf } from '../../domain/rotation/journal.js'
import type { RotationFacts } from '../../domain/rotation/journal-entry.js'
import { type RotationPlan, sameHsmType, unitsOf, wayBackInDoubt } from '../../domain/rotation/plan.js'
import type { Progress } from '../../domain/rotation/progress.js'
import { type Rotation, RotationLedger } from '../../domain/rotation/rotation.js'
import type { Secret } from '../../domain/secret.js'
import { UTILITY_WORDS } from '../../domain/utility.js'
import { failureCountsOf } from './failure-counts.js'
import { OfficerLogins } from './officer-logins.js'
import { type ChosenForRotation, planRotation } from './plan-rotation.js'
import { byPlannedKey, refuseEqual } from './planned-passwords.js'
import { proveLogins, refuseKnownOfficer } from './preflight.js'
import { refuseQuorum } from './quorum.js'
import { type HsmPorts, type HsmWork, RotationRun, type RunOptions } from './rotation-run.js'
import { runStages } from './run-stages.js'

/** What the operator asked for. */
export interface StartRequest {
  readonly chosen: ChosenForRotation
  readonly users: readonly HsmUserRef[]
  readonly rules: EligibilityRules
  readonly options: RunOptions
  /** New passwords by user, keyed as the operator wrote them. */
  readonly newPasswords: ReadonlyMap<UserKey, Secret>
  readonly newCredential: RotationFacts['newCredential']
  /** Current passwords; empty where they are not known. */
  readonly currentPasswords: ReadonlyMap<UserKey, Secret>
  /** An earlier plan that the facts must still match. */
  readonly expected: RotationPlan | null
  readonly retryOfficer: boolean
  readonly config: RotationFacts['config']
}

/** What a start needs from outside. */
export interface StartPorts extends HsmPorts {
  readonly locks: ClusterLocks
  readonly shelf: JournalShelf
  readonly store: CredentialStore
  readonly clock: Clock
  readonly hooks: Hooks
  readonly operator: Operator
  readonly progress: Progress
  readonly discover: () => Promise<Discovery>
  readonly newRotationId: () => RotationId
  readonly who: RotationFacts['operator']
  readonly version: string
  /**
   * Shown before the question.
   * @param byCurrent whether a current credential was proved, which is a way back
   */
  readonly showPlan: (plan: RotationPlan, byCurrent: boolean) => Promise<void>
}

type StartWork = StartPorts & HsmWork

/**
 * A rotation from preflight to its end or a pause. Until the question is answered nothing has changed anywhere.
 * @throws {OperatorError} for everything that is refused before that
 */
export const startRotation = async (request: StartRequest, outside: StartPorts): Promise<Rotation> => {
  const { chosen } = request
  const ports = { ...outside, officerLogins: new OfficerLogins() }
  const clusterIds = [chosen.source, ...chosen.destinations].map((cluster) => cluster.clusterId)
  const lock = await ports.locks.acquire(clusterIds)
  try {
    ports.progress({ kind: 'stage-started', stage: 'preflight', steps: 0 })
    const { facts, current } = await preflight(request, ports, clusterIds)
    ports.progress({ kind: 'stage-completed', stage: 'preflight' })
    const byCurrent = current.size > 0
    await ports.showPlan(facts.plan, byCurrent)
    await confirm(facts.plan, byCurrent, ports)
    await lock.name(facts.rotationId)
    const { journal, first } = await ports.shelf.create(facts)
    try {
      const credentials = { new: byPlannedKey(facts.plan, request.newPasswords), current }
      const ledger = new RotationLedger(first)
      const run = new RotationRun({ ...ports, options: request.options, journal, ledger, lock, credentials })
      return await runStages(run)
    } finally {
      await journal.close()
    }
  } finally {
    await lock.release()
  }
}

const preflight = async (
  request: StartRequest,
  ports: StartWork,
  clusterIds: readonly ClusterId[],
): Promise<{ readonly facts: RotationFacts; readonly current: ReadonlyMap<UserKey, Secret> }> => {
  const { chosen, users, rules, options } = request
  await refuseOpenRotation(ports.shelf, clusterIds)
  await refusePending(ports.store)
  await refuseKnownOfficer(ports, clusterIds, request.retryOfficer)
  const { plan, absent, matrix, serials, behind } = await planRotation(
    chosen,
    users,
    ports.console,
    ports.concurrency,
    rules,
    options.mayStayBehind.hsmIds,
  )
  if (request.expected !== null) refuseOtherPlan(request.expected, plan)
  refuseUnsupportedSync(plan, options)
  if (absent.length > 0 || (options.propagate !== 'change' && sameHsmType(plan))) await ports.console.checkCopying()
  checkOfficers((clusterId) => ports.officerOf(clusterId).user, plan.users, matrix, rules.lockoutLimit, plan.roster)
  const reachable = plan.roster.filter(({ hsmId }) => !behind.includes(hsmId))
  const missing = new Set(absent.map((cell) => `${cell.hsmId} ${cell.user}`))
  const isAbsent = (user: UserKey, hsmId: HsmId) => missing.has(`${hsmId} ${user}`)
  const { current, evidence } = await proveCurrent(request, ports, plan, reachable, isAbsent)
  // Without one the rehearsal copies, however the new credential travels.
  if (current.size === 0 && sameHsmType(plan)) await ports.console.checkCopying()
  if (ports.stop.requested) {
    throw new OperatorError('INTERRUPTED', 'interrupted before anything changed', { exitCode: EXIT.interrupted })
  }
  const facts: RotationFacts = {
    rotationId: ports.newRotationId(),
    plan,
    provedCurrent: reachable.flatMap(({ hsmId }) =>
      [...current.keys()].filter((user) => !isAbsent(user, hsmId)).map((user) => ({ user, hsmId, evidence })),
    ),
    serials,
    absent,
    failureCounts: failureCountsOf(plan.users, matrix),
    debts: behind.map((hsmId) => ({ hsmId, reason: options.mayStayBehind.reason })),
    recovered: false,
    store: ports.store.description,
    newCredential: request.newCredential,
    config: request.config,
    operator: ports.who,
    version: ports.version,
  }
  return { facts, current }
}

/**
 * The officers' first logins, and the proof of the current credential: the one given, else CURRENT of the store. One
 * that the store kept and the first HSM refuses is left alone: nobody said that it is in force.
 */
const proveCurrent = async (
  request: StartRequest,
  ports: StartWork,
  plan: RotationPlan,
  reachable: Roster,
  isAbsent: (user: UserKey, hsmId: HsmId) => boolean,
): Promise<{ readonly current: ReadonlyMap<UserKey, Secret>; readonly evidence: Evidence }> => {
  const onQuorum = (server: RosterEntry, approvals: number | null) =>
    refuseQuorum(ports.console.utility, server, approvals, ports.progress)
  const given = byPlannedKey(plan, request.currentPasswords)
  if (given.size > 0 && given.size < plan.users.length) {
    const without = plan.users.filter((user) => !given.has(user.key)).map((user) => user.key)
    throw refusal('CURRENT_INCOMPLETE', `the current credential of ${without.join(', ')} is missing`, [
      'give --current-password for every user or for none',
    ])
  }
  if (given.size > 0) {
    const { evidence } = await proveLogins(ports, reachable, plan.users, given, { onQuorum, isAbsent })
    return { current: given, evidence }
  }
  const kept = await keptCurrent(ports.store, plan)
  refuseEqual(byPlannedKey(plan, request.newPasswords), kept)
  const proof = await proveLogins(ports, reachable, plan.users, kept, {
    firstMayRefuse: true,
    onQuorum,
    isAbsent,
  })
  if (proof.current === 'proved') return { current: kept, evidence: proof.evidence }
  ports.progress({
    kind: 'notice',
    text: `${ports.store.description} keeps a current credential that is not in force; it is not used`,
  })
  return { current: new Map(), evidence: proof.evidence }
}

/** CURRENT of the store, where it holds one for every user. */
const keptCurrent = async (store: CredentialStore, plan: RotationPlan): Promise<ReadonlyMap<UserKey, Secret>> => {
  const version = await store.read('current')
  const kept = new Map<UserKey, Secret>()
  for (const user of plan.users) {
    const secret = credentialOf(version, user)
    if (secret !== undefined) kept.set(user.key, secret)
  }
  return kept.size === plan.users.length ? kept : new Map()
}

/**
 * Says what cannot be taken back, and asks.
 * @param byCurrent the current credential is proved, which is a way back by itself
 * @throws {OperatorError} `DECLINED`
 */
const confirm = async (plan: RotationPlan, byCurrent: boolean, { operator, progress }: StartPorts): Promise<void> => {
  if (plan.parts.canary === plan.parts.restorePoint) {
    progress({
      kind: 'notice',
      text: `there are only two ${UTILITY_WORDS[plan.utility].unit === 'hsm' ? 'HSMs' : 'clusters'}: ${plan.parts.canary} is canary and restore point in one${byCurrent ? '' : ', so its change is the point of no return'}`,
    })
  }
  const doubt = byCurrent ? null : wayBackInDoubt(plan)
  if (doubt !== null) progress({ kind: 'notice', text: `way back: ${doubt}` })
  const names = plan.users.map((user) => user.key).join(', ')
  const where = `${plan.roster.length} HSMs${UTILITY_WORDS[plan.utility].unit === 'hsm' ? '' : ` of ${unitsOf(plan.roster, plan.utility).length} clusters`}`
  if (await operator.confirm(`Rotate ${names} on ${where}${doubt === null ? '' : ', perhaps with no way back'}?`))
    return
  throw refusal('DECLINED', 'declined; nothing has changed', ['add --yes to answer the question beforehand'])
}

/** @throws {OperatorError} `REPLICATION_UNSUPPORTED` */
const refuseUnsupportedSync = (plan: RotationPlan, { propagate }: RunOptions): void => {
  if (propagate !== 'sync' || sameHsmType(plan)) return
  throw refusal(
    'REPLICATION_UNSUPPORTED',
    'the clusters consist of different HSM types, and users are not replicated from hsm2m.medium to hsm1.medium',
    ['--propagate change', '--propagate auto'],
  )
}

/** What another rotation has not finished with is not overwritten; told before the question, not after it. */
const refusePending = async (store: CredentialStore): Promise<void> => {
  const pending = await store.read('pending')
  if (pending === null) return
  throw refusal(
    'FOREIGN_PENDING',
    `${store.description} keeps the new credentials of ${pending.rotationId}, started ${pending.startedAt}, which is not finished`,
    [
      `lockstep rotate status --rotation ${pending.rotationId}`,
      `finish it with lockstep rotate resume --rotation ${pending.rotationId}, or rollback, where its journal is`,
      'or give another --store',
    ],
  )
}

/** An unfinished rotation holds a PENDING credential of its own; a second one beside it would lose the first. */
const refuseOpenRotation = async (shelf: JournalShelf, clusterIds: readonly ClusterId[]): Promise<void> => {
  for (const open of await shelf.openRotations(clusterIds)) {
    const { plan } = open.facts
    const shared = [plan.source, ...plan.destinations].find((cluster) => clusterIds.includes(cluster.clusterId))
    if (shared === undefined) continue
    throw new OperatorError(
      'ROTATION_OPEN',
      `${open.facts.rotationId}, started ${open.startedAt}, is not finished on ${shared.clusterId} (${open.stage ?? 'closing'})`,
      {
        exitCode: EXIT.locked,
        suggestions: [
          `lockstep rotate status --rotation ${open.facts.rotationId}`,
          `lockstep rotate resume --rotation ${open.facts.rotationId}`,
        ],
      },
    )
  }
}

const refuseOtherPlan = (expected: RotationPlan, now: RotationPlan): void => {
  const hsms = (plan: RotationPlan) =>
    plan.roster.map((entry) => `${entry.hsmId} ${entry.eniIp} ${entry.role}`).join('\n')
  const users = (plan: RotationPlan) => plan.users.map((user) => `${user.key} ${user.userId}`).join('\n')
  const differs = hsms(expected) !== hsms(now) ? 'the HSMs' : users(expected) !== users(now) ? 'the users' : null
  if (differs === null) return
  throw refusal('PLAN_OUTDATED', `${differs} are not the ones the plan was made for`, [
    'make a new plan: lockstep rotate plan',
  ])
}
