import type { Discovery } from '../../../domain/clone-family.js'
import { judgePair } from '../../../domain/clone-verdict.js'
import { activeHsms, type Cluster, isDeleted } from '../../../domain/cluster.js'
import { refusal } from '../../../domain/errors.js'
import type { ConsoleFailure } from '../../../domain/hsm-console.js'
import type { ClusterId, HsmId, ServerId } from '../../../domain/ids.js'
import type { RosterEntry } from '../../../domain/roster.js'
import { checkOfficers } from '../../../domain/rotation/eligibility.js'
import type { LostCluster } from '../../../domain/rotation/journal-entry.js'
import type { RotationLedger } from '../../../domain/rotation/ledger.js'
import { currentRow } from '../../../domain/rotation/procedure.js'
import { nothingToUndo, wayBackOf, whereCurrentCanBeAsked } from '../../../domain/rotation/way-back.js'
import { logInEach } from '../cells/prove.js'
import { storeCurrent } from '../effects/store-pending.js'
import { currentOfStore, provedCurrent } from '../open/credentials.js'
import type { ReopenRequest } from '../open/reopen.js'
import type { ReopenPorts } from '../ports.js'
import { type Pause, throwTogether } from '../run/pause.js'
import type { RotationRun } from '../run/rotation-run.js'
import { refuseKnownOfficer } from '../sessions/officer.js'
import { isUnseen, rosterChanged, rosterChanges, silentInWords, unseenWhereWritten } from './aws-comparison.js'
import { type AskedCredentials, firstLogins } from './first-logins.js'
import { outwaitLateEffects } from './late-effects.js'
import { noticeQuorum } from './quorum.js'
import { type ReadUsers, readUsers, refusedBy } from './read-users.js'
import { proveRepairPassword } from './repair-password.js'
import { leaveBehind, noteUnreachable } from './unreachable.js'

/**
 * Sees anew what an invocation that takes a rotation up has to know: that nothing of the one before is under way, which
 * HSMs there are now, whether they answer and are the ones they were, their users, and that the officers may log in. All of
 * it goes into the journal. HSMs that do not answer are left to the rows, which name them.
 * @throws {OperatorError} where nobody could go on
 */
export const survey = async (
  run: RotationRun,
  request: ReopenRequest,
  { leftovers, refusedLogins, officerOf }: ReopenPorts,
): Promise<void> => {
  const { ledger, parts } = run
  const { clock, progress } = parts
  for (const clusterId of request.options.acceptNewSerials ?? []) {
    await run.record({ type: 'accepted', what: 'new-serials', clusterId })
  }
  const clusterIds = [run.plan.source, ...run.plan.destinations].map(({ clusterId }) => clusterId)
  await refuseKnownOfficer({ ...parts, officerOf, refusedLogins }, clusterIds, request.retryOfficer)
  await outwaitLateEffects(ledger, leftovers, request.commandMs, clock, progress)
  const discovery = await parts.discover()
  noticeStrangers(run, discovery)
  const joined = await followAws(run, discovery)
  if (run.plan.roster.length === 0) {
    await bringLostBack(run, discovery)
    if (run.plan.roster.length === 0) return refuseToGoOnWithNone(run)
  }
  const read = await readUsers(parts.console, run.plan.roster, parts.concurrency, {
    expected: run.plan.users,
    mayStayBehind: parts.options.mayStayBehind.hsmIds,
  })
  const serious = read.failures.filter(({ isOutOfReach }) => !isOutOfReach)
  const risen = await noteListings(run, read)
  try {
    if (serious.length > 0 || read.matrix.size === 0) {
      for (const failure of read.failures) await noteUnreachable(run, failure)
      throw refusedBy(serious.length > 0 ? serious : read.failures, run.goesBack)
    }
    await takeAlong(run, request, { read, discovery, joined, officerOf })
  } catch (error) {
    if (risen === null) throw error
    // What a listing showed is told with whatever else stops the run: the next one shows it no more.
    throwTogether([risen, error], run.goesBack)
  }
  if (risen !== null) throw risen
}

/**
 * A flag that names an HSM which is none of the rotation does nothing, and is no reason to stop: whoever gives all flags again
 * may name one that was replaced before the journal was lost. A mistyped one has to be heard of.
 */
const noticeStrangers = (run: RotationRun, { clusters }: Discovery): void => {
  const { plan, ledger, parts } = run
  const listed = clusters.filter(({ clusterId }) => ledger.clusterIds.includes(clusterId)).flatMap(({ hsms }) => hsms)
  const known = new Set([
    ...[...plan.roster, ...ledger.facts.plan.roster, ...ledger.gone, ...listed].map(({ hsmId }) => hsmId),
    ...ledger.debts.keys(),
    ...ledger.owedBack.keys(),
    ...ledger.paidElsewhere,
  ])
  const strangers = parts.options.mayStayBehind.hsmIds.filter((hsmId) => !known.has(hsmId))
  if (strangers.length === 0) return
  const meant = `its HSMs are ${[...known].join(', ')}`
  run.notice(`--allow-unreachable names ${strangers.join(', ')}, which is no HSM of this rotation: ${meant}`)
}

/** Follows what was seen of HSMs and clusters, and lets the officers log in. */
const takeAlong = async (
  run: RotationRun,
  request: ReopenRequest,
  seen: {
    readonly read: ReadUsers
    readonly discovery: Discovery
    readonly joined: readonly HsmId[]
    readonly officerOf: ReopenPorts['officerOf']
  },
): Promise<void> => {
  const { read, discovery, joined, officerOf } = seen
  if (joined.length > 0) run.notice(`added since, and taken along: ${joined.join(', ')}`)
  for (const failure of read.failures) await noteMissing(run, failure)
  await bringLostBack(run, discovery)
  await takeDebtsAlong(run, read, discovery)
  const officers = (clusterId: ClusterId) => officerOf(clusterId).user
  checkOfficers(officers, run.users, read.matrix, run.parts.lockoutLimit, run.plan.roster)
  const reachable = run.plan.roster.filter(({ hsmId }) => read.matrix.has(hsmId))
  await logOfficersIn(run, reachable, request.currentPasswords.size > 0)
}

/** Takes notice of every listing before it stops for one. */
const noteListings = (run: RotationRun, { matrix }: ReadUsers): Promise<Pause | null> =>
  run.observe(
    matrix,
    run.plan.roster.filter(({ hsmId }) => matrix.has(hsmId)),
  )

/**
 * Follows what AWS reports: HSMs that were added take part, those that are gone are left out where the operator consents.
 * @returns the HSMs that were added
 * @throws {OperatorError} `ROSTER_CHANGED`
 */
const followAws = async (run: RotationRun, discovery: Discovery): Promise<readonly HsmId[]> => {
  const { ledger, parts } = run
  const { mayStayBehind } = parts.options
  const changes = rosterChanges(ledger, discovery)
  const { gone, arriving } = changes
  // Once a rollback is through, only what joins where something is owed still concerns it.
  const isOver = ledger.rollback !== null && ledger.discard === 'read-back'
  const added = changes.added.filter(({ clusterId }) => !isOver || owesTo(ledger, clusterId))
  if (run.goesBack) for (const words of changes.other) run.notice(words)
  // A rollback goes by what answers, but for what may have joined where it wrote.
  const unseen = run.goesBack ? unseenWhereWritten(run, changes) : changes.unseen
  const other = run.goesBack ? [] : changes.other
  const isNamed = ({ hsmId }: RosterEntry) => mayStayBehind.hsmIds.includes(hsmId)
  const isOwed = ({ hsmId }: RosterEntry) => ledger.debts.has(hsmId) || ledger.owedBack.has(hsmId)
  const isAllowed = (server: RosterEntry) => isNamed(server) || isOwed(server)
  // That an HSM may stay behind while others go forward does not say that nothing has joined where it is.
  const isUnseenAllowed = run.goesBack
    ? (server: RosterEntry) => isNamed(server) || ledger.owedBack.has(server.hsmId)
    : isAllowed
  if (other.length > 0 || arriving.length > 0 || !gone.every(isAllowed) || !unseen.every(isUnseenAllowed)) {
    // Whoever gives the flags again gives all of them.
    const asked = gone.filter((server) => !isOwed(server))
    const clusters = run.goesBack ? silentInWords(unseen, changes) : changes.clusters
    throw rosterChanged({ ...changes, added: [], gone: asked, unseen, clusters, other }, ledger)
  }
  for (const server of gone) await dropGone(run, server)
  if (!run.goesBack) for (const { hsmId } of unseen) await leaveBehind(run, hsmId, 'stays behind for now')
  if (added.length > 0) await run.record({ type: 'targets-added', roster: added })
  return added.map(({ hsmId }) => hsmId)
}

const owesTo = ({ plan, owedBack }: RotationLedger, clusterId: ClusterId): boolean =>
  plan.roster.some((server) => server.clusterId === clusterId && owedBack.has(server.hsmId))

/**
 * Where no HSM is left at all, none is asked; what is PENDING would become the current one of nobody. After a lost journal a
 * cluster that is left out may hold it, and what is PENDING is kept for that as the current one.
 * @throws {OperatorError} `NO_HSM_LEFT`
 */
const refuseToGoOnWithNone = ({ goesBack, ledger }: RotationRun): void => {
  if (goesBack || ledger.promote !== null || (ledger.facts.recovered && ledger.lostClusters.size > 0)) return
  const { rotationId } = ledger.facts
  throw refusal('NO_HSM_LEFT', `AWS lists no HSM of ${rotationId} any more`, [
    `nothing is left to rotate: lockstep rotate rollback --rotation ${rotationId}   closes it`,
  ])
}

/**
 * What its cluster is told reaches an HSM that stayed behind and is back, also one that another run took along meanwhile, so
 * it takes part again from here on. Where
 * nothing else is left to do after the promotion, or in a repair that was through, it stays a debt until it was given the
 * credential; so does one that answers while its Region does not.
 */
const takeDebtsAlong = async (run: RotationRun, { matrix }: ReadUsers, discovery: Discovery): Promise<void> => {
  const { ledger } = run
  if (ledger.capabilities.writeReach !== 'cluster' || ledger.rollback !== null) return
  const wasThrough = ledger.facts.procedure === 'repair' ? ledger.applicationsTold : ledger.promote === 'read-back'
  if (wasThrough && currentRow(ledger)?.effect === 'pay-debts') return
  for (const hsmId of [...ledger.debts.keys(), ...ledger.paidElsewhere.keys()]) {
    const server = run.plan.roster.find((candidate) => candidate.hsmId === hsmId)
    if (!matrix.has(hsmId) || server === undefined || isUnseen(discovery, server)) continue
    await run.record({ type: 'debt-settled', hsmId })
    run.notice(`${hsmId} is back and takes part again`)
  }
}

/** Out of reach: a debt where the operator allows it, otherwise left to the rows to name; going back, once that has begun. */
const noteMissing = async (run: RotationRun, failure: ConsoleFailure): Promise<void> => {
  await noteUnreachable(run, failure)
  if (run.goesBack) return
  const { hsmIds } = run.parts.options.mayStayBehind
  for (const hsmId of failure.hsmIds) {
    if (hsmIds.includes(hsmId) && !run.ledger.debts.has(hsmId)) await leaveBehind(run, hsmId, 'stays behind for now')
  }
}

/** An HSM that AWS does not list any more is left out with the consent its absence was given. */
const dropGone = async (run: RotationRun, { hsmId, clusterId }: RosterEntry): Promise<void> => {
  const { debts, owedBack } = run.ledger
  const reason = owedBack.get(hsmId) ?? debts.get(hsmId) ?? run.parts.options.mayStayBehind.reason
  await run.record({ type: 'hsm-gone', gone: { hsmId, reason } })
  run.notice(`${hsmId} is gone from ${clusterId} and left out: ${reason}`)
}

/**
 * Clusters that were lost when the rotation began and that AWS and their HSMs answer for again. One that does not exist any
 * more is owed nothing.
 */
const bringLostBack = async (run: RotationRun, discovery: Discovery): Promise<void> => {
  if (run.ledger.rollback !== null) return
  for (const lost of [...run.ledger.lostClusters.values()]) {
    if (run.ledger.lostLeftTo(lost.clusterId).length > 0) continue
    const cluster = discovery.clusters.find(({ clusterId }) => clusterId === lost.clusterId)
    const goneAs = whyGone(run, discovery, lost, cluster)
    if (goneAs !== null) {
      const reason = `${goneAs} (${lost.reason})`
      await run.record({ type: 'cluster-gone', clusterId: lost.clusterId, reason })
      run.notice(`${lost.clusterId} is owed nothing any more: ${reason}`)
      continue
    }
    const why = cluster === undefined ? whyNotListed(discovery, lost) : whyNotBack(run, discovery, cluster)
    if (cluster !== undefined && why === null) await bringBack(run, lost, cluster)
    else run.notice(`${lost.clusterId} is still left out: ${why}`)
  }
}

const whyNotListed = (discovery: Discovery, { clusterId, region }: LostCluster): string =>
  region !== null && isUnseen(discovery, { clusterId, region }) ? `${region} does not answer` : 'AWS does not list it'

/**
 * How AWS says that a cluster exists no more: it is deleted, or its Region answers without it to somebody who sees another
 * cluster of this rotation by the same profile. Where it was named by its ID alone no Region can say so.
 */
const whyGone = (
  { plan }: RotationRun,
  discovery: Discovery,
  { clusterId, region, profile }: LostCluster,
  cluster: Cluster | undefined,
): string | null => {
  if (cluster !== undefined) return isDeleted(cluster) ? `it is ${cluster.state}` : null
  if (region === null || !discovery.asked.some((place) => place.region === region)) return null
  if (isUnseen(discovery, { clusterId, region })) return null
  const seen = [plan.source, ...plan.destinations].some(
    (one) => one.profile === profile && discovery.clusters.some((listed) => listed.clusterId === one.clusterId),
  )
  return seen ? `${region} does not list it any more` : null
}

const whyNotBack = (run: RotationRun, discovery: Discovery, cluster: Cluster): string | null => {
  const { source } = run.plan
  if (cluster.state !== 'ACTIVE') return `it is ${cluster.state}`
  if (cluster.hsms.length === 0) return 'it has no HSM'
  const inactive = cluster.hsms.find(({ state, eniIp }) => state !== 'ACTIVE' || eniIp === null)
  if (inactive !== undefined) return `${inactive.hsmId} is ${inactive.state}`
  const known = discovery.clusters.find(({ clusterId }) => clusterId === source.clusterId)
  if (known === undefined) return `AWS does not list ${source.clusterId}`
  const { verdict, missing } = judgePair(discovery, known, cluster)
  return verdict === 'clone' || verdict === 'probably-clone' ? null : `nothing proves that it is a clone: ${missing}`
}

const bringBack = async (run: RotationRun, lost: LostCluster, cluster: Cluster): Promise<void> => {
  const { clusterId, region, profile, hsmType } = cluster
  const roster = activeHsms(cluster).map(
    ({ hsmId, eniIp }, index): RosterEntry => ({
      serverId: (run.plan.roster.length + index) as ServerId,
      hsmId,
      eniIp,
      clusterId,
      region,
      role: 'destination',
    }),
  )
  const { matrix, failures } = await readUsers(run.parts.console, roster, run.parts.concurrency, {
    expected: run.plan.users,
    mayStayBehind: [],
  })
  const [failure] = failures
  if (failure !== undefined) {
    run.notice(`${lost.clusterId} is still left out: ${failure.message}`)
    return
  }
  await run.record({ type: 'cluster-joined', cluster: { clusterId, region, profile, hsmType }, roster })
  await run.look(matrix, roster)
  run.notice(`${clusterId} is back and taken along`)
}

/**
 * The officers' first logins, and with them the proof of a current credential that is given only now: on every cell where
 * nothing was written, else where the old one must still be. From there it is a way back.
 * @throws {OperatorError} `CURRENT_REFUSED`
 */
const logOfficersIn = async (run: RotationRun, reachable: readonly RosterEntry[], isTyped: boolean): Promise<void> => {
  const { ledger, parts } = run
  const { current } = parts.credentials
  // Before the store held it, even one that was proved is typed again, perhaps wrongly.
  const isKept = wayBackOf(ledger).byCurrent && ledger.stored
  // The store has lost what was proved, and what is typed in its place may be wrong.
  const isInstead = isKept && isTyped && current.size > 0 && (await provedCurrent(parts.store, ledger)) === null
  const isGivenNow = current.size > 0 && ledger.promote === null && (!isKept || isInstead)
  const isUntouched = ledger.cells().every(({ user, hsmId }) => !ledger.everWritten(user, hsmId))
  const asked = isGivenNow && isUntouched ? await askedAgain(run, isTyped) : null
  await firstLogins(parts, reachable, run.users, asked, {
    onQuorum: (server, approvals) => noticeQuorum(run.plan.utility, server, approvals, parts.progress),
    ask: (session, intent, attempt) =>
      run.ask(session, asked?.remembered === null ? { ...intent, typed: true } : intent, attempt),
    // The others have lines of their own.
    onSeen: async (seen) => {
      if (seen.remembered === true) await run.record(seen)
    },
  })
  await proveRepairPassword(run)
  if (!isGivenNow) return
  if (asked === null && !(await proveLate(run))) {
    if (!isInstead) return run.doubtCurrent()
    run.notice('no HSM is left that could prove the current credential given: it is taken as it was typed')
  }
  // CURRENT of the store is somebody else's by now.
  if (isInstead) return
  // A rotation that stopped before the store held anything keeps it with the new credential.
  if (ledger.stored && parts.credentials.new.size > 0 && ledger.rollback === null) await storeCurrent(run)
}

/** The current credential once more, as the store keeps it or as it was typed; nothing holds the new one yet. */
const askedAgain = async ({ ledger, parts, plan }: RotationRun, isTyped: boolean): Promise<AskedCredentials> => {
  const { store, credentials } = parts
  const kept = await currentOfStore(store, plan)
  const isKept = kept !== null && [...kept.passwords].every(([key, one]) => credentials.current.get(key)?.equals(one))
  return {
    passwords: credentials.current,
    credential: 'current',
    source: isKept ? `${store.description} keeps as CURRENT` : '--current-password gives',
    remembered: isKept ? kept.name : null,
    refusals: 'stop',
    advice: [
      ...(isTyped ? CURRENT_ADVICE : []),
      ...(nothingToUndo(ledger) && ledger.rollback === null
        ? [`nothing is written yet: lockstep rotate rollback --rotation ${ledger.facts.rotationId}   closes it`]
        : []),
    ],
  }
}

/** @returns whether there was an HSM left to prove it on */
const proveLate = async (run: RotationRun): Promise<boolean> => {
  const unitId = whereCurrentCanBeAsked(run.ledger, (candidate) => run.units.includes(candidate))
  if (unitId === undefined) return false
  const { refused, objections } = await logInEach(run, unitId, run.users, 'current', { isTyped: true })
  const [objection] = objections.values()
  if (objection !== undefined) throw objection
  const [user] = refused
  if (user === undefined) return true
  throw refusal(
    'CURRENT_REFUSED',
    `${run.name(unitId)} refused the current credential given for ${user.key}`,
    CURRENT_ADVICE,
  )
}

const CURRENT_ADVICE = ['compare the password with the one in your vault, or leave --current-password out']
