import type { Clock } from '../../domain/clock.js'
import type { Discovery } from '../../domain/clone-family.js'
import type { ClusterLocks } from '../../domain/cluster-lock.js'
import type { CredentialStore } from '../../domain/credential-store.js'
import { EXIT, OperatorError, refusal } from '../../domain/errors.js'
import type { Hooks } from '../../domain/hooks.js'
import type { HsmUserRef, UserKey } from '../../domain/hsm-user.js'
import type { ClusterId, RotationId } from '../../domain/ids.js'
import type { Operator } from '../../domain/operator.js'
import { checkOfficer, type EligibilityRules } from '../../domain/rotation/eligibility.js'
import type { JournalShelf } from '../../domain/rotation/journal.js'
import type { RotationFacts } from '../../domain/rotation/journal-entry.js'
import type { RotationPlan } from '../../domain/rotation/plan.js'
import type { Progress } from '../../domain/rotation/progress.js'
import { type Rotation, RotationLedger } from '../../domain/rotation/rotation.js'
import type { Secret } from '../../domain/secret.js'
import { type ChosenForRotation, planRotation } from './plan-rotation.js'
import { byPlannedKey } from './planned-passwords.js'
import { proveLogins } from './preflight.js'
import { type HsmWork, RotationRun, type RunOptions } from './rotation-run.js'
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
export interface StartPorts extends HsmWork {
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
  /** Shown before the question. */
  readonly showPlan: (plan: RotationPlan) => Promise<void>
}

/**
 * A rotation from preflight to its end or a pause. Until the question is answered nothing has changed anywhere.
 * @throws {OperatorError} for everything that is refused before that
 */
export const startRotation = async (request: StartRequest, ports: StartPorts): Promise<Rotation> => {
  const { chosen } = request
  const clusterIds = [chosen.source, ...chosen.destinations].map((cluster) => cluster.clusterId)
  const lock = await ports.locks.acquire(clusterIds)
  try {
    ports.progress({ kind: 'stage-started', stage: 'preflight', steps: 0 })
    const facts = await preflight(request, ports, clusterIds)
    ports.progress({ kind: 'stage-completed', stage: 'preflight' })
    await ports.showPlan(facts.plan)
    await confirm(facts.plan, ports)
    await lock.name(facts.rotationId)
    const { journal, first } = await ports.shelf.create(facts)
    try {
      const run = new RotationRun({
        ...ports,
        options: request.options,
        journal,
        ledger: new RotationLedger(first),
        lock,
        credentials: {
          new: byPlannedKey(facts.plan, request.newPasswords),
          current: byPlannedKey(facts.plan, request.currentPasswords),
        },
      })
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
  ports: StartPorts,
  clusterIds: readonly ClusterId[],
): Promise<RotationFacts> => {
  const { chosen, users, rules, currentPasswords } = request
  await refuseOpenRotation(ports.shelf, clusterIds)
  await refuseKnownOfficer(ports, clusterIds, request.retryOfficer)
  const { plan, absent, matrix } = await planRotation(chosen, users, ports.console, ports.concurrency, rules)
  if (request.expected !== null) refuseOtherPlan(request.expected, plan)
  checkOfficer(ports.officer.user, plan.users, matrix, rules.lockoutLimit)
  const current = byPlannedKey(plan, currentPasswords)
  if (current.size > 0 && current.size < plan.users.length) {
    const without = plan.users.filter((user) => !current.has(user.key)).map((user) => user.key)
    throw refusal('CURRENT_INCOMPLETE', `the current credential of ${without.join(', ')} is missing`, [
      'give --current-password for every user or for none',
    ])
  }
  await proveLogins(ports, plan.roster, plan.users, current)
  if (ports.stop.requested) {
    throw new OperatorError('INTERRUPTED', 'interrupted before anything changed', { exitCode: EXIT.interrupted })
  }
  const missing = new Set(absent.map((cell) => `${cell.hsmId} ${cell.user}`))
  const provedCurrent = plan.roster.flatMap(({ hsmId }) =>
    [...current.keys()].filter((user) => !missing.has(`${hsmId} ${user}`)).map((user) => ({ user, hsmId })),
  )
  return {
    rotationId: ports.newRotationId(),
    plan,
    provedCurrent,
    absent,
    store: ports.store.description,
    newCredential: request.newCredential,
    config: request.config,
    operator: ports.who,
    version: ports.version,
  }
}

/** @throws {OperatorError} `OFFICER_REFUSED_BEFORE`, unless the operator wants another try */
export const refuseKnownOfficer = async (
  { officer, officerRefusals }: HsmWork,
  clusterIds: readonly ClusterId[],
  retry: boolean,
): Promise<void> => {
  const known = await officerRefusals.find(officer.user.name, clusterIds)
  if (known === null || retry) return
  throw refusal(
    'OFFICER_REFUSED_BEFORE',
    `the password of the officer "${officer.user.name}" was refused on ${known.clusterId} at ${known.at} and is not tried again by itself`,
    ['compare the password with the one in your vault, then add --retry-officer'],
  )
}

const confirm = async (plan: RotationPlan, { operator, progress }: StartPorts): Promise<void> => {
  if (plan.parts.canary === plan.parts.restorePoint) {
    progress({
      kind: 'notice',
      text: `there are only two HSMs: ${plan.parts.canary} is canary and restore point in one, so its change is the point of no return`,
    })
  }
  const names = plan.users.map((user) => user.key).join(', ')
  if (await operator.confirm(`Rotate ${names} on ${plan.roster.length} HSMs?`)) return
  throw refusal('DECLINED', 'declined; nothing has changed', ['add --yes to answer the question beforehand'])
}

/** An unfinished rotation holds a PENDING credential of its own; a second one beside it would lose the first. */
const refuseOpenRotation = async (shelf: JournalShelf, clusterIds: readonly ClusterId[]): Promise<void> => {
  for (const open of await shelf.openRotations()) {
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
