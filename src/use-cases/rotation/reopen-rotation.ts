import type { HeldLock } from '../../domain/cluster-lock.js'
import { OperatorError, refusal } from '../../domain/errors.js'
import type { ConsoleFailure } from '../../domain/hsm-console.js'
import { findUser, type UserKey } from '../../domain/hsm-user.js'
import type { HsmId, RotationId } from '../../domain/ids.js'
import type { LeftoverProcesses } from '../../domain/leftover-processes.js'
import type { RosterEntry } from '../../domain/roster.js'
import type { Evidence } from '../../domain/rotation/cell.js'
import { checkOfficers, type UserMatrix } from '../../domain/rotation/eligibility.js'
import type { Journal } from '../../domain/rotation/journal.js'
import type { PlannedUser } from '../../domain/rotation/plan.js'
import { ledgerOf, type Rotation, type RotationLedger } from '../../domain/rotation/rotation.js'
import { STAGES } from '../../domain/rotation/stage.js'
import type { Secret } from '../../domain/secret.js'
import { changesInWords, rosterChanged, rosterChanges } from './aws-comparison.js'
import { loginEach, noteUnreachable, pauseFor } from './cell-work.js'
import { outwaitLateEffects } from './late-effects.js'
import { OfficerLogins } from './officer-logins.js'
import { nothingToTakeBack, stillOld } from './old-credential.js'
import { byPlannedKey } from './planned-passwords.js'
import { proveLogins, type ReadUsers, readUsers, refusedBy, refuseKnownOfficer } from './preflight.js'
import { noticeQuorum } from './quorum.js'
import { type HsmWork, RotationRun, type RunOptions } from './rotation-run.js'
import { pauseAt } from './run-stages.js'
import { putPending } from './stages/store-pending.js'
import type { StartPorts } from './start-rotation.js'

/** How an unfinished rotation is taken up again. */
export interface ReopenRequest {
  readonly direction: 'forward' | 'back'
  readonly rotationId: RotationId
  readonly options: RunOptions
  readonly retryOfficer: boolean
  /** Given again where the rotation stopped before the store held it. */
  readonly newPasswords: ReadonlyMap<UserKey, Secret>
  readonly currentPasswords: ReadonlyMap<UserKey, Secret>
  /** How long an HSM may take for a command, in milliseconds. */
  readonly commandMs: number
}

export type ReopenPorts = Omit<StartPorts, 'newRotationId' | 'showPlan' | 'operator'> & {
  readonly leftovers: LeftoverProcesses
}

/**
 * Takes the locks and the journal of a rotation, makes sure that nothing of the earlier invocation is under way, and
 * proves the roster anew; then hands a run over to `work`. A rotation that is finished is returned as it is.
 * @throws {OperatorError} when the rotation cannot be taken up; nothing has changed then
 */
export const reopenRotation = async (
  request: ReopenRequest,
  outside: ReopenPorts,
  work: (run: RotationRun) => Promise<Rotation>,
  check: (ledger: RotationLedger) => void = () => {},
): Promise<Rotation> => {
  const ports = { ...outside, officerLogins: new OfficerLogins() }
  const before = ledgerOf((await ports.shelf.read(request.rotationId)).entries)
  check(before)
  if (isClosed(before.rotation())) return before.rotation()
  const { plan } = before.facts
  const clusterIds = [plan.source, ...plan.destinations].map((cluster) => cluster.clusterId)
  const lock = await ports.locks.acquire(clusterIds, request.rotationId)
  try {
    await lock.name(request.rotationId)
    const { entries, journal } = await ports.shelf.reopen(request.rotationId)
    try {
      // Somebody else may have worked on it between the first look and the lock.
      const ledger = ledgerOf(entries)
      check(ledger)
      if (isClosed(ledger.rotation())) return ledger.rotation()
      const { run, met } = await prepare(request, ports, { journal, lock, ledger })
      try {
        await proveLate(run)
        await lookAtAll(run, met)
      } catch (error) {
        if (error instanceof OperatorError) throw error
        return await pauseAt(run, ledger.stage ?? 'finalize', error)
      }
      return await work(run)
    } finally {
      await journal.close()
    }
  } finally {
    await lock.release()
  }
}

/** Nothing is left to do, not even a debt. */
const isClosed = ({ finished, debts }: Rotation): boolean =>
  finished === 'rolled-back' || (finished !== null && debts.length === 0)

type ReopenWork = ReopenPorts & HsmWork

const prepare = async (
  request: ReopenRequest,
  ports: ReopenWork,
  held: { journal: Journal; lock: HeldLock; ledger: RotationLedger },
): Promise<{ readonly run: RotationRun; readonly met: Meeting }> => {
  const rotation = held.ledger.rotation()
  const { plan } = rotation
  const back = request.direction === 'back' || rotation.direction === 'back'
  const idle = back ? nothingToTakeBack(held.ledger) : await onlyToPromote(held.ledger, ports)
  const credentials = {
    new: back ? await pendingCredential(ports, rotation) : await newCredential(request, ports, rotation),
    current: idle ? new Map<UserKey, Secret>() : await currentCredential(request, ports, held.ledger),
  }
  const met = idle ? NOBODY : await meetHsms(request, ports, held.ledger, credentials.current)
  const run = new RotationRun({ ...ports, ...held, options: request.options, credentials })
  await run.record({ type: 'resumed', operator: ports.who })
  if (met.currentProved !== null) await keepCurrent(run, met.currentProved)
  for (const server of met.gone) await leaveOut(run, server, back)
  if (met.added.length > 0) {
    await run.record({ type: 'targets-added', roster: met.added, absent: absentOn(met, plan.users) })
    run.notice(`added since, and taken along: ${met.added.map((entry) => entry.hsmId).join(', ')}`)
  }
  await takeAlong(run, met)
  for (const failure of met.unreachable) await noteMissing(run, failure)
  return { run, met }
}

/** Takes notice of every listing before it stops for one. */
const lookAtAll = async (run: RotationRun, { matrix }: Meeting): Promise<void> => {
  const failures: unknown[] = []
  for (const [hsmId, listed] of matrix) await run.look(hsmId, listed).catch((error) => failures.push(error))
  pauseFor(failures)
}

/** What its cluster is told reaches an HSM that stayed behind and is back, so it takes part again from here on. */
const takeAlong = async (run: RotationRun, { matrix }: Meeting): Promise<void> => {
  if (run.words.unit !== 'cluster' || run.ledger.stage === null) return
  for (const hsmId of [...run.ledger.debts.keys()]) {
    if (!matrix.has(hsmId)) continue
    await run.record({ type: 'debt-settled', hsmId })
    run.notice(`${hsmId} is back and takes part again`)
  }
}

/** Out of reach: a debt where the operator allows it, otherwise left to the stages to name. */
const noteMissing = async (run: RotationRun, failure: ConsoleFailure): Promise<void> => {
  await noteUnreachable(run, failure)
  const { hsmIds, reason } = run.parts.options.mayStayBehind
  for (const hsmId of failure.hsmIds) {
    if (!hsmIds.includes(hsmId) || run.ledger.debts.has(hsmId)) continue
    if (isNeeded(run, hsmId)) {
      run.notice(`${hsmId} cannot stay behind: the others get the new credential through it`)
      continue
    }
    await run.record({ type: 'debt', debt: { hsmId, reason } })
    run.notice(`${hsmId} stays behind for now: ${reason}`)
  }
}

/** An HSM that AWS does not list any more is left out with the consent its absence was given. */
const leaveOut = async (run: RotationRun, { hsmId, clusterId }: RosterEntry, back: boolean): Promise<void> => {
  if (!back && isNeeded(run, hsmId)) {
    throw refusal(
      'ROSTER_CHANGED',
      `${hsmId} is gone from ${clusterId}, and the others get the new credential through it`,
      [`lockstep rotate rollback --rotation ${run.ledger.facts.rotationId} --allow-unreachable ${hsmId} --reason TEXT`],
    )
  }
  const reason = run.ledger.debts.get(hsmId) ?? run.parts.options.mayStayBehind.reason
  await run.record({ type: 'hsm-gone', gone: { hsmId, reason } })
  run.notice(`${hsmId} is gone from ${clusterId} and left out: ${reason}`)
}

/** The unit that is changed first and the canary are needed until both are through; one HSM of each is enough. */
const isNeeded = (run: RotationRun, hsmId: HsmId): boolean => {
  const { ledger, plan } = run
  if (ledger.stage === null || STAGES.indexOf(ledger.stage) > STAGES.indexOf('canary')) return false
  return [plan.parts.first, plan.parts.canary].some((unitId) => isAlone(run.servers(unitId), hsmId))
}

const isAlone = (servers: readonly RosterEntry[], hsmId: HsmId): boolean =>
  servers.length > 0 && servers.every((server) => server.hsmId === hsmId)

/** A current credential that was given late becomes a way back like one given at the start. */
const keepCurrent = async (run: RotationRun, evidence: Evidence): Promise<void> => {
  await putPending(run)
  await run.record({ type: 'current-proved', evidence })
}

/**
 * A current credential that is given only after something was written is proved where the old one must still be: by one
 * login per user on one unit. From there it is a way back.
 * @throws {OperatorError} `CURRENT_REFUSED`
 */
const proveLate = async (run: RotationRun): Promise<void> => {
  const { current, new: pending } = run.parts.credentials
  if (current.size === 0 || run.ledger.wayBack.byCurrent) return
  const unitId = stillOld(run.ledger)
  if (unitId === undefined) throw new Error('nothing is left to prove the current credential on')
  const { refused, nearLockout } = await loginEach(run, unitId, run.users, 'current')
  const [user] = [...refused, ...nearLockout]
  if (user !== undefined) {
    const why = refused.includes(user) ? 'refused the current credential given for' : 'is near the lock-out of'
    throw refusal('CURRENT_REFUSED', `${run.name(unitId)} ${why} ${user.key}; nothing has changed`, [
      'compare the password with the one in your vault, or leave --current-password out',
    ])
  }
  if (pending.size > 0) await putPending(run)
  const evidence = `the current credential logged in on ${run.name(unitId)}`
  await run.record({ type: 'way-back', bySync: run.ledger.wayBack.bySync, byCurrent: true, evidence })
}

/** What was found on meeting the HSMs again. */
interface Meeting {
  readonly matrix: UserMatrix
  /** HSMs that were added since. */
  readonly added: readonly RosterEntry[]
  /** HSMs that are gone, and may be. */
  readonly gone: readonly RosterEntry[]
  /** The conversations that could not be begun. */
  readonly unreachable: readonly ConsoleFailure[]
  /** How the current credential was proved on every cell just now; null where it was not. */
  readonly currentProved: Evidence | null
}

const NOBODY: Meeting = { matrix: new Map(), added: [], gone: [], unreachable: [], currentProved: null }

/** Cells of added HSMs whose user is not there: it is copied to them. */
const absentOn = ({ matrix, added }: Meeting, users: readonly PlannedUser[]) =>
  added.flatMap(({ hsmId }) => {
    const listed = matrix.get(hsmId)
    // One that was not met may have anybody.
    if (listed === undefined) return []
    return users.filter((user) => findUser(listed, user) === undefined).map(({ key }) => ({ user: key, hsmId }))
  })

/** A promotion that failed is repeated alone, without a word to an HSM, unless AWS reports other HSMs since. */
const onlyToPromote = async (ledger: RotationLedger, { discover }: ReopenPorts): Promise<boolean> => {
  const { cells, debts, promoting, stage } = ledger.rotation()
  if (!promoting || stage !== 'finalize' || debts.length > 0) return false
  if (cells.some(({ state }) => state !== 'new')) return false
  return changesInWords(rosterChanges(ledger, await discover())).length === 0
}

/** Proves the roster and the officers anew. HSMs that do not answer are left to the stages, which name them. */
const meetHsms = async (
  request: ReopenRequest,
  ports: ReopenWork,
  ledger: RotationLedger,
  current: ReadonlyMap<UserKey, Secret>,
): Promise<Meeting> => {
  const rotation = ledger.rotation()
  const { plan } = rotation
  const clusterIds = [plan.source, ...plan.destinations].map((cluster) => cluster.clusterId)
  await refuseKnownOfficer(ports, clusterIds, request.retryOfficer)
  await outwaitLateEffects(rotation, ports.leftovers, request.commandMs, ports.clock, ports.progress)
  const { added, gone, other } = rosterChanges(ledger, await ports.discover())
  const mayBeGone = new Set([...request.options.mayStayBehind.hsmIds, ...ledger.debts.keys()])
  const missing = gone.filter(({ hsmId }) => !mayBeGone.has(hsmId))
  if (other.length > 0 || missing.length > 0) throw rosterChanged({ added: [], gone: missing, other })
  const roster = [...plan.roster.filter((server) => !gone.includes(server)), ...added]
  const { matrix, serials, failures } = await readUsers(ports.console, roster, ports.concurrency)
  const serious = failures.filter((failure) => failure.kind !== 'unreachable')
  if (serious.length > 0 || matrix.size === 0) throw refusedBy(serious.length > 0 ? serious : failures)
  if (failures.length === 0) refuseOtherSerials(ledger, gone, serials)
  checkOfficers((clusterId) => ports.officerOf(clusterId).user, plan.users, matrix, ports.lockoutLimit, roster)
  const reachable = roster.filter(({ hsmId }) => matrix.has(hsmId))
  // Before the store held it, even one that was proved is typed again, perhaps wrongly.
  const typed = current.size > 0 && (!rotation.currentProved || rotation.stage === 'store-pending')
  const proving = typed && nothingWritten(rotation)
  const { evidence } = await proveLogins(ports, reachable, plan.users, proving ? current : new Map(), {
    onQuorum: (server, approvals) => noticeQuorum(plan.utility, server, approvals, ports.progress),
  })
  return {
    matrix,
    added,
    gone,
    unreachable: failures,
    currentProved: proving && !rotation.currentProved && failures.length === 0 ? evidence : null,
  }
}

/**
 * The HSMs must be the ones the rotation began with, as far as the utility can tell; added ones only add to them.
 * @param leaving HSMs that are gone now, and may be
 * @throws {OperatorError} `OTHER_SERIALS`
 */
const refuseOtherSerials = (
  { facts, plan }: RotationLedger,
  leaving: readonly RosterEntry[],
  now: ReadUsers['serials'],
): void => {
  const stays = ({ hsmId }: RosterEntry) =>
    plan.roster.some((server) => server.hsmId === hsmId && !leaving.includes(server))
  for (const { clusterId, serials: known } of facts.serials) {
    const found = now.find((cluster) => cluster.clusterId === clusterId)?.serials ?? []
    const gone = known.filter((serial) => !found.includes(serial))
    // Which serial number an HSM had is not known, only how many of them may be missing.
    const mayBeGone = facts.plan.roster.filter((server) => server.clusterId === clusterId && !stays(server)).length
    if (gone.length <= mayBeGone) continue
    throw refusal(
      'OTHER_SERIALS',
      `${clusterId} had an HSM with the serial number ${gone.join(', ')} when the rotation began; now it shows ${found.join(', ') || 'none'}`,
      ['lockstep clusters list'],
    )
  }
}

/** A rotation whose cells are all old is closed without a word to an HSM. */
const nothingWritten = (rotation: Rotation): boolean =>
  rotation.cells.every((cell) => cell.state === 'old' || cell.state === 'absent')

/**
 * Whether going back means copying although no login has shown yet that syncUser overwrites: success in the rehearsal may
 * have changed nothing.
 */
export const copiesUntried = ({ direction, wayBack, propagation }: Rotation): boolean =>
  direction === 'forward' && !wayBack.byCurrent && propagation !== 'sync'

/** PENDING of this rotation: a rollback may have to see that it is gone. Empty where the store does not hold it. */
const pendingCredential = async ({ store }: ReopenPorts, rotation: Rotation): Promise<ReadonlyMap<UserKey, Secret>> => {
  const version = await store.read('pending')
  return version?.rotationId === rotation.facts.rotationId ? onlyPlanned(rotation.plan.users, version.users) : new Map()
}

/** PENDING of this rotation; CURRENT once it was promoted. Never a second one while a first may be on an HSM. */
const newCredential = async (
  request: ReopenRequest,
  { store, progress }: ReopenPorts,
  rotation: Rotation,
): Promise<ReadonlyMap<UserKey, Secret>> => {
  const { rotationId, plan, newCredential: origin } = rotation.facts
  for (const stage of ['pending', 'current'] as const) {
    const version = await store.read(stage)
    if (version?.rotationId !== rotationId) continue
    if (request.newPasswords.size > 0) {
      const text = `--new-password is not used: ${store.description} holds the new credential of ${rotationId} already`
      progress({ kind: 'notice', text })
    }
    return onlyPlanned(plan.users, version.users)
  }
  if (rotation.stage !== 'store-pending') {
    throw refusal('PENDING_LOST', `${store.description} does not hold the new credential of ${rotationId} any more`, [
      `name the store the rotation was started with: ${rotation.facts.store}`,
    ])
  }
  const given = byPlannedKey(plan, request.newPasswords)
  if (given.size === plan.users.length) return given
  throw refusal(
    'NEW_CREDENTIAL_MISSING',
    `${rotationId} stopped before ${store.description} held its new credential (${origin}); no HSM holds it either`,
    [
      `give it again with --new-password${rotation.currentProved ? ', and the current one with --current-password' : ''}`,
      `or close the rotation: lockstep rotate rollback --rotation ${rotationId}`,
    ],
  )
}

/**
 * What the rotation proved lies in the store. One that is given only now is taken as long as nothing was written, so
 * that every cell can still prove it.
 */
const currentCredential = async (
  request: ReopenRequest,
  { store, progress }: ReopenPorts,
  ledger: RotationLedger,
): Promise<ReadonlyMap<UserKey, Secret>> => {
  const rotation = ledger.rotation()
  const { facts, plan } = rotation
  const given = byPlannedKey(plan, request.currentPasswords)
  if (!rotation.wayBack.byCurrent) {
    const all = given.size === plan.users.length
    if (all && (nothingWritten(rotation) || stillOld(ledger) !== undefined)) return given
    if (given.size > 0)
      progress({
        kind: 'notice',
        text: 'the current credential came too late to be proved: no HSM is known to hold it',
      })
    return new Map()
  }
  const version = await versionBefore(store, facts.rotationId)
  const users = onlyPlanned(plan.users, version?.users ?? new Map())
  if (users.size === plan.users.length) return users
  if (given.size === plan.users.length) return given
  if (rotation.stage === 'store-pending') {
    throw refusal(
      'CURRENT_CREDENTIAL_MISSING',
      `${facts.rotationId} stopped before ${store.description} held the current credential that was proved`,
      ['give it again with --current-password'],
    )
  }
  throw refusal('CURRENT_LOST', `${store.description} does not hold the proved current credential any more`, [
    'give it again with --current-password',
  ])
}

/** Once PENDING has become CURRENT, what was current before is PREVIOUS; before it was stored, neither is ours. */
const versionBefore = async (store: ReopenPorts['store'], rotationId: RotationId) => {
  if ((await store.read('pending'))?.rotationId === rotationId) return store.read('current')
  return (await store.read('current'))?.rotationId === rotationId ? store.read('previous') : null
}

const onlyPlanned = (
  users: readonly { readonly key: UserKey }[],
  secrets: ReadonlyMap<UserKey, Secret>,
): ReadonlyMap<UserKey, Secret> =>
  new Map(
    users.flatMap(({ key }) => {
      const secret = secrets.get(key)
      return secret === undefined ? [] : [[key, secret] as const]
    }),
  )
