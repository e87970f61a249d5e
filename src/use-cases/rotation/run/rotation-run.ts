import type { OperatorError } from '../../../domain/errors.js'
import { type Answer, ConsoleFailure, type HsmSession } from '../../../domain/hsm-console.js'
import type { UserKey } from '../../../domain/hsm-user.js'
import type { UnitId } from '../../../domain/ids.js'
import type { Roster, RosterEntry } from '../../../domain/roster.js'
import type { CredentialName, Intent, JournalEntry, JournalEvent } from '../../../domain/rotation/journal-entry.js'
import type { RotationLedger } from '../../../domain/rotation/ledger.js'
import {
  nameUnit,
  type PlannedUser,
  type Propagation,
  type RotationPlan,
  serversOf,
  unitsOf,
} from '../../../domain/rotation/plan.js'
import { rotationOf } from '../../../domain/rotation/rotation.js'
import type { Secret } from '../../../domain/secret.js'
import type { UtilityWords } from '../../../domain/utility/capabilities.js'
import { Origins } from '../cells/origins.js'
import type { RunParts } from '../ports.js'
import { type Listing, usersOf } from '../sessions/in-session.js'
import { provenConsole } from '../sessions/proven-console.js'
import { limitSessions } from '../sessions/session-limit.js'
import { observed, risenCounts } from '../survey/observe-listing.js'
import { Pause } from './pause.js'

/** One invocation working on a rotation. */
export class RotationRun {
  readonly parts: RunParts
  /** Where the new credential is copied from. */
  readonly origins = new Origins(this)
  /** Whether the row in hand is finished before the operator's Ctrl-C is heard. */
  finishesRow = false
  /** Why what a repair gives is given to nothing more, not even to debts: no login could show that it is right. */
  givesNothing: (() => OperatorError) | null = null
  #takesAllInSight = false
  #doubtsCurrent = false
  #beforeChange: Promise<void> | null = null

  constructor(parts: RunParts) {
    const console = provenConsole(parts.console, {
      known: () => parts.ledger.serials,
      learn: async (seen) => {
        await this.record({ type: 'serials', seen })
      },
    })
    this.parts = { ...parts, console: limitSessions(console, parts.concurrency) }
  }

  get ledger(): RotationLedger {
    return this.parts.ledger
  }

  /** Whether the rotation goes back, or is about to. */
  get goesBack(): boolean {
    return this.parts.goesBack === true || this.ledger.rollback !== null
  }

  /** The plan with the HSMs that were added since. */
  get plan(): RotationPlan {
    return this.ledger.plan
  }

  get users(): readonly PlannedUser[] {
    return this.plan.users
  }

  /** How the new credential travels: by changes unless a copy was seen to overwrite. */
  get propagation(): Propagation {
    return this.ledger.propagation ?? 'change'
  }

  /** How the utility of this rotation calls what it does. */
  get words(): UtilityWords {
    return this.ledger.capabilities.words
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

  /** Every HSM that takes part: the roster without those that may stay behind, unless this run takes all it sees. */
  get roster(): Roster {
    if (!this.#takesAllInSight) return this.ledger.takingPart
    return this.plan.roster.filter(({ hsmId }) => this.ledger.isInSight(hsmId))
  }

  /** From here on every HSM takes part that is in sight, also one that was allowed to stay behind, and no other. */
  takeAllInSight(): void {
    this.#takesAllInSight = true
  }

  /**
   * Takes notice of a listing of these HSMs.
   * @returns what a client that uses another password did, in words; null where no count rose without us
   */
  async observe(listing: Listing, servers: readonly RosterEntry[]): Promise<Pause | null> {
    const { lockoutLimit } = this.parts
    const hsms = servers.map(({ hsmId }) =>
      observed(
        this.users,
        hsmId,
        usersOf(listing, hsmId),
        lockoutLimit,
        ({ key }) =>
          this.parts.options.overwriteOther ||
          this.ledger.isJoined(hsmId) ||
          this.ledger.missedFirst(key, hsmId) ||
          this.ledger.isIdGivenUp(key),
      ),
    )
    const risen = hsms.flatMap((hsm) =>
      risenCounts(this.ledger, hsm).map(
        ({ user, known, count }) => `${user} on ${hsm.hsmId} from ${known} to ${count}`,
      ),
    )
    await this.record({ type: 'listed', hsms })
    if (risen.length === 0) return null
    return new Pause(
      'CLIENT_USES_OTHER_PASSWORD',
      `a client is still using another password: failed logins rose without us, of ${risen.join(', ')}`,
      ['find the client and stop it, or give it the password that its HSM holds; then resume'],
    )
  }

  /**
   * As `observe`, where clients that use another password pause the run.
   * @throws {Pause} `CLIENT_USES_OTHER_PASSWORD`
   */
  async look(listing: Listing, servers: readonly RosterEntry[]): Promise<void> {
    const risen = await this.observe(listing, servers)
    if (risen !== null) throw risen
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
    return answer
  }

  /** @throws {Pause} `INTERRUPTED` */
  stopIfAsked(): void {
    if (this.parts.stop.requested && !this.finishesRow) throw new Pause('INTERRUPTED', 'interrupted by the operator')
  }

  /** Whether each HSM of a unit was seen in this invocation to hold the new credential of these users. */
  isProvedNow(unitId: UnitId, users: readonly PlannedUser[]): boolean {
    return this.servers(unitId).every(({ hsmId }) =>
      users.every(({ key }) => this.ledger.cell(key, hsmId).state === 'new' && this.ledger.isFresh(key, hsmId)),
    )
  }

  /** Whether a user has another ID there than planned, by which a copy would be of another user. */
  hasOtherId(unitId: UnitId, user: UserKey): boolean {
    return (
      this.ledger.capabilities.copy.namesUserBy === 'id' &&
      this.servers(unitId).some(({ hsmId }) => this.ledger.hasOtherId(user, hsmId))
    )
  }

  /** Users of the rotation that some HSM of this unit is not proved to hold with the new credential, and that are its to give. */
  notNew(unitId: UnitId): readonly PlannedUser[] {
    const servers = this.servers(unitId)
    return this.users.filter(
      (user) =>
        this.isOurs(user, unitId) && servers.some(({ hsmId }) => this.ledger.cell(user.key, hsmId).state !== 'new'),
    )
  }

  /** Whether no newer run has given the user something newer there. */
  isOurs({ key }: PlannedUser, unitId: UnitId): boolean {
    return this.servers(unitId).every(({ hsmId }) => this.ledger.supersededBy(key, hsmId) === null)
  }

  /** Users that are stated new on this unit by a login of an earlier invocation. */
  staleNew(unitId: UnitId): readonly PlannedUser[] {
    return this.users.filter(
      (user) =>
        this.isOurs(user, unitId) &&
        this.servers(unitId).some(
          ({ hsmId }) =>
            this.ledger.cell(user.key, hsmId).proof === 'login-new' && !this.ledger.isFresh(user.key, hsmId),
        ),
    )
  }

  /** From here on the current credential counts as not known: it was given, and no HSM was left to prove it on. */
  doubtCurrent(): void {
    this.#doubtsCurrent = true
  }

  /** Whether the password itself is known. */
  knows(user: UserKey, credential: CredentialName): boolean {
    if (credential === 'current' && this.#doubtsCurrent) return false
    return this.parts.credentials[credential].has(user)
  }

  /** The password itself. */
  password(user: UserKey, credential: CredentialName): Secret {
    const secret = this.parts.credentials[credential].get(user)
    if (secret === undefined) throw new Error(`the ${credential} credential of ${user} is not known`)
    return secret
  }

  rotation(): ReturnType<typeof rotationOf> {
    return rotationOf(this.ledger)
  }

  notice(text: string): void {
    this.parts.progress({ kind: 'notice', text })
  }
}
