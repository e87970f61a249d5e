import type { Clock } from '../../domain/clock.js'
import type { Discovery } from '../../domain/clone-family.js'
import type { HeldLock } from '../../domain/cluster-lock.js'
import type { CredentialStore } from '../../domain/credential-store.js'
import type { Hooks } from '../../domain/hooks.js'
import { type Answer, ConsoleFailure, type HsmConsole, type HsmSession } from '../../domain/hsm-console.js'
import type { HsmUser, HsmUserRef, UserKey } from '../../domain/hsm-user.js'
import type { ClusterId, HsmId, UnitId } from '../../domain/ids.js'
import type { RefusedLogins } from '../../domain/refused-logins.js'
import type { Roster } from '../../domain/roster.js'
import type { Journal } from '../../domain/rotation/journal.js'
import type { CredentialName, Intent, JournalEntry, JournalEvent } from '../../domain/rotation/journal-entry.js'
import {
  nameUnit,
  type PlannedUser,
  type Propagation,
  type RotationPlan,
  serversOf,
  unitsOf,
} from '../../domain/rotation/plan.js'
import type { Progress } from '../../domain/rotation/progress.js'
import type { RotationLedger } from '../../domain/rotation/rotation.js'
import type { Stage } from '../../domain/rotation/stage.js'
import type { Secret } from '../../domain/secret.js'
import { UTILITY_WORDS, type UtilityWords } from '../../domain/utility.js'
import { countChanges } from './failure-counts.js'
import { lockChanges } from './locked-cells.js'
import type { OfficerLogins } from './officer-logins.js'
import { Origins } from './origins.js'
import { Pause } from './pause.js'
import { limitSessions } from './session-limit.js'

/** An officer and its password. One object for each, however many clusters it works on. */
export interface OfficerLogin {
  readonly user: HsmUserRef
  readonly password: Secret
}

/** Who does the work on a cluster of the rotation. */
export type OfficerOf = (clusterId: ClusterId) => OfficerLogin

/** What work on HSMs needs from outside, before and during a rotation. */
export interface HsmPorts {
  readonly console: HsmConsole
  readonly officerOf: OfficerOf
  readonly refusedLogins: RefusedLogins
  readonly lockoutLimit: number
  /** How many sessions may be open at once. */
  readonly concurrency: number
  /** Set once the operator wants the run to end after the HSM in hand. */
  readonly stop: { readonly requested: boolean }
}

/** What work on HSMs needs. */
export interface HsmWork extends HsmPorts {
  /** One for the whole invocation. */
  readonly officerLogins: OfficerLogins
}

/** How the operator wants this run to be. */
export interface RunOptions {
  readonly propagate: 'auto' | Propagation
  readonly acceptNoWayBack: boolean
  /** Cells that somebody else has written are written too; left alone where it is not said. */
  readonly overwriteOther?: boolean
  readonly pauseBefore: Stage | null
  /** How long to wait for a user that is logged in, in milliseconds. */
  readonly drainMs: number
  /** How many HSMs of a wave may fail before the waves after it are left alone. */
  readonly maxErrors: number
  /** HSMs that may stay behind if they cannot be reached, and why. */
  readonly mayStayBehind: { readonly hsmIds: readonly HsmId[]; readonly reason: string }
}

/** Everything a stage may use. */
export interface RunParts extends HsmWork {
  readonly options: RunOptions
  readonly store: CredentialStore
  readonly journal: Journal
  readonly ledger: RotationLedger
  readonly lock: HeldLock
  readonly clock: Clock
  readonly hooks: Hooks
  /** Asks AWS again, in the Regions of this rotation. */
  readonly discover: () => Promise<Discovery>
  readonly credentials: Readonly<Record<CredentialName, ReadonlyMap<UserKey, Secret>>>
  readonly progress: Progress
}

/** One invocation working on a rotation. */
export class RotationRun {
  readonly parts: RunParts
  /** Where the new credential is copied from. */
  readonly origins = new Origins(this)
  /** Cells whose login succeeded in this invocation: they may be the origin of a copy. */
  readonly #provedNow = new Map<string, CredentialName>()
  /** Cells that refused a login in this invocation and were not given a password since. */
  readonly #refusedNow = new Set<string>()
  #settlesDebts = false
  #beforeChange: Promise<void> | null = null

  constructor(parts: RunParts) {
    this.parts = { ...parts, console: limitSessions(parts.console, parts.concurrency) }
  }

  /** The plan with the HSMs that were added since. */
  get plan(): RotationPlan {
    return this.ledger.plan
  }

  /** How the utility of this rotation calls what it does. */
  get words(): UtilityWords {
    return UTILITY_WORDS[this.plan.utility]
  }

  /** A unit as messages name it. */
  name(unitId: UnitId): string {
    return nameUnit(this.plan.roster, unitId)
  }

  /** The HSMs of a unit, without those that may stay behind. */
  servers(unitId: UnitId): Roster {
    return serversOf(this.roster, unitId)
  }

  /** These units but for those that may stay behind as a whole. */
  without(units: readonly UnitId[]): readonly UnitId[] {
    return units.filter((unitId) => this.servers(unitId).length > 0)
  }

  /** Every unit that takes part. */
  get units(): readonly UnitId[] {
    return unitsOf(this.roster, this.plan.utility).map(({ unitId }) => unitId)
  }

  /** Every HSM that takes part: the roster without those that may stay behind, unless this run settles them. */
  get roster(): Roster {
    if (this.#settlesDebts) return this.plan.roster
    return this.plan.roster.filter(({ hsmId }) => !this.ledger.debts.has(hsmId))
  }

  /** From here on HSMs that were allowed to stay behind take part again. */
  settleDebts(): void {
    this.#settlesDebts = true
  }

  get ledger(): RotationLedger {
    return this.parts.ledger
  }

  get users(): readonly PlannedUser[] {
    return this.plan.users
  }

  /**
   * Takes notice of a listing: of users that are locked, or not any more, and of failed logins that are not ours.
   * @throws {Pause} `CLIENT_USES_OTHER_PASSWORD`
   */
  async look(hsmId: HsmId, listed: readonly HsmUser[]): Promise<void> {
    await this.noteLocks(hsmId, listed)
    await this.noteCounts(this.users, hsmId, listed)
  }

  /** Writes down which users a listing shows locked, and which not any more. */
  async noteLocks(hsmId: HsmId, listed: readonly HsmUser[]): Promise<void> {
    for (const event of lockChanges(this.ledger, this.users, hsmId, listed, this.parts.lockoutLimit)) {
      await this.record(event)
    }
  }

  /**
   * Writes down failed logins that a listing shows otherwise than the journal knows.
   * @throws {Pause} `CLIENT_USES_OTHER_PASSWORD`
   */
  async noteCounts(users: readonly PlannedUser[], hsmId: HsmId, listed: readonly HsmUser[]): Promise<void> {
    const changes = countChanges(this.ledger, users, hsmId, listed, this.parts.lockoutLimit)
    for (const { user, count } of changes) await this.record({ type: 'failure-count', user, hsmId, count })
    const risen = changes.flatMap(({ user, known, count, risen }) =>
      risen ? [`${user} from ${known} to ${count}`] : [],
    )
    if (risen.length === 0) return
    throw new Pause(
      'CLIENT_USES_OTHER_PASSWORD',
      `a client is still using another password on ${hsmId}: the failed logins of ${risen.join(', ')} rose without us`,
      ['find the client and give it the new password, or stop it, then resume'],
    )
  }

  /**
   * Runs the operator's command before the first change, once in an invocation.
   * @throws {OperatorError} the command failed
   */
  beforeChange(): Promise<void> {
    const { rotationId } = this.ledger.facts
    this.#beforeChange ??= this.parts.hooks.run('before-change', { rotationId, plan: this.plan })
    return this.#beforeChange
  }

  /** Writes one line of the journal and follows it. */
  async record(event: JournalEvent): Promise<JournalEntry> {
    const entry = await this.parts.journal.append(event)
    this.ledger.apply(entry)
    return entry
  }

  /**
   * One command to one cell: the intent is on the disk before the HSM hears of it, and the answer after it.
   * @throws {Pause} `INTERRUPTED` before the intent, when the operator wants to stop
   * @throws {ConsoleFailure} when the answer never came; the intent stays unanswered
   */
  async ask(session: HsmSession, intent: Intent, command: () => Promise<Answer>): Promise<Answer> {
    this.stopIfAsked()
    await this.parts.lock.assertHeld()
    const { seq } = await this.record({ type: 'intent', intent, process: session.process })
    let answer: Answer
    try {
      answer = await command()
    } catch (error) {
      if (error instanceof ConsoleFailure) await this.record({ type: 'unanswered', to: seq, reason: error.message })
      throw error
    }
    await this.record({ type: 'answer', to: seq, answer })
    this.#remember(intent, answer)
    if (intent.act === 'login' && this.words.unit === 'cluster') await this.#noteLogin(intent, answer)
    return answer
  }

  /** @throws {Pause} `INTERRUPTED` */
  stopIfAsked(): void {
    if (this.parts.stop.requested) throw new Pause('INTERRUPTED', 'interrupted by the operator')
  }

  /** Whether this cell was seen in this invocation to hold that credential. */
  provedNow(user: UserKey, hsmId: HsmId, credential: CredentialName): boolean {
    return this.#provedNow.get(`${hsmId} ${user}`) === credential
  }

  /** Whether each HSM of a unit was seen in this invocation to hold the new credential of these users. */
  provedEverywhere(unitId: UnitId, users: readonly PlannedUser[] = this.users): boolean {
    return this.servers(unitId).every(({ hsmId }) => users.every((user) => this.provedNow(user.key, hsmId, 'new')))
  }

  /** Whether this cell refused a login in this invocation and nothing was written to it since. */
  refusedNow(user: UserKey, hsmId: HsmId): boolean {
    return this.#refusedNow.has(`${hsmId} ${user}`)
  }

  /** Users of the rotation that some HSM of this unit is not proved to hold with the new credential. */
  notNew(unitId: UnitId): readonly PlannedUser[] {
    const servers = this.servers(unitId)
    return this.users.filter((user) => servers.some(({ hsmId }) => this.ledger.cell(user.key, hsmId).state !== 'new'))
  }

  /** The password itself. */
  password(user: UserKey, credential: CredentialName): Secret {
    const secret = this.parts.credentials[credential].get(user)
    if (secret === undefined) throw new Error(`the ${credential} credential of ${user} is not known`)
    return secret
  }

  notice(text: string): void {
    this.parts.progress({ kind: 'notice', text })
  }

  /** No count can be read there, so that the next invocation has to know. */
  async #noteLogin({ user: key, hsmIds }: Intent, answer: Answer): Promise<void> {
    const user = this.users.find((candidate) => candidate.key === key)
    if (user === undefined) return
    const servers = this.plan.roster.filter(({ hsmId }) => hsmIds.includes(hsmId))
    const clusterIds = [...new Set(servers.map(({ clusterId }) => clusterId))]
    if (answer.kind === 'done') await this.parts.refusedLogins.clear(user, clusterIds)
    else await this.parts.refusedLogins.note(user, clusterIds)
  }

  #remember(intent: Intent, answer: Answer): void {
    for (const hsmId of intent.hsmIds) {
      const cell = `${hsmId} ${intent.user}`
      if (intent.act !== 'login') {
        this.#provedNow.delete(cell)
        if (answer.kind === 'done' && intent.act === 'change') this.#refusedNow.delete(cell)
      } else if (answer.kind === 'done') {
        this.#provedNow.set(cell, intent.credential)
        this.#refusedNow.delete(cell)
      } else {
        this.#refusedNow.add(cell)
      }
    }
  }
}
