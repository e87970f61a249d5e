import type { Answer, UtilityProcess } from '../hsm-console.js'
import type { UserKey } from '../hsm-user.js'
import type { ClusterId, HsmId, UnitId } from '../ids.js'
import type { RosterEntry } from '../roster.js'
import type { Cell, CellState, Evidence, Proof } from './cell.js'
import type { CredentialName, Debt, Intent, JournalEntry, RotationFacts } from './journal-entry.js'
import { type Propagation, type RotationPlan, unitsOf } from './plan.js'
import { STAGES, type Stage, stageAfter } from './stage.js'

/** How the old credential could be given back. */
export interface WayBack {
  /** By syncUser from the restore point, which needs no knowledge of the old password. */
  readonly bySync: boolean
  /** By changePswd with the current credential, proved and kept in the store. */
  readonly byCurrent: boolean
}

/** A rotation as its journal tells it. Derived, never stored. */
export interface Rotation {
  readonly facts: RotationFacts
  /** The plan with the HSMs that were added since. */
  readonly plan: RotationPlan
  readonly startedAt: string
  /** The first stage not completed; null when all are. */
  readonly stage: Stage | null
  readonly cells: readonly Cell[]
  /** Null until it is settled. */
  readonly propagation: Propagation | null
  readonly wayBack: WayBack
  /**
   * Units the old credential can be copied from: on each of their HSMs each user logged in with it, or was there at the
   * start and never meant to be written.
   */
  readonly oldOrigins: readonly UnitId[]
  /** Back from the first rollback on, for good. */
  readonly direction: 'forward' | 'back'
  /** PENDING may have become CURRENT: there is no going back from here. */
  readonly promoting: boolean
  readonly finished: 'completed' | 'completed-with-debt' | 'rolled-back' | null
  /** HSMs that stay behind with the operator's consent. */
  readonly debts: readonly Debt[]
  /** Whether the current credential was proved on every cell before anything was written. */
  readonly currentProved: boolean
  /** Why it stands still, when the last thing that happened was a pause. */
  readonly pause: {
    readonly stage: Stage
    readonly code: string
    readonly message: string
    readonly suggestions: readonly string[]
  } | null
  readonly failedLogins: number
  /** Cells that somebody else had written, and that were written with the operator's consent. */
  readonly overwritten: readonly { readonly user: UserKey; readonly hsmId: HsmId }[]
  /** Intents without an answer: their effect is unknown. */
  readonly unanswered: readonly Unanswered[]
}

/** Something that was about to be done when the one who did it died, or the HSM fell silent. */
export interface Unanswered {
  readonly intent: Intent
  readonly process: UtilityProcess
  /** UTC, ISO 8601. */
  readonly at: string
}

interface KnownCell {
  readonly state: CellState
  readonly proof: Proof
  readonly evidence: Evidence | null
  readonly observedAt: string | null
}

/** What was known of a cell before something was asked of it. */
interface Before {
  readonly key: CellKey
  readonly known: KnownCell | undefined
  readonly doubt: Doubt | undefined
}

/** Refused logins at a cell since something was meant to be written there last. */
interface Doubt {
  readonly refused: ReadonlySet<CredentialName>
  /** Somebody else has written it. */
  readonly other: boolean
}

type CellKey = `${HsmId} ${UserKey}`
const keyOf = (cell: { user: UserKey; hsmId: HsmId }): CellKey => `${cell.hsmId} ${cell.user}`
const keysOf = ({ user, hsmIds }: Intent): readonly CellKey[] => hsmIds.map((hsmId) => keyOf({ user, hsmId }))

/**
 * Follows a journal line by line and knows at each line what the rotation is like. The cost of a line does not depend
 * on how many came before.
 */
export class RotationLedger {
  readonly facts: RotationFacts
  readonly #startedAt: string
  readonly #cells = new Map<CellKey, KnownCell>()
  readonly #open = new Map<number, Unanswered & { readonly before: readonly Before[] }>()
  readonly #absentAtFirst = new Set<CellKey>()
  readonly #written = new Set<CellKey>()
  readonly #changed = new Set<CellKey>()
  readonly #debts = new Map<HsmId, string>()
  #plan: RotationPlan
  #currentProved: boolean
  #stage: Stage | null = 'store-pending'
  #propagation: Propagation | null = null
  #wayBack: WayBack
  #rollback: Propagation | null = null
  #promoting = false
  #finished: Rotation['finished'] = null
  #pause: Rotation['pause'] = null
  #failedLogins = 0
  readonly #failedLoginsOf = new Map<string, number>()
  readonly #overwritten: { user: UserKey; hsmId: HsmId }[] = []
  readonly #doubts = new Map<CellKey, Doubt>()

  /** @throws {Error} when `first` is not the `started` entry of a journal */
  constructor(first: JournalEntry) {
    if (first.event.type !== 'started') throw new Error('a journal begins with the facts of its rotation')
    this.facts = first.event.facts
    this.#startedAt = first.at
    this.#plan = this.facts.plan
    this.#currentProved = this.facts.provedCurrent.length > 0
    for (const { hsmId, reason } of this.facts.debts) this.#debts.set(hsmId, reason)
    this.#wayBack = { bySync: !this.facts.recovered, byCurrent: this.facts.provedCurrent.length > 0 }
    // The store holds the new credential then, and a rehearsal could copy it where it is not yet.
    if (this.facts.recovered) this.#stage = 'change'
    const proved = new Map(this.facts.provedCurrent.map((cell) => [keyOf(cell), cell.evidence]))
    const absent = new Set(this.facts.absent.map(keyOf))
    for (const { hsmId } of this.facts.plan.roster) {
      for (const { key: user } of this.facts.plan.users) {
        const key = keyOf({ user, hsmId })
        if (absent.has(key)) this.#absentAtFirst.add(key)
        const evidence = proved.get(key) ?? null
        const known: Omit<KnownCell, 'observedAt'> = {
          state: absent.has(key) ? 'absent' : 'old',
          proof: evidence === null ? 'untouched' : 'login-current',
          evidence,
        }
        const unknown = { ...UNKNOWN, state: this.#debts.has(hsmId) ? 'unreachable' : 'unknown' } as const
        const isUnknown = !absent.has(key) && (this.facts.recovered || this.#debts.has(hsmId))
        this.#cells.set(key, { ...(isUnknown ? unknown : known), observedAt: first.at })
      }
    }
  }

  /** The next line of the journal. */
  apply({ seq, at, event }: JournalEntry): void {
    if (event.type !== 'paused') this.#pause = null
    switch (event.type) {
      case 'started':
        throw new Error(`line ${seq} starts a second rotation in one journal`)
      case 'stage-completed':
        this.#stage = stageAfter(event.stage)
        break
      case 'intent':
        this.#intend(seq, { intent: event.intent, process: event.process, at })
        break
      case 'answer':
        this.#settle(seq, at, event.to, event.answer)
        break
      case 'locked':
      case 'unlocked':
        this.#cells.set(keyOf(event), {
          state: event.type === 'locked' ? 'locked' : this.isOther(event.user, event.hsmId) ? 'other' : 'unknown',
          proof: 'none',
          evidence: null,
          observedAt: at,
        })
        break
      case 'other-overwritten':
        this.#overwritten.push({ user: event.user, hsmId: event.hsmId })
        break
      case 'unreachable':
        for (const { key: user } of this.#plan.users) {
          const key = keyOf({ user, hsmId: event.hsmId })
          // What was proved stays true while the HSM is out of sight.
          if (this.cell(user, event.hsmId).state === 'new') continue
          this.#cells.set(key, { ...UNKNOWN, state: 'unreachable', observedAt: at })
        }
        break
      case 'propagation':
        this.#propagation = event.method
        break
      case 'way-back':
        this.#wayBack = { bySync: event.bySync, byCurrent: event.byCurrent }
        break
      case 'paused':
        this.#pause = { stage: event.stage, code: event.code, message: event.message, suggestions: event.suggestions }
        break
      case 'finished':
        this.#finished = event.outcome
        break
      case 'store':
        if (event.act === 'promote') this.#promoting = true
        break
      case 'current-proved':
        this.#proveCurrent(event.evidence, at)
        break
      case 'debt':
        this.#debts.set(event.debt.hsmId, event.debt.reason)
        break
      case 'debt-settled':
        this.#debts.delete(event.hsmId)
        break
      case 'targets-added':
        this.#addTargets(event.roster, event.absent, at)
        break
      case 'rollback-started':
        this.#rollback = event.method
        break
      case 'resumed':
      case 'unanswered':
        break
    }
  }

  /** What is known of one cell. */
  cell(user: UserKey, hsmId: HsmId): KnownCell {
    return this.#cells.get(keyOf({ user, hsmId })) ?? { ...UNKNOWN, observedAt: null }
  }

  /**
   * Whether a write to this cell was ever intended in this rotation, whatever came of it; a lost journal may say so.
   * A rehearsal is none: it writes what was there.
   */
  everWritten(user: UserKey, hsmId: HsmId): boolean {
    return this.facts.recovered || this.#written.has(keyOf({ user, hsmId }))
  }

  /**
   * How many logins of a user a cluster refused in this rotation. It stands for the failure count where the utility
   * shows none.
   */
  failedLoginsOf(user: UserKey, clusterId: ClusterId): number {
    return this.#failedLoginsOf.get(`${clusterId} ${user}`) ?? 0
  }

  /**
   * Whether the user may be missing there: it was when the HSM was met first in this rotation, or the HSM was added since
   * and perhaps not met.
   */
  mayBeAbsent(user: UserKey, hsmId: HsmId): boolean {
    const isPlanned = this.facts.plan.roster.some((server) => server.hsmId === hsmId)
    return !isPlanned || this.#absentAtFirst.has(keyOf({ user, hsmId }))
  }

  /** Credentials this cell refused since something was meant to be written there last. */
  refused(user: UserKey, hsmId: HsmId): ReadonlySet<CredentialName> {
    return this.#doubts.get(keyOf({ user, hsmId }))?.refused ?? new Set()
  }

  /** Whether somebody else has written this cell, also where it is locked or out of sight now. */
  isOther(user: UserKey, hsmId: HsmId): boolean {
    return this.#doubts.get(keyOf({ user, hsmId }))?.other ?? false
  }

  /** Whether a change was ever intended there, so that a login no longer tells what a copy did. */
  everChanged(user: UserKey, hsmId: HsmId): boolean {
    return this.#changed.has(keyOf({ user, hsmId }))
  }

  /** HSMs that stay behind with the operator's consent, and why. */
  get debts(): ReadonlyMap<HsmId, string> {
    return this.#debts
  }

  /** The plan with the HSMs that were added since. */
  get plan(): RotationPlan {
    return this.#plan
  }

  get stage(): Stage | null {
    return this.#stage
  }

  get propagation(): Propagation | null {
    return this.#propagation
  }

  get wayBack(): WayBack {
    return this.#wayBack
  }

  /** How the rotation goes back, once it does. */
  get rollback(): Propagation | null {
    return this.#rollback
  }

  /** The rotation as it stands after the last line applied. */
  rotation(): Rotation {
    return {
      facts: this.facts,
      plan: this.#plan,
      startedAt: this.#startedAt,
      stage: this.#stage,
      cells: this.#plan.users.flatMap(({ key: user }) =>
        this.#plan.roster.map(({ hsmId, clusterId, region }) => ({
          user,
          hsmId,
          clusterId,
          region,
          ...this.cell(user, hsmId),
        })),
      ),
      propagation: this.#propagation,
      wayBack: this.#wayBack,
      oldOrigins: this.#oldOrigins(),
      direction: this.#rollback === null ? 'forward' : 'back',
      promoting: this.#promoting,
      finished: this.#finished,
      debts: [...this.#debts].map(([hsmId, reason]) => ({ hsmId, reason })),
      currentProved: this.#currentProved,
      pause: this.#pause,
      failedLogins: this.#failedLogins,
      overwritten: [...this.#overwritten],
      unanswered: [...this.#open.values()],
    }
  }

  #proveCurrent(evidence: Evidence, observedAt: string): void {
    this.#currentProved = true
    this.#wayBack = { ...this.#wayBack, byCurrent: true }
    for (const [key, { state }] of this.#cells) {
      if (state === 'old') this.#cells.set(key, { state, proof: 'login-current', evidence, observedAt })
    }
  }

  /** A new HSM was built from a backup, and nobody knows how old that is. */
  #addTargets(roster: readonly RosterEntry[], absent: readonly { user: UserKey; hsmId: HsmId }[], at: string): void {
    const missing = new Set(absent.map(keyOf))
    for (const { hsmId } of roster) {
      for (const { key: user } of this.#plan.users) {
        const key = keyOf({ user, hsmId })
        if (missing.has(key)) this.#absentAtFirst.add(key)
        this.#cells.set(key, { ...UNKNOWN, state: missing.has(key) ? 'absent' : 'unknown', observedAt: at })
      }
    }
    // The stages before verify have passed them by; verify itself gives them the new credential.
    if (this.#stage === null || STAGES.indexOf(this.#stage) > STAGES.indexOf('verify')) this.#stage = 'verify'
    const { parts, utility } = this.#plan
    // An HSM that joined a cluster which is written to as a whole has its part already.
    const known = new Set(unitsOf(this.#plan.roster, utility).map(({ unitId }) => unitId))
    const units = unitsOf(roster, utility).flatMap(({ unitId }) => (known.has(unitId) ? [] : [unitId]))
    const waves = units.length === 0 ? parts.waves : [...parts.waves, { name: 'added since', units }]
    this.#plan = { ...this.#plan, roster: [...this.#plan.roster, ...roster], parts: { ...parts, waves } }
  }

  #oldOrigins(): UnitId[] {
    const planned = new Set(this.facts.plan.roster.map(({ hsmId }) => hsmId))
    const lacksSomebody = (hsmId: HsmId) =>
      this.#plan.users.some(({ key: user }) => this.#absentAtFirst.has(keyOf({ user, hsmId })))
    const holdsOld = (hsmId: HsmId, wasPlanned: boolean): boolean => {
      const neverWritten = wasPlanned && !lacksSomebody(hsmId)
      return this.#plan.users.every(({ key: user }) => {
        const { state, proof } = this.cell(user, hsmId)
        return (state === 'old' && proof === 'login-current') || (neverWritten && !this.everWritten(user, hsmId))
      })
    }
    return unitsOf(this.#plan.roster, this.#plan.utility).flatMap(({ unitId, servers }) => {
      // One that joined a cluster was built from it: it has what the others have if nothing was ever written there.
      const isUntouched =
        servers.some(({ hsmId }) => planned.has(hsmId)) &&
        servers.every(({ hsmId }) => this.#plan.users.every(({ key: user }) => !this.everWritten(user, hsmId)))
      return servers.every(({ hsmId }) => holdsOld(hsmId, planned.has(hsmId) || isUntouched)) ? [unitId] : []
    })
  }

  #intend(seq: number, asked: Unanswered): void {
    const { intent, at } = asked
    const keys = keysOf(intent)
    const before = keys.map((key) => ({ key, known: this.#cells.get(key), doubt: this.#doubts.get(key) }))
    this.#open.set(seq, { ...asked, before })
    if (intent.act === 'login') return
    if (isRehearsal(intent)) {
      // It writes what was there, so the cell stays what it is however it ends; but it may make a user that was missing.
      for (const { key, known } of before) {
        if (known?.state === 'absent') this.#cells.set(key, { ...UNKNOWN, observedAt: at })
      }
      return
    }
    for (const key of keys) {
      this.#written.add(key)
      this.#doubts.delete(key)
      if (intent.act === 'change') this.#changed.add(key)
      this.#cells.set(key, { ...UNKNOWN, observedAt: at })
    }
  }

  /** Refused both, or refused what it was proved to hold: somebody else has written it. */
  #doubt(key: CellKey, credential: CredentialName): void {
    const before = this.#doubts.get(key)
    const refused = new Set([...(before?.refused ?? []), credential])
    const wasProved = this.#cells.get(key)?.proof === (credential === 'new' ? 'login-new' : 'login-current')
    this.#doubts.set(key, { refused, other: before?.other === true || refused.size === 2 || wasProved })
  }

  #settle(seq: number, observedAt: string, to: number, { kind: answer, ...said }: Answer): void {
    const asked = this.#open.get(to)
    if (asked === undefined) throw new Error(`line ${seq} answers line ${to}, which asked nothing`)
    // An unclear answer proves nothing: the cell stays as the intent left it.
    if (answer === 'unclear') return
    this.#open.delete(to)
    const { intent, before } = asked
    if (intent.act === 'login') {
      if (answer === 'refused') this.#countFailure(intent)
      const wrong = 'reason' in said && said.reason === 'login-refused'
      for (const key of keysOf(intent)) {
        if (wrong) this.#doubt(key, intent.credential)
        else if (answer === 'done') this.#doubts.delete(key)
        const isOther = wrong && this.#doubts.get(key)?.other === true
        this.#cells.set(key, { ...(isOther ? OTHER : this.#loginShows(key, intent, answer)), observedAt })
      }
    } else if (answer === 'refused') {
      for (const { key, known, doubt } of before) {
        if (known !== undefined) this.#cells.set(key, known)
        if (doubt !== undefined) this.#doubts.set(key, doubt)
      }
    } else if (intent.act === 'sync') {
      // The new credential counts only once it logged in. The old one cannot always be asked for; a rollback begins only
      // where a copy was seen to overwrite.
      const isOld = intent.credential === 'current' && (intent.rehearsal || this.#rollback !== null)
      const state = isOld ? 'old' : 'unknown'
      for (const key of keysOf(intent)) this.#cells.set(key, { state, proof: 'copy', evidence: null, observedAt })
    }
  }

  /**
   * A login on a whole cluster may succeed although one of its HSMs refuses it. It is believed of each of them where a
   * write to all of them went before, or nothing did; after the journal was lost nobody knows of any.
   */
  #loginShows(key: CellKey, intent: Intent, answer: 'done' | 'refused'): Omit<KnownCell, 'observedAt'> {
    const shown = loginShows(intent, answer)
    const isKnown = !this.facts.recovered || this.#written.has(key) || shown.evidence !== 'cluster'
    return isKnown ? shown : { ...shown, state: 'unknown' }
  }

  #countFailure({ user, hsmIds }: Intent): void {
    this.#failedLogins += 1
    const [hsmId] = hsmIds
    const clusterId = this.#plan.roster.find((server) => server.hsmId === hsmId)?.clusterId
    const key = `${clusterId} ${user}`
    this.#failedLoginsOf.set(key, (this.#failedLoginsOf.get(key) ?? 0) + 1)
  }
}

const OTHER = { state: 'other', proof: 'none', evidence: null } as const

const isRehearsal = (intent: Intent): boolean => intent.act === 'sync' && intent.rehearsal

const UNKNOWN = { state: 'unknown', proof: 'none', evidence: null } as const

const loginShows = ({ credential, hsmIds }: Intent, answer: 'done' | 'refused'): Omit<KnownCell, 'observedAt'> => {
  if (answer === 'refused') return UNKNOWN
  const evidence = hsmIds.length > 1 ? 'cluster' : 'hsm'
  return credential === 'new'
    ? { state: 'new', proof: 'login-new', evidence }
    : { state: 'old', proof: 'login-current', evidence }
}

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
