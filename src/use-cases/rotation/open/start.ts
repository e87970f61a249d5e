import { type Cluster, clusterFlags, leaveOutFlags } from '../../../domain/cluster.js'
import { EXIT, OperatorError, refusal } from '../../../domain/errors.js'
import type { HsmUserRef, UserKey } from '../../../domain/hsm-user.js'
import type { ClusterId, HsmId } from '../../../domain/ids.js'
import { checkOfficers, type EligibilityRules } from '../../../domain/rotation/eligibility.js'
import type { RotationFacts } from '../../../domain/rotation/journal-entry.js'
import { RotationLedger } from '../../../domain/rotation/ledger.js'
import { LoginBudget } from '../../../domain/rotation/login-budget.js'
import { type RotationPlan, sameHsmType } from '../../../domain/rotation/plan.js'
import type { Rotation } from '../../../domain/rotation/rotation.js'
import {
  copiesImpossible,
  pointOfNoReturn,
  rehearsalWrites,
  wayBackInDoubt,
} from '../../../domain/rotation/way-back.js'
import type { Secret } from '../../../domain/secret.js'
import type { SerialObservation } from '../../../domain/serial-numbers.js'
import { describePlaces } from '../describe-plan.js'
import type { Credentials, HsmWork, RunOptions, StartPorts } from '../ports.js'
import { RotationRun } from '../run/rotation-run.js'
import { runProcedure } from '../run/run-procedure.js'
import { refuseKnownOfficer } from '../sessions/officer.js'
import { OfficerLogins } from '../sessions/officer-logins.js'
import { provenConsole } from '../sessions/proven-console.js'
import { type AskedCredentials, firstLogins } from '../survey/first-logins.js'
import { observed } from '../survey/observe-listing.js'
import { refuseQuorum } from '../survey/quorum.js'
import { currentOfStore } from './credentials.js'
import { indebted, refuseOpenRotation, settleEarlierDebts } from './earlier-rotations.js'
import { type ChosenForRotation, type PlannedRotation, planRotation } from './plan.js'
import { byPlannedKey, refuseEqual } from './planned-passwords.js'

/** What the operator asked for. */
export interface StartRequest {
  readonly chosen: ChosenForRotation
  readonly users: readonly HsmUserRef[]
  readonly rules: EligibilityRules
  readonly options: RunOptions
  /** New passwords by user, keyed as the operator wrote them. */
  readonly newPasswords: ReadonlyMap<UserKey, Secret>
  readonly newCredential: 'generated' | 'given'
  /** Current passwords; empty where they are not known. */
  readonly currentPasswords: ReadonlyMap<UserKey, Secret>
  /** An earlier plan that the facts must still match. */
  readonly expected: RotationPlan | null
  readonly retryOfficer: boolean
  readonly config: RotationFacts['config']
}

/**
 * A rotation from preflight to its end or a pause. Until the question is answered nothing has changed anywhere.
 * @throws {OperatorError} for everything that is refused before that
 */
export const startRotation = async (request: StartRequest, ports: StartPorts): Promise<Rotation> => {
  const { chosen, options } = request
  const clusterIds = [chosen.source, ...chosen.destinations].map((cluster) => cluster.clusterId)
  const lock = await ports.locks.acquire(clusterIds)
  try {
    const preflight = new Preflight({ ...ports, lock })
    ports.progress({ kind: 'stage-started', stage: 'preflight', steps: 0 })
    const { facts: checked, current } = await check(request, ports, preflight)
    ports.progress({ kind: 'stage-completed', stage: 'preflight' })
    const byCurrent = current.size > 0
    const behind = checked.debts.map(({ hsmId }) => hsmId)
    await ports.showPlan(checked.plan, byCurrent, behind)
    const acceptedNoWayBack = await confirm(checked.plan, byCurrent, options, ports)
    const facts = { ...checked, acceptedNoWayBack }
    const credentials = { new: byPlannedKey(facts.plan, request.newPasswords), current }
    return await preflight.carryOut(facts, options, credentials)
  } finally {
    await lock.release()
  }
}

/** What is done on HSMs before there is a journal, and what was seen meanwhile. */
export class Preflight {
  readonly work: HsmWork
  readonly serials: SerialObservation[] = []
  readonly #ports: Pick<HsmWork, 'lock'> & StartPorts

  constructor(ports: Pick<HsmWork, 'lock'> & StartPorts) {
    this.#ports = ports
    const console = provenConsole(ports.console, {
      known: () => this.serials,
      learn: async (seen) => {
        this.serials.push(seen)
      },
    })
    const budget = new LoginBudget(ports.lockoutLimit, ports.refusedLogins)
    this.work = { ...ports, console, budget, officerLogins: new OfficerLogins() }
  }

  /** What was seen of the users, as the journal begins with it. */
  observations({ plan, matrix }: PlannedRotation): RotationFacts['observed'] {
    const hsms = [...matrix].map(([hsmId, listed]) => observed(plan.users, hsmId, listed, this.#ports.lockoutLimit))
    return [{ type: 'listed', hsms }, ...this.serials.map((seen) => ({ type: 'serials', seen }) as const)]
  }

  /** Begins the journal, and does what it is begun for. */
  async carryOut(facts: RotationFacts, options: RunOptions, credentials: Credentials): Promise<Rotation> {
    const { lock, shelf, progress } = this.#ports
    await lock.name(facts.rotationId)
    const { journal, first } = await shelf.create(facts)
    try {
      const { budget, officerLogins } = this.work
      const ledger = new RotationLedger(first)
      const run = new RotationRun({ ...this.#ports, budget, officerLogins, options, journal, ledger, credentials })
      const rotation = await runProcedure(run)
      await settleEarlierDebts(rotation, shelf, progress)
      return rotation
    } finally {
      await journal.close()
    }
  }
}

const check = async (
  request: StartRequest,
  ports: StartPorts,
  preflight: Preflight,
): Promise<{ readonly facts: RotationFacts; readonly current: ReadonlyMap<UserKey, Secret> }> => {
  const { chosen, users, rules, options } = request
  const clusterIds = [chosen.source, ...chosen.destinations].map((cluster) => cluster.clusterId)
  await refuseOpenRotation(ports.shelf, clusterIds)
  await refusePending(ports, [chosen.source, ...chosen.destinations])
  await refuseKnownOfficer(ports, clusterIds, request.retryOfficer)
  const { work } = preflight
  const mayStay = options.mayStayBehind.hsmIds
  const planned = await planRotation(chosen, users, work.console, ports.concurrency, rules, mayStay)
  const { plan, absent, matrix, behind } = planned
  if (request.expected !== null) refuseOtherPlan(request.expected, plan)
  refuseUnsupportedSync(plan, options)
  const copies = copiesImpossible(plan) === null
  if (absent.length > 0 || (options.propagate !== 'change' && copies)) await ports.console.checkCopying()
  checkOfficers((clusterId) => ports.officerOf(clusterId).user, plan.users, matrix, rules.lockoutLimit, plan.roster)
  const reachable = plan.roster.filter(({ hsmId }) => !behind.includes(hsmId))
  const missing = new Set(absent.map((cell) => `${cell.hsmId} ${cell.user}`))
  const isAbsent = (user: UserKey, hsmId: HsmId) => missing.has(`${hsmId} ${user}`)
  const asked = await currentToAsk(request, ports, plan, clusterIds)
  const { seen, refused } = await firstLogins(work, reachable, plan.users, asked, {
    isAbsent,
    onQuorum: (server, approvals) => refuseQuorum(ports.console.utility, server, approvals, ports.progress),
  })
  if (refused) {
    const text = `${ports.store.description} keeps a current credential that was refused, and that is not used; where other HSMs hold it: lockstep users repair --to-current --store ${ports.store.description} ${describePlaces(plan)}`
    ports.progress({ kind: 'notice', text })
  }
  const current = asked === null || refused ? new Map<UserKey, Secret>() : asked.passwords
  // Without one the rehearsal copies, however the new credential travels.
  if (current.size === 0 && copies) await ports.console.checkCopying()
  refuseInterrupted(ports)
  const facts: RotationFacts = {
    rotationId: ports.newRotationId(),
    procedure: 'rotate',
    plan,
    observed: [
      ...preflight.observations(planned),
      ...(refused ? seen.filter(({ answer }) => answer.kind !== 'done') : seen),
    ],
    debts: behind.map((hsmId) => ({ hsmId, reason: options.mayStayBehind.reason })),
    lostClusters: chosen.lost ?? [],
    acceptedNoWayBack: false,
    createMissing: rules.createMissing,
    recovered: false,
    store: ports.store.description,
    newCredential: request.newCredential,
    from: null,
    config: request.config,
    operator: ports.who,
    version: ports.version,
  }
  return { facts, current }
}

/** @throws {OperatorError} `INTERRUPTED` (exit 130) */
export const refuseInterrupted = ({ stop }: StartPorts): void => {
  if (!stop.requested) return
  throw new OperatorError('INTERRUPTED', 'interrupted before anything changed', { exitCode: EXIT.interrupted })
}

/**
 * The current credential that is proved: the one given, else CURRENT of the store. One that the store kept and the first
 * HSM refuses is left alone: nobody said that it is in force.
 * @throws {OperatorError} `CURRENT_INCOMPLETE`
 */
const currentToAsk = async (
  request: StartRequest,
  { store, shelf }: StartPorts,
  plan: RotationPlan,
  clusterIds: readonly ClusterId[],
): Promise<AskedCredentials | null> => {
  const given = byPlannedKey(plan, request.currentPasswords)
  if (given.size > 0 && given.size < plan.users.length) {
    const without = plan.users.filter((user) => !given.has(user.key)).map((user) => user.key)
    throw refusal('CURRENT_INCOMPLETE', `the current credential of ${without.join(', ')} is missing`, [
      'give --current-password for every user or for none',
    ])
  }
  const kept = await currentOfStore(store, plan)
  // The same password is the same credential, however it came here.
  const isKept =
    kept !== null && [...kept.passwords].every(([user, secret]) => given.get(user)?.equals(secret) === true)
  const remembered = kept !== null && (given.size === 0 || isKept) ? kept.name : null
  const debts = await indebted(shelf, clusterIds)
  const repair = `lockstep users repair --to-current --store ${store.description} ${describePlaces(plan)}   gives CURRENT of the store to the HSMs that do not hold it`
  if (given.size > 0) {
    const advice = [
      `it may hold another password: lockstep users prove --config FILE --user ${plan.users[0]?.key ?? 'CU:NAME'} --password prompt   compares`,
      ...(isKept ? [...debts, repair] : ['or leave --current-password out']),
    ]
    return {
      passwords: given,
      credential: 'current',
      source: '--current-password gives',
      remembered,
      refusals: 'stop',
      advice,
    }
  }
  if (kept === null) return null
  refuseEqual(byPlannedKey(plan, request.newPasswords), kept.passwords)
  return {
    passwords: kept.passwords,
    credential: 'current',
    source: `${store.description} keeps as CURRENT${kept.rotationId === null ? '' : ` (of ${kept.rotationId})`}`,
    remembered,
    refusals: 'first-may-refuse',
    advice: [...debts, repair],
  }
}

/**
 * Says what cannot be taken back, and asks.
 * @param byCurrent the current credential is proved, which is a way back by itself
 * @returns whether the operator goes on although nothing could give the old password back
 * @throws {OperatorError} `DECLINED`, `NO_WAY_BACK`
 */
const confirm = async (
  plan: RotationPlan,
  byCurrent: boolean,
  { acceptNoWayBack }: RunOptions,
  { operator, progress }: StartPorts,
): Promise<boolean> => {
  const noReturn = pointOfNoReturn(plan, byCurrent)
  if (noReturn !== null) {
    progress({ kind: 'notice', text: `point of no return: ${noReturn}` })
    const question = 'Go on although nothing could give the old password back?'
    if (!acceptNoWayBack && !(await operator.confirm(question, { noWayBack: true }))) {
      throw refusal('NO_WAY_BACK', `${noReturn}; nothing has changed`, [
        '--current-password SECRET keeps a way back: it is proved on every HSM first',
        '--accept-no-way-back goes on without; --yes does not answer this question',
      ])
    }
  }
  const doubt = noReturn === null ? wayBackInDoubt(plan, byCurrent) : null
  if (doubt !== null) progress({ kind: 'notice', text: `way back: ${doubt}` })
  const names = plan.users.map((user) => user.key).join(', ')
  const rehearsed = rehearsalWrites(plan)
  const first = rehearsed === null ? '' : ` The first write is the rehearsal on ${rehearsed.to}.`
  const question = `Rotate ${names} on ${describeExtent(plan)}${doubt === null ? '' : ', perhaps with no way back'}?${first}`
  if (await operator.confirm(question)) return noReturn !== null
  throw refusal('DECLINED', 'declined; nothing has changed', ['add --yes to answer the question beforehand'])
}

/** `12 HSMs of 3 clusters`. */
export const describeExtent = ({ roster }: RotationPlan): string => {
  const clusters = new Set(roster.map(({ clusterId }) => clusterId)).size
  const count = (many: number, what: string) => `${many} ${what}${many === 1 ? '' : 's'}`
  return `${count(roster.length, 'HSM')} of ${count(clusters, 'cluster')}`
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
const refusePending = async ({ store, shelf }: StartPorts, found: readonly Cluster[]): Promise<void> => {
  const pending = await store.read('pending')
  if (pending === null) return
  const isHere = pending.rotationId !== null && (await shelf.list()).includes(pending.rotationId)
  const users = [...pending.users.keys()].map((user) => `--user ${user}`).join(' ')
  // The store knows their IDs alone.
  const where = pending.clusters.map(
    (clusterId) => found.find((one) => one.clusterId === clusterId) ?? { clusterId, region: null, profile: null },
  )
  throw refusal(
    'FOREIGN_PENDING',
    `${store.description} keeps the new credentials of ${pending.rotationId}, started ${pending.startedAt}, which is not finished`,
    isHere
      ? [
          `lockstep rotate status --rotation ${pending.rotationId}`,
          `finish it: lockstep rotate resume --rotation ${pending.rotationId}   or rollback`,
          'or give another --store',
        ]
      : [
          'its journal is not on this machine: go on where it is, or, where it is lost:',
          `lockstep rotate recover ${clusterFlags(where)} ${users} --store ${store.description}`,
          'or give another --store',
        ],
  )
}

const refuseOtherPlan = (expected: RotationPlan, now: RotationPlan): void => {
  const hsms = (plan: RotationPlan) =>
    plan.roster.map((entry) => `${entry.hsmId} ${entry.eniIp} ${entry.role}`).join('\n')
  const users = (plan: RotationPlan) => plan.users.map((user) => `${user.key} ${user.userId}`).join('\n')
  const differs = hsms(expected) !== hsms(now) ? 'the HSMs' : users(expected) !== users(now) ? 'the users' : null
  if (differs === null) return
  const { leftOut } = expected
  const places = [describePlaces(expected), ...(leftOut.length === 0 ? [] : [leaveOutFlags(leftOut)])].join(' ')
  throw refusal('PLAN_OUTDATED', `${differs} are not the ones the plan was made for`, [
    `make a new plan: lockstep rotate plan ${places} --out FILE`,
  ])
}
