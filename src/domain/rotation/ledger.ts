import type { Answer, RefusalReason, UtilityProcess } from '../hsm-console.js'
import type { UserKey } from '../hsm-user.js'
import type { ClusterId, HsmId, RotationId } from '../ids.js'
import type { RosterEntry } from '../roster.js'
import type { SerialObservation } from '../serial-numbers.js'
import { capabilitiesOf, type UtilityCapabilities } from '../utility/capabilities.js'
import type { Cell, CellRef, Evidence, KnownCell } from './cell.js'
import { type CellRecord, type Knowledge, newRecord, shownAs, unknownSince } from './cell-record.js'
import type {
  CopyVerdict,
  CredentialName,
  CurrentVersion,
  Debt,
  Intent,
  JournalEntry,
  JournalEvent,
  ListedHsm,
  LostCluster,
  Observation,
  RotationFacts,
} from './journal-entry.js'
import {
  type Parts,
  type PlannedCluster,
  type Propagation,
  partsAmong,
  type RotationPlan,
  serversOf,
  type UnseenRegion,
  unitsOf,
} from './plan.js'

/** Something that was about to be done when the one who did it died, or the HSM fell silent. */
export interface Unanswered {
  readonly intent: Intent
  readonly process: UtilityProcess
  /** UTC, ISO 8601. */
  readonly at: string
}

/** Why a rotation stands still, when the last thing that happened was a pause. */
export type PauseFacts = Omit<Extract<JournalEvent, { type: 'paused' }>, 'type'>

/** Who has given a user of a cluster something newer, and the HSMs that stayed behind in it. */
type Superseded = Pick<Extract<JournalEvent, { type: 'superseded' }>, 'by' | 'owing' | 'owesCluster'>

type CellKey = `${HsmId} ${UserKey}`
const keyOf = ({ user, hsmId }: CellRef): CellKey => `${hsmId} ${user}`

/** What a refused write leaves as it was. */
const TAKEN_BACK = [
  'holds',
  'present',
  'refused',
  'refusedNewAlone',
  'mayBeOther',
  'refusedTyped',
  'oldFrom',
  'lastWrite',
  'lastWriteDone',
  'lastWriteSeq',
  'lastChangeSeq',
  'everChanged',
] as const

/** What a cell was before something was asked of it. */
type Before = Pick<CellRecord, (typeof TAKEN_BACK)[number]>

interface Open extends Unanswered {
  readonly before: ReadonlyMap<CellKey, Before>
  /** Cells that somebody else had written and that this is the first write to. */
  readonly others: readonly CellRef[]
}

/**
 * Follows a journal line by line and knows at each line what was seen. What follows from it, as the stage and the
 * outcome, is computed by `rotationOf` and kept nowhere. The cost of a line does not depend on how many came before.
 */
export class RotationLedger {
  readonly facts: RotationFacts
  readonly startedAt: string
  readonly #records = new Map<CellKey, CellRecord>()
  readonly #open = new Map<number, Open>()
  readonly #joined = new Set<HsmId>()
  /** Clusters of which an HSM that is gone was meant to be written, with the user. */
  readonly #writtenAndGone = new Set<string>()
  readonly #debts = new Map<HsmId, string>()
  /** HSMs that a rollback went on without; they are owed what they held before. */
  readonly #owedBack = new Map<HsmId, string>()
  /** HSMs that stayed behind and that another run took along, unless their cluster had to be told something since. */
  readonly #paidElsewhere = new Map<HsmId, RotationId>()
  readonly #clustersPaidElsewhere: (LostCluster & { readonly by: RotationId })[] = []
  readonly #superseded = new Map<`${ClusterId} ${UserKey}`, Superseded>()
  readonly #lost = new Map<ClusterId, LostCluster>()
  #unseenRegions: readonly UnseenRegion[]
  readonly #gone: Debt[] = []
  readonly #goneClusters: LostCluster[] = []
  readonly #overwritten = new Map<CellKey, CellRef>()
  readonly #failedLoginsOf = new Map<UserKey, number>()
  readonly #provedCurrent = new Set<UserKey>()
  readonly #listedSeq = new Map<HsmId, number>()
  #serials: SerialObservation[] = []
  #plan: RotationPlan
  /** As they were planned, with the waves that were added since. */
  #plannedParts: Parts
  #propagation: Propagation | null = null
  #copies: { readonly verdict: CopyVerdict; readonly evidence: string } | null = null
  #rollback: Propagation | 'none' | null = null
  #stored = false
  #replacesLost = false
  #storedCurrent = false
  #currentVersion: CurrentVersion | null = null
  #promote: 'intent' | 'read-back' | null = null
  #discard: 'intent' | 'read-back' | null = null
  #told = false
  #changing = false
  #acceptedNoWayBack = false
  #pause: PauseFacts | null = null
  #invocationSeq = 0
  #aws: { readonly seq: number; readonly differences: readonly string[] } = { seq: 0, differences: [] }

  /** @throws {Error} when `first` is not the `started` entry of a journal */
  constructor({ seq, at, event }: JournalEntry) {
    if (event.type !== 'started') throw new Error('a journal begins with the facts of its rotation')
    this.facts = event.facts
    this.startedAt = at
    this.#plan = event.facts.plan
    this.#unseenRegions = event.facts.plan.unseenRegions ?? []
    this.#plannedParts = event.facts.plan.parts
    this.#invocationSeq = seq
    this.#stored = event.facts.recovered
    for (const { hsmId } of this.#plan.roster) this.#meet(hsmId, event.facts.recovered, at, 0)
    for (const { hsmId, reason } of event.facts.debts) {
      this.#debts.set(hsmId, reason)
      this.#loseSight(hsmId)
    }
    if (event.facts.newCredential === 'unknown') this.#meetOrigin(at, seq)
    for (const cluster of event.facts.lostClusters) this.#lost.set(cluster.clusterId, cluster)
    for (const observation of event.facts.observed) this.#observe(observation, seq, at, true)
  }

  /** The next line of the journal. */
  apply({ seq, at, event }: JournalEntry): void {
    if (event.type !== 'paused') this.#pause = null
    switch (event.type) {
      case 'started':
        throw new Error(`line ${seq} starts a second rotation in one journal`)
      case 'intent':
        this.#intend(seq, { intent: event.intent, process: event.process, at })
        break
      case 'answer':
        this.#settle(seq, at, event.to, event.answer)
        break
      case 'propagation':
        this.#propagation = event.method
        break
      case 'store':
        this.#noteStore(event)
        break
      case 'paused': {
        const { type: _, ...pause } = event
        this.#pause = pause
        break
      }
      case 'accepted':
        if (event.what === 'no-way-back') this.#acceptedNoWayBack = true
        else if (event.what === 'another-credential') this.#beginAnew(at, seq)
        else this.#serials = this.#serials.filter(({ clusterId }) => clusterId !== event.clusterId)
        break
      case 'current-lost':
        this.#storedCurrent = false
        this.#currentVersion = null
        if (this.#rollback === 'change') this.#rollback = 'sync'
        break
      case 'debt':
        if (this.#rollback === null) this.#debts.set(event.debt.hsmId, event.debt.reason)
        else this.#owedBack.set(event.debt.hsmId, event.debt.reason)
        this.#shareOut()
        break
      case 'debt-settled':
        this.#debts.delete(event.hsmId)
        this.#owedBack.delete(event.hsmId)
        // It was given the credential of the other run, and this one has no more to do with it.
        if (event.by === undefined) this.#paidElsewhere.delete(event.hsmId)
        else this.#paidElsewhere.set(event.hsmId, event.by)
        this.#shareOut()
        break
      case 'superseded':
        this.#superseded.set(`${event.clusterId} ${event.user}`, event)
        break
      case 'cluster-settled': {
        const lost = this.#lost.get(event.clusterId)
        this.#lost.delete(event.clusterId)
        if (lost !== undefined) this.#clustersPaidElsewhere.push({ ...lost, by: event.by })
        break
      }
      case 'cluster-gone': {
        const lost = this.#lost.get(event.clusterId)
        this.#lost.delete(event.clusterId)
        if (lost !== undefined) this.#goneClusters.push({ ...lost, reason: event.reason })
        break
      }
      case 'unseen-again':
        this.#unseenRegions = event.unseen
        for (const cluster of event.missed) this.#lost.set(cluster.clusterId, cluster)
        break
      case 'cluster-joined':
        this.#lost.delete(event.cluster.clusterId)
        this.#join(event.roster, at, seq, event.cluster)
        break
      case 'hsm-gone':
        this.#leave(event.gone)
        break
      case 'targets-added':
        this.#join(event.roster, at, seq)
        this.#oweJoined(event.roster)
        break
      case 'resumed':
        this.#invocationSeq = seq
        break
      case 'rollback-started':
        this.#rollback = event.method
        break
      case 'rollback-abandoned':
        this.#rollback = null
        this.#owedBack.clear()
        break
      case 'applications-told':
        this.#told = true
        break
      // The consent; whether anything was overwritten, the write tells.
      case 'other-overwritten':
      case 'unanswered':
      case 'stage-completed':
      case 'finished':
        break
      default:
        this.#observe(event, seq, at, false)
    }
  }

  /** What is known of one cell. */
  cell(user: UserKey, hsmId: HsmId): KnownCell {
    const record = this.#records.get(keyOf({ user, hsmId }))
    if (record === undefined) return { state: 'unknown', proof: 'none', evidence: null, observedAt: null }
    const shown = this.#ofCluster(hsmId, shownAs(record, this.#rollback !== null))
    // With the journal is lost what was written.
    if (this.facts.recovered && shown.proof === 'untouched') return { ...shown, proof: 'none' }
    // A rotation that goes back says of what it never wrote that it never did; who logged in there before is history.
    const isHistory =
      this.#rollback !== null && shown.proof === 'login-current' && record.holds.seq <= this.#invocationSeq
    return isHistory && record.oldFrom === null && !this.mayBeWritten(user, hsmId)
      ? { ...shown, proof: 'untouched', evidence: null }
      : shown
  }

  /** Where a cluster is listed as one, a lock of one of its HSMs is shown of all. */
  #ofCluster(hsmId: HsmId, shown: KnownCell): KnownCell {
    if (shown.state !== 'locked' || this.capabilities.listingReach !== 'cluster') return shown
    const clusterId = this.#clusterOf(hsmId)
    const isAlone = this.#plan.roster.filter((server) => server.clusterId === clusterId).length === 1
    return isAlone ? shown : { ...shown, evidence: 'cluster' }
  }

  /** Every cell, user by user, HSMs in the order of the roster; but for those that another run took along. */
  cells(): readonly Cell[] {
    const roster = this.#plan.roster.filter(({ hsmId }) => !this.#paidElsewhere.has(hsmId))
    return this.#plan.users.flatMap(({ key: user }) =>
      roster
        .filter(({ hsmId, clusterId }) => {
          const { owing = [] } = this.superseded(user, clusterId) ?? { owing: [hsmId] }
          return owing.includes(hsmId)
        })
        .map(({ hsmId, clusterId, region }) => ({ user, hsmId, clusterId, region, ...this.cell(user, hsmId) })),
    )
  }

  /** Who has given a user of a cluster something newer than this rotation; null where nobody did. */
  superseded(user: UserKey, clusterId: ClusterId): Superseded | null {
    return this.#superseded.get(`${clusterId} ${user}`) ?? null
  }

  /** As `superseded`, for a cell: nothing is given or asked there any more. */
  supersededBy(user: UserKey, hsmId: HsmId): RotationId | null {
    return this.#supersededAt(user, hsmId)?.by ?? null
  }

  /** Whether a newer run has the cell left to give. */
  isOwedElsewhere(user: UserKey, hsmId: HsmId): boolean {
    return this.#supersededAt(user, hsmId)?.owing.includes(hsmId) === true
  }

  /** Newer runs that a cluster which was lost from the start is left to, each of which owes it one user at least; empty unless all are. */
  lostLeftTo(clusterId: ClusterId): readonly RotationId[] {
    const by = this.#plan.users.map(({ key }) => this.superseded(key, clusterId))
    const isLeft = by.every((one) => one !== null) && by.some((one) => one?.owesCluster === true)
    return isLeft && this.#lost.has(clusterId) ? [...new Set(by.flatMap((one) => one?.by ?? []))] : []
  }

  #supersededAt(user: UserKey, hsmId: HsmId): Superseded | null {
    if (this.#superseded.size === 0) return null
    const clusterId = this.#clusterOf(hsmId)
    return clusterId === undefined ? null : this.superseded(user, clusterId)
  }

  /** Every HSM that takes part: the roster without those that may stay behind. */
  get takingPart(): readonly RosterEntry[] {
    if (this.#debts.size === 0 && this.#paidElsewhere.size === 0) return this.#plan.roster
    return this.#plan.roster.filter(({ hsmId }) => !this.#debts.has(hsmId) && !this.#paidElsewhere.has(hsmId))
  }

  /** Whether what is known of the cell was shown in the invocation that works on the rotation, or did so last. */
  isFresh(user: UserKey, hsmId: HsmId): boolean {
    return this.#record(user, hsmId).holds.seq > this.#invocationSeq
  }

  /** Whether the HSM was listed in this invocation, after the last write there. */
  isListed(hsmId: HsmId): boolean {
    const seq = this.#listedSeq.get(hsmId) ?? 0
    if (seq <= this.#invocationSeq) return false
    return this.#plan.users.every(({ key }) => this.#record(key, hsmId).lastWriteSeq < seq)
  }

  /** Whether AWS was asked in this invocation, after the last write on these HSMs, and reported the HSMs of the roster. */
  awsAgreesSince(hsmIds: readonly HsmId[]): boolean {
    const { seq, differences } = this.#aws
    if (seq <= this.#invocationSeq || differences.length > 0) return false
    return hsmIds.every((hsmId) => this.#plan.users.every(({ key }) => this.#record(key, hsmId).lastWriteSeq < seq))
  }

  /** Whether the user has another ID there than planned, so that no copy is made: it may match by ID. */
  hasOtherId(user: UserKey, hsmId: HsmId): boolean {
    return this.#record(user, hsmId).hasOtherId
  }

  /**
   * Whether no HSM that holds the new credential has the user under the ID that was planned: nothing could copy it under that
   * any more, and which one it has counts as little as where the HSMs never agreed.
   */
  isIdGivenUp(user: UserKey): boolean {
    return this.takingPart.every(({ hsmId }) => {
      const { holds, present, hasOtherId } = this.#record(user, hsmId)
      return !present || hasOtherId || holds.state !== 'new'
    })
  }

  /** Attributes that are other ones than planned, as the HSM was listed last; null where they are as planned. */
  different(user: UserKey, hsmId: HsmId): string | null {
    return this.#record(user, hsmId).different
  }

  /** Whether a second factor or a quorum key was registered there since, which a write drops, as the HSM was listed last. */
  isRegistered(user: UserKey, hsmId: HsmId): boolean {
    return this.#record(user, hsmId).registered
  }

  /**
   * Whether a write to this cell was ever intended in this rotation, whatever came of it; a lost journal may say so.
   * A rehearsal is none: it writes what was there.
   */
  everWritten(user: UserKey, hsmId: HsmId): boolean {
    return this.facts.recovered || this.#record(user, hsmId).lastWrite !== null
  }

  /** Whether the last write that was meant for this cell reported success, and nobody made the user anew since. */
  isWritten(user: UserKey, hsmId: HsmId): boolean {
    return this.#record(user, hsmId).lastWriteDone
  }

  /** Whether the last write that was meant for this cell was one of the new credential. */
  isMeantNew(user: UserKey, hsmId: HsmId): boolean {
    return this.#record(user, hsmId).lastWrite?.credential === 'new'
  }

  /**
   * Whether the cell was given the new credential, or may have been: it was meant to be written, or its HSM was added
   * since and may have been built from one that was.
   */
  mayBeWritten(user: UserKey, hsmId: HsmId): boolean {
    if (this.everWritten(user, hsmId)) return true
    if (!this.#joined.has(hsmId)) return false
    const clusterId = this.#clusterOf(hsmId)
    if (this.#writtenAndGone.has(`${clusterId} ${user}`)) return true
    return this.#plan.roster.some((one) => one.clusterId === clusterId && this.everWritten(user, one.hsmId))
  }

  /** Whether the cell may hold the new credential now, as far as was seen. */
  mayBeNew(user: UserKey, hsmId: HsmId): boolean {
    const { holds, present, refusedNewAlone } = this.#record(user, hsmId)
    if (!present) return false
    if (holds.state === 'new') return true
    if (holds.state === 'old' && holds.proof !== 'untouched') return false
    // A refusal may be an error; the word of a change that was done is not given up for it.
    if (this.#isChangedToNew(user, hsmId)) return true
    return !refusedNewAlone && this.mayBeWritten(user, hsmId)
  }

  #isChangedToNew(user: UserKey, hsmId: HsmId): boolean {
    const { lastWrite, lastWriteDone } = this.#record(user, hsmId)
    return lastWriteDone && lastWrite?.act === 'change' && lastWrite.credential === 'new'
  }

  /** Whether an HSM of the cluster, or of any, was meant to be written and is gone: one that joins may be built from it. */
  isWrittenGone(clusterId?: ClusterId): boolean {
    const written = [...this.#writtenAndGone]
    return clusterId === undefined ? written.length > 0 : written.some((one) => one.startsWith(`${clusterId} `))
  }

  /** Whether the HSM was added to its cluster, or came with it, after the rotation began. */
  isJoined(hsmId: HsmId): boolean {
    return this.#joined.has(hsmId)
  }

  /**
   * The most failed logins in a row that a listing of the cell can show if nobody else failed: as it was listed last,
   * those we made since, and those of ours that were never answered. Undefined where it was never shown.
   */
  failureCount(user: UserKey, hsmId: HsmId): number | undefined {
    const known = this.#record(user, hsmId).failures
    if (known === undefined) return undefined
    // Those of an earlier invocation are part of what was listed since: nothing of it can take effect any more.
    const isListedSince = (this.#listedSeq.get(hsmId) ?? 0) > this.#invocationSeq
    const unanswered = [...this.#open].filter(
      ([seq, { intent }]) =>
        intent.act === 'login' &&
        intent.user === user &&
        intent.hsmIds.includes(hsmId) &&
        (seq > this.#invocationSeq || !isListedSince),
    )
    return known + unanswered.length
  }

  /**
   * Whether the user may be missing there: it is, or was when the HSM was met first in this rotation, or the HSM was
   * added since and perhaps not met.
   */
  mayBeAbsent(user: UserKey, hsmId: HsmId): boolean {
    const { present, somewhereMissingSeq, missedFirst } = this.#record(user, hsmId)
    return (
      !present || somewhereMissingSeq > 0 || missedFirst.is || (this.#joined.has(hsmId) && !this.#listedSeq.has(hsmId))
    )
  }

  /** Whether the HSM was seen since it could not be reached last. */
  isInSight(hsmId: HsmId): boolean {
    return this.#plan.users.every(({ key }) => this.#record(key, hsmId).inSight)
  }

  /** Whether the user was missing when the HSM was met first. */
  missedFirst(user: UserKey, hsmId: HsmId): boolean {
    return this.#record(user, hsmId).missedFirst.is
  }

  /** Credentials this cell refused since something was meant to be written there last. */
  refused(user: UserKey, hsmId: HsmId): readonly CredentialName[] {
    return this.#record(user, hsmId).refused
  }

  /** Whether the budget of the cell allowed no login, and nothing was meant to be written there since. */
  mayNotBeAsked(user: UserKey, hsmId: HsmId): boolean {
    return this.#record(user, hsmId).mayNotBeAsked
  }

  /** Whether the HSM by itself refused the new credential and nothing was meant to be written there since. */
  refusedNewAlone(user: UserKey, hsmId: HsmId): boolean {
    const { holds, refusedNewAlone } = this.#record(user, hsmId)
    return holds.state === 'unknown' && refusedNewAlone
  }

  /** Whether the cell refused the new credential although a copy of it had reported success there. */
  copiedInVain(user: UserKey, hsmId: HsmId): boolean {
    const { lastWrite, holds, refused } = this.#record(user, hsmId)
    if (lastWrite?.act !== 'copy' || lastWrite.credential !== 'new') return false
    return holds.state === 'unknown' && refused.includes('new')
  }

  /**
   * Whether somebody else has written this cell, or may have, also where it is locked or out of sight now. Of a user that is
   * deleted nothing is left to be overwritten.
   */
  isOther(user: UserKey, hsmId: HsmId): boolean {
    const { holds, mayBeOther, present } = this.#record(user, hsmId)
    return present && (holds.state === 'other' || mayBeOther)
  }

  /** Whether the user was seen to be missing there, or on some HSM of its cluster, since it was proved or copied last. */
  isSeenMissing(user: UserKey, hsmId: HsmId): boolean {
    const { present, somewhereMissingSeq, holds } = this.#record(user, hsmId)
    return !present || somewhereMissingSeq > holds.seq
  }

  /** Whether it was proved to hold the new credential, and refused what was typed for that since. */
  hasRefusedTyped(user: UserKey, hsmId: HsmId): boolean {
    return this.#record(user, hsmId).refusedTyped
  }

  /** Whether it holds what it held before, by a login, a copy of it, or because nobody wrote it; also out of sight. */
  holdsOld(user: UserKey, hsmId: HsmId): boolean {
    const { holds, present, mayBeOther } = this.#record(user, hsmId)
    return present && holds.state === 'old' && !mayBeOther
  }

  /** Whether we never wrote it and it may hold what it held before: nobody showed that it holds anything else. */
  isLeftAlone(user: UserKey, hsmId: HsmId): boolean {
    const { holds, present } = this.#record(user, hsmId)
    if (!present || this.mayBeWritten(user, hsmId)) return false
    return holds.state === 'old' || holds.state === 'unknown'
  }

  /** Whether a change was ever intended there, so that a login no longer tells what a copy did. */
  everChanged(user: UserKey, hsmId: HsmId): boolean {
    return this.#record(user, hsmId).everChanged
  }

  /**
   * Whether the cell counts as what it was before: it was never written, or logs in with the current credential, or holds
   * a copy from an untouched HSM of its own cluster, or of a rehearsal that gave it what it was proved to hold.
   */
  isAsBefore(user: UserKey, hsmId: HsmId): boolean {
    const { holds, oldFrom, heldCurrentAtFirst, lastWrite, present, missedFirst } = this.#record(user, hsmId)
    // After a lost journal the first look was not the first.
    if (!present) return (missedFirst.is && !this.facts.recovered) || !this.mayBeWritten(user, hsmId)
    if (holds.state === 'old' && holds.proof === 'login-current') return true
    if (missedFirst.is) return false
    if (oldFrom === null && !this.mayBeWritten(user, hsmId)) return true
    if (holds.state !== 'old') return false
    // What a repair overwrote was another thing than its neighbours held, or may have been.
    if (this.facts.procedure === 'repair') return false
    if (heldCurrentAtFirst && lastWrite === null) return true
    return oldFrom?.wasAsBefore === true && this.#clusterOf(hsmId) === this.#clusterOfUnit(oldFrom.unitId)
  }

  /** HSMs that stay behind with the operator's consent, and why. */
  get debts(): ReadonlyMap<HsmId, string> {
    return this.#debts
  }

  /** HSMs that stayed behind and that another run took along, and which: they take no part any more. */
  get paidElsewhere(): ReadonlyMap<HsmId, RotationId> {
    return this.#paidElsewhere
  }

  /** Lost clusters that another run gave the credential, and which. */
  get clustersPaidElsewhere(): readonly (LostCluster & { readonly by: RotationId })[] {
    return this.#clustersPaidElsewhere
  }

  /** HSMs that a rollback went on without with the operator's consent, and why. Each is owed what it held before. */
  get owedBack(): ReadonlyMap<HsmId, string> {
    return this.#owedBack
  }

  /** Clusters of the family that were out of reach from the start and nobody has brought along yet. */
  get lostClusters(): ReadonlyMap<ClusterId, LostCluster> {
    return this.#lost
  }

  /** Regions that have not said which clusters they have since the rotation began. */
  get unseenRegions(): readonly UnseenRegion[] {
    return this.#unseenRegions
  }

  /** Every cluster it is about, those that are left out among them. */
  get clusterIds(): readonly ClusterId[] {
    const { source, destinations } = this.#plan
    return [...[source, ...destinations].map(({ clusterId }) => clusterId), ...this.#lost.keys()]
  }

  /** Clusters that were lost from the start and do not exist any more, with what was seen of that. */
  get goneClusters(): readonly LostCluster[] {
    return this.#goneClusters
  }

  /** HSMs that are gone from their cluster, and without which the operator went on. */
  get gone(): readonly Debt[] {
    return this.#gone
  }

  /** Cells that somebody else had written, and that were written with the operator's consent. */
  get overwritten(): readonly CellRef[] {
    return [...this.#overwritten.values()]
  }

  /** The plan with the HSMs that were added since, and without those that are gone. */
  get plan(): RotationPlan {
    return this.#plan
  }

  get capabilities(): UtilityCapabilities {
    return capabilitiesOf(this.#plan.utility)
  }

  get propagation(): Propagation | null {
    return this.#propagation
  }

  /** What a copy does to a user that exists, as far as it was seen; null where none was made yet. */
  get copies(): { readonly verdict: CopyVerdict; readonly evidence: string } | null {
    return this.#copies
  }

  /** How the rotation goes back, once it does. */
  get rollback(): Propagation | 'none' | null {
    return this.#rollback
  }

  /** The store has returned the new credential as PENDING. */
  get stored(): boolean {
    return this.#stored
  }

  /** The new credential takes the place of one that the store has lost, and the current one with it. */
  get replacesLost(): boolean {
    return this.#replacesLost
  }

  /** The store has returned the current credential beside it. */
  get storedCurrent(): boolean {
    return this.#storedCurrent
  }

  /** The version of CURRENT that the proved current credential is part of; null where the journal does not say. */
  get currentVersion(): CurrentVersion | null {
    return this.#currentVersion
  }

  /** Whether each user logged in somewhere with the current credential. */
  get currentProved(): boolean {
    return this.#plan.users.every(({ key }) => this.#provedCurrent.has(key))
  }

  /** How far PENDING has become CURRENT: from the intent on there is no going back. */
  get promote(): 'intent' | 'read-back' | null {
    return this.#promote
  }

  /** How far PENDING has been removed: from the intent on every cell is back. */
  get discard(): 'intent' | 'read-back' | null {
    return this.#discard
  }

  /** The applications' command was run after the promotion. */
  get applicationsTold(): boolean {
    return this.#told
  }

  /** Whether anything but reading was begun: the boundary is the intent to keep the new credential. */
  get hasChanged(): boolean {
    return this.#changing || this.facts.recovered
  }

  get acceptedNoWayBack(): boolean {
    return this.#acceptedNoWayBack || this.facts.acceptedNoWayBack
  }

  get serials(): readonly SerialObservation[] {
    return this.#serials
  }

  get pause(): PauseFacts | null {
    return this.#pause
  }

  /** Logins that were refused in this rotation. */
  get failedLogins(): number {
    return [...this.#failedLoginsOf.values()].reduce((sum, count) => sum + count, 0)
  }

  /** Intents without an answer: their effect is unknown. */
  get unanswered(): readonly Unanswered[] {
    return [...this.#open.values()].map(({ intent, process, at }) => ({ intent, process, at }))
  }

  #record(user: UserKey, hsmId: HsmId): CellRecord {
    const record = this.#records.get(keyOf({ user, hsmId }))
    if (record === undefined) throw new Error(`${user} on ${hsmId} is no cell of ${this.facts.rotationId}`)
    return record
  }

  #clusterOf(hsmId: HsmId): ClusterId | undefined {
    return this.#plan.roster.find((server) => server.hsmId === hsmId)?.clusterId
  }

  #clusterOfUnit(unitId: string): ClusterId | undefined {
    const server = [...this.#plan.roster, ...this.facts.plan.roster].find(
      ({ hsmId, clusterId }) => hsmId === unitId || clusterId === unitId,
    )
    return server?.clusterId
  }

  #meet(hsmId: HsmId, isUnknown: boolean, at: string, seq: number): void {
    for (const { key: user } of this.#plan.users) {
      const known: Knowledge = { state: 'old', proof: 'untouched', evidence: null, at, seq }
      this.#records.set(keyOf({ user, hsmId }), newRecord(isUnknown ? unknownSince(at, seq) : known))
    }
  }

  /** What a repair copies from holds what is wanted, whatever that is. */
  #meetOrigin(at: string, seq: number): void {
    const { from } = this.facts
    for (const { hsmId, clusterId } of this.#plan.roster) {
      if (hsmId !== from && clusterId !== from) continue
      for (const { key: user } of this.#plan.users) {
        this.#record(user, hsmId).holds = { state: 'new', proof: 'untouched', evidence: null, at, seq }
      }
    }
  }

  #loseSight(hsmId: HsmId, perhaps = false): void {
    for (const { key: user } of this.#plan.users) {
      Object.assign(this.#record(user, hsmId), { inSight: false, mayAnswer: perhaps })
    }
  }

  #observe(observation: Observation, seq: number, at: string, isFirst: boolean): void {
    switch (observation.type) {
      case 'listed':
        for (const listed of observation.hsms) this.#list(listed, seq, at, isFirst)
        break
      case 'unreachable':
        if (this.#clusterOf(observation.hsmId) !== undefined) this.#loseSight(observation.hsmId, observation.perhaps)
        break
      case 'serials':
        this.#serials.push(observation.seen)
        break
      case 'aws':
        this.#aws = { seq, differences: observation.differences }
        break
      case 'not-asked':
        for (const hsmId of observation.hsmIds) {
          const record = this.#records.get(keyOf({ user: observation.user, hsmId }))
          if (record !== undefined) record.mayNotBeAsked = true
        }
        break
      case 'copies':
        this.#copies = { verdict: observation.verdict, evidence: observation.evidence }
        break
      case 'login': {
        const { user, hsmIds, credential, answer, remembered = false } = observation
        const login = { act: 'login', user, hsmIds, credential } as const
        if (remembered) {
          this.#doubtAll(login, at, seq)
          break
        }
        // An HSM that says anything of the password has the user, which somebody has made since it was listed.
        const [only, ...others] = this.#recordsOf(login).values()
        const isThere = answer.kind === 'done' || answer.reason === 'login-refused'
        if (only?.present === false && others.length === 0 && isThere) this.#meetAgain(only, at, seq)
        this.#settleLogin(login, at, seq, answer)
      }
    }
  }

  #list(
    { hsmId, counted, absent = [], inPart = [], locked = [], registered = [], ...more }: ListedHsm,
    seq: number,
    at: string,
    isFirst: boolean,
  ): void {
    if (this.#clusterOf(hsmId) === undefined) return
    const { failures = [], different = [], otherId = [] } = more
    const isFirstLook = isFirst || !this.#listedSeq.has(hsmId)
    this.#listedSeq.set(hsmId, seq)
    const [missing, lockedUsers, partly] = [new Set(absent), new Set(locked), new Set(inPart)]
    const [counts, others, otherIds] = [new Map(failures), new Map(different), new Set(otherId)]
    for (const { key: user } of this.#plan.users) {
      const record = this.#record(user, hsmId)
      const present = !missing.has(user)
      const isPartly = partly.has(user)
      if (isFirstLook) Object.assign(record.missedFirst, { is: !present, inPart: isPartly })
      const isMade = present && !record.present
      const isMadeSomewhere =
        !isPartly && record.somewhereMissingSeq > Math.max(record.lastWriteSeq, record.holds.seq) && present
      const isMadeAnew = !isFirstLook && present && otherIds.has(user) && !record.hasOtherId
      const isDeleted = !isFirstLook && record.present && !present
      const isDeletedInPart = !isFirstLook && isPartly && record.somewhereMissingSeq === 0
      if (isDeleted || isDeletedInPart || isMadeAnew) this.#doubtCopies(user, hsmId)
      if (isMade || isMadeSomewhere || isMadeAnew) this.#meetAgain(record, at, seq)
      // Only a change of the password unlocks, and where nothing of ours did it, it is not the one we know any more.
      const isUnlocked = record.locked && !lockedUsers.has(user) && record.lastChangeSeq < record.lockedSeq
      if (isUnlocked && (record.holds.state === 'old' || record.holds.state === 'new')) {
        record.holds = unknownSince(at, seq)
        record.mayBeOther = record.lastWrite === null
      }
      record.present = present
      record.somewhereMissingSeq = isPartly ? seq : 0
      record.locked = lockedUsers.has(user)
      if (record.locked) record.lockedSeq = seq
      record.inSight = true
      record.failures = counted ? (counts.get(user) ?? 0) : undefined
      record.different = others.get(user) ?? null
      record.registered = registered.includes(user)
      record.hasOtherId = otherIds.has(user)
    }
  }

  /**
   * Somebody deletes the user in this rotation, and perhaps did where a copy was seen to bring the new credential: what it made
   * it did not overwrite, and whether it does has to be seen again before what is old is copied back.
   */
  #doubtCopies(user: UserKey, hsmId: HsmId): void {
    if (this.#copies?.verdict !== 'overwrites') return
    this.#copies = {
      verdict: 'accepted',
      evidence: `${user} was deleted on ${hsmId} meanwhile, so that a copy may have made it`,
    }
  }

  /** A new HSM was built from a backup, and nobody knows how old that is. */
  #join(roster: readonly RosterEntry[], at: string, seq: number, cluster?: PlannedCluster): void {
    for (const { hsmId } of roster) {
      this.#joined.add(hsmId)
      this.#meet(hsmId, true, at, seq)
    }
    const { utility, destinations } = this.#plan
    // An HSM that joined a cluster which is written to as a whole has its part already.
    const known = new Set(unitsOf(this.#plan.roster, utility).map(({ unitId }) => unitId))
    const units = unitsOf(roster, utility).flatMap(({ unitId }) => (known.has(unitId) ? [] : [unitId]))
    const { waves } = this.#plannedParts
    if (units.length > 0)
      this.#plannedParts = { ...this.#plannedParts, waves: [...waves, { name: 'added since', units }] }
    this.#plan = {
      ...this.#plan,
      destinations: cluster === undefined ? destinations : [...destinations, cluster],
      roster: [...this.#plan.roster, ...roster],
    }
    this.#shareOut()
  }

  /** What joins a cluster that is owed something, once PENDING is gone, may have been built from an HSM that is. */
  #oweJoined(roster: readonly RosterEntry[]): void {
    if (this.#discard !== 'read-back') return
    for (const { hsmId, clusterId } of roster) {
      const owed = [...this.#owedBack].find(([one]) => this.#clusterOf(one) === clusterId)
      if (owed !== undefined) this.#owedBack.set(hsmId, owed[1])
    }
  }

  #leave(gone: Debt): void {
    this.#gone.push(gone)
    this.#debts.delete(gone.hsmId)
    this.#owedBack.delete(gone.hsmId)
    const clusterId = this.#clusterOf(gone.hsmId)
    for (const { key: user } of this.#plan.users) {
      const isWritten = this.#records.get(keyOf({ user, hsmId: gone.hsmId }))?.lastWrite != null
      if (isWritten) this.#writtenAndGone.add(`${clusterId} ${user}`)
    }
    this.#plan = { ...this.#plan, roster: this.#plan.roster.filter(({ hsmId }) => hsmId !== gone.hsmId) }
    for (const { key: user } of this.#plan.users) this.#records.delete(keyOf({ user, hsmId: gone.hsmId }))
    this.#shareOut()
  }

  /** Gives the parts to units that have an HSM left to play them. */
  #shareOut(): void {
    const units = unitsOf(this.takingPart, this.#plan.utility)
    const parts = partsAmong(this.#plannedParts, units, ({ servers }) =>
      servers.every(({ hsmId }) => this.#plan.users.every(({ key }) => this.cell(key, hsmId).state === 'new')),
    )
    this.#plan = { ...this.#plan, parts }
  }

  /** What holds the new credential holds one that nobody keeps any more, and is given another. */
  #beginAnew(at: string, seq: number): void {
    this.#replacesLost = true
    this.#stored = false
    this.#storedCurrent = false
    this.#currentVersion = null
    for (const record of this.#records.values()) {
      if (record.holds.state === 'new') record.holds = unknownSince(at, seq)
      if (record.lastWrite?.credential === 'new') record.lastWriteDone = false
      record.refused = record.refused.filter((name) => name !== 'new')
      record.refusedNewAlone = false
    }
  }

  #noteStore({ act, phase, withCurrent = false, current }: Extract<JournalEvent, { type: 'store' }>): void {
    this.#changing = true
    if (act === 'promote') this.#promote = phase
    if (act === 'discard') this.#discard = phase
    if (act !== 'put-pending' || phase !== 'read-back') return
    this.#stored = true
    if (!withCurrent) return
    this.#storedCurrent = true
    this.#currentVersion = current ?? null
  }

  /** The records of an intent's cells; an HSM that is gone has none. */
  #recordsOf({ user, hsmIds }: Intent): ReadonlyMap<CellKey, CellRecord> {
    return new Map(
      hsmIds.flatMap((hsmId) => {
        const key = keyOf({ user, hsmId })
        const record = this.#records.get(key)
        return record === undefined ? [] : [[key, record] as const]
      }),
    )
  }

  #intend(seq: number, asked: Unanswered): void {
    const { intent, at } = asked
    const records = this.#recordsOf(intent)
    const before = new Map([...records].map(([key, record]) => [key, remembered(record)]))
    const others = intent.act === 'login' ? [] : this.#newlyOverwritten(intent)
    this.#open.set(seq, { ...asked, before, others })
    if (intent.act === 'login') {
      // Nobody is asked but a user that was listed just before.
      for (const record of records.values()) if (!record.present) this.#meetAgain(record, at, seq)
      return
    }
    for (const cell of others) this.#overwritten.set(keyOf(cell), cell)
    this.#changing = true
    const wasAsBefore = intent.act === 'copy' && this.#isAsBeforeAt(intent)
    for (const record of records.values()) {
      record.lastWriteSeq = seq
      if (intent.act === 'copy' && intent.credential === 'current')
        record.oldFrom = { unitId: intent.from, wasAsBefore }
      record.mayBeOther = false
      record.refusedTyped = false
      // A rehearsal gives what its origin held: nothing new, however it ends; but it may make a missing user.
      if (isRehearsal(intent)) {
        const state = record.present && record.holds.state === 'old' && this.#isFromOld(intent) ? 'old' : 'unknown'
        record.holds = { ...unknownSince(at, seq), state }
        record.present = true
        continue
      }
      if (intent.act === 'change') Object.assign(record, { everChanged: true, lastChangeSeq: seq })
      if (intent.credential === 'new') record.oldFrom = null
      record.lastWrite = intent
      record.lastWriteDone = false
      record.mayNotBeAsked = false
      record.refused = []
      record.refusedNewAlone = false
      record.present = true
      record.holds = unknownSince(at, seq)
    }
  }

  /** Somebody made the user meanwhile, and nobody knows with which password. */
  #meetAgain(record: CellRecord, at: string, seq: number): void {
    record.present = true
    record.holds = unknownSince(at, seq)
    record.mayBeOther = record.lastWrite === null && !record.missedFirst.is && !record.missedFirst.inPart
    record.lastWriteDone = false
  }

  #newlyOverwritten({ user, hsmIds }: Intent): readonly CellRef[] {
    const cells = hsmIds.map((hsmId) => ({ user, hsmId }))
    return cells.filter(
      (cell) => this.#records.has(keyOf(cell)) && this.isOther(user, cell.hsmId) && !this.#overwritten.has(keyOf(cell)),
    )
  }

  /** Whether every HSM that a copy may come from counts as what it was before. */
  #isAsBeforeAt({ user, from }: Intent & { readonly act: 'copy' }): boolean {
    return serversOf(this.#plan.roster, from).every(({ hsmId }) => this.isAsBefore(user, hsmId))
  }

  /** Whether every HSM that a copy may come from holds the old credential: one that joined may hold anything. */
  #isFromOld({ user, from }: Intent & { readonly act: 'copy' }): boolean {
    return serversOf(this.#plan.roster, from).every(({ hsmId }) => this.#record(user, hsmId).holds.state === 'old')
  }

  #settle(seq: number, at: string, to: number, answer: Answer): void {
    const asked = this.#open.get(to)
    if (asked === undefined) throw new Error(`line ${seq} answers line ${to}, which asked nothing`)
    // An unclear answer proves nothing: the cell stays as the intent left it.
    if (answer.kind === 'unclear') return
    this.#open.delete(to)
    const { intent, before, others } = asked
    if (intent.act === 'login') this.#settleLogin(intent, at, seq, answer)
    else if (answer.kind === 'done') this.#settleWrite(intent, at, seq)
    else {
      this.#restore(before)
      for (const cell of others) this.#overwritten.delete(keyOf(cell))
    }
  }

  /** The write was refused: every cell is what it was. */
  #restore(before: ReadonlyMap<CellKey, Before>): void {
    for (const [key, known] of before) {
      const record = this.#records.get(key)
      if (record !== undefined) Object.assign(record, known)
    }
  }

  #settleLogin(intent: Intent, at: string, seq: number, answer: Exclude<Answer, { kind: 'unclear' }>): void {
    const { user, credential, hsmIds } = intent
    const refused = answer.kind === 'refused'
    if (refused && intent.act === 'login' && intent.typed === true) {
      this.#doubtTyped(intent, answer.reason, at, seq)
      return
    }
    const wrong = refused && answer.reason === 'login-refused'
    if (refused) this.#countRefused(intent, answer.reason)
    if (!refused && credential === 'current') this.#provedCurrent.add(user)
    for (const record of this.#recordsOf(intent).values()) {
      if (wrong) this.#doubt(record, credential, hsmIds.length === 1, at, seq)
      else if (!refused) this.#believe(record, credential, hsmIds.length > 1 ? 'cluster' : 'hsm', at, seq)
    }
  }

  /** Each HSM of a unit may have counted it. */
  #countRefused(login: Intent, reason: RefusalReason): void {
    const { user } = login
    this.#failedLoginsOf.set(user, (this.#failedLoginsOf.get(user) ?? 0) + 1)
    if (reason !== 'login-refused') return
    for (const record of this.#recordsOf(login).values()) if (record.failures !== undefined) record.failures += 1
  }

  /** Whether the cell or the typing is wrong nobody knows; only what was proved there is in doubt. */
  #doubtTyped(login: Intent, reason: RefusalReason, at: string, seq: number): void {
    this.#countRefused(login, reason)
    for (const record of this.#recordsOf(login).values()) {
      if (record.holds.proof !== `login-${login.credential}`) continue
      record.holds = unknownSince(at, seq)
      record.mayBeOther = true
      record.refusedTyped = login.credential === 'new'
    }
  }

  #doubtAll(login: Intent, at: string, seq: number): void {
    const alone = login.hsmIds.length === 1
    for (const record of this.#recordsOf(login).values()) this.#doubt(record, login.credential, alone, at, seq)
  }

  /** Refused both, or refused what it was proved to hold: somebody else has written it. */
  #doubt(record: CellRecord, credential: CredentialName, alone: boolean, at: string, seq: number): void {
    const { holds, refused, refusedTyped } = record
    const wasProved = holds.proof === (credential === 'new' ? 'login-new' : 'login-current')
    record.refused = refused.includes(credential) ? refused : [...refused, credential]
    record.refusedTyped = false
    if (credential === 'new' && alone) record.refusedNewAlone = true
    const isOther = holds.state === 'other' || record.refused.length === 2 || wasProved || refusedTyped
    record.holds = { ...unknownSince(at, seq), state: isOther ? 'other' : 'unknown' }
  }

  /**
   * A login on a whole cluster may succeed although one of its HSMs refuses it. It is believed of each of them where a
   * write to all of them went before, or nothing did; after the journal was lost nobody knows of any.
   */
  #believe(record: CellRecord, credential: CredentialName, evidence: Evidence, at: string, seq: number): void {
    record.refused = []
    record.mayNotBeAsked = false
    record.mayBeOther = false
    record.refusedTyped = false
    record.refusedNewAlone = false
    if (credential === 'current' && record.lastWrite === null && record.oldFrom === null)
      record.heldCurrentAtFirst = true
    const isKnown = !this.facts.recovered || record.lastWrite !== null || evidence === 'hsm'
    const [state, proof] = credential === 'new' ? (['new', 'login-new'] as const) : (['old', 'login-current'] as const)
    record.holds = { state: isKnown ? state : 'unknown', proof, evidence, at, seq }
  }

  #settleWrite(intent: Intent, at: string, seq: number): void {
    const goesBackByCopies = this.#rollback === 'sync'
    for (const record of this.#recordsOf(intent).values()) {
      // Another conversation may have listed the HSM before the copy made the user there.
      record.present = true
      if (!isRehearsal(intent)) record.lastWriteDone = true
      if (intent.act !== 'copy') continue
      const copied = { proof: 'copy', evidence: null, at, seq } as const
      if (intent.credential === 'current') {
        // The old one cannot always be asked for; a rollback by copies begins only where one was seen to overwrite.
        const isOld = goesBackByCopies || (isRehearsal(intent) && this.#isFromOld(intent))
        record.holds = { ...copied, state: isOld ? 'old' : 'unknown' }
      } else {
        // The new credential counts only once it logged in; where nobody knows it, the copy is the best there is.
        record.holds = { ...copied, state: this.facts.newCredential === 'unknown' ? 'new' : 'unknown' }
      }
    }
  }
}

const remembered = (record: CellRecord): Before =>
  Object.fromEntries(TAKEN_BACK.map((field) => [field, record[field]])) as unknown as Before

const isRehearsal = (intent: Intent): intent is Intent & { readonly act: 'copy' } =>
  intent.act === 'copy' && intent.rehearsal

/**
 * Follows a whole journal. Linear in the number of lines.
 * @throws {Error} when the first entry is not `started`
 */
export const ledgerOf = (entries: readonly JournalEntry[]): RotationLedger => {
  const [first, ...rest] = entries
  if (first === undefined) throw new Error('a journal begins with the facts of its rotation')
  const ledger = new RotationLedger(first)
  for (const entry of rest) ledger.apply(entry)
  return ledger
}
