import type { HsmUser, HsmUserRef } from './hsm-user.js'
import type { HsmId, UnitId } from './ids.js'
import type { RosterEntry } from './roster.js'
import type { Secret } from './secret.js'
import type { SerialObservation } from './serial-numbers.js'
import type { UtilityName } from './utility/utility.js'

/** Why an HSM did not do what it was told. Each stands for known words; a failure in other words is no refusal. */
export type RefusalReason =
  /** The user has an open session somewhere; applications have to be drained first. */
  | 'user-logged-in'
  /** No such user there. */
  | 'no-such-user'
  /** The password was wrong, or the user is locked: the HSM does not tell them apart. */
  | 'login-refused'
  /** A copy found the user already there and would not overwrite it. */
  | 'user-exists'
  /** A copy was refused without a reason: the user is another one there, or they are no clones. */
  | 'copy-refused'
  /** The HSMs of one cluster disagree about the user. */
  | 'inconsistent'
  /** The operation needs approvals of several officers. */
  | 'quorum'

/** What one HSM answered to one command. */
export type Answer =
  | { readonly kind: 'done' }
  /** Nothing has changed on this HSM. `text` is the line the HSM printed, redacted. */
  | { readonly kind: 'refused'; readonly reason: RefusalReason; readonly text: string }
  /** No positive evidence either way; the HSM may or may not have done it. */
  | {
      readonly kind: 'unclear'
      readonly text: string
      /** The utility says that some HSMs did it and others did not, and not which. */
      readonly partly?: true
    }

/** One answer per HSM of the session, in the order of its configuration. */
export type Answers = ReadonlyMap<HsmId, Answer>

/** The process behind a session. A command it was given may outlive the one who gave it. */
export interface UtilityProcess {
  readonly pid: number
  /** UTC, ISO 8601. */
  readonly startedAt: string
}

/** A user as a copy names it: by its ID where the utility wants one, else by type and name. */
export interface CopiedUser extends HsmUserRef {
  readonly userId: number | null
}

/**
 * A conversation with some HSMs. It has proved, before its first login, that they are the ones AWS reported, as well as
 * the utility allows. Commands run one after the other; each covers every HSM of the session unless it names some.
 * @throws {ConsoleFailure} from every method, when the conversation itself breaks
 */
export interface HsmSession {
  readonly process: UtilityProcess
  /**
   * The HSMs that a command of this session reaches. Those it was opened on, and also the others of their cluster that
   * answer where the utility finds them by itself: one that was left out and is back is among them.
   */
  readonly hsmIds: readonly HsmId[]
  /**
   * The serial numbers that the HSMs of each cluster show together, where the utility cannot show which HSM it speaks to:
   * a weak proof that they are the same as before. Empty where each HSM was proved by its ID.
   */
  readonly serials: readonly SerialObservation[]
  /**
   * Needs no login. A view merged from several HSMs stands under each of them.
   * @param expected users that a list should have: where one lacks one of them, no HSM may have been lost meanwhile
   * @throws {ConsoleFailure} `unreachable`, where that is so
   */
  listUsers(expected?: readonly HsmUserRef[]): Promise<ReadonlyMap<HsmId, readonly HsmUser[]>>
  /**
   * One attempt on each of these HSMs; a refusal raises the failure count there.
   * @param on all HSMs of the session, or all of some units of it
   */
  login(user: HsmUserRef, password: Secret, on: readonly HsmId[]): Promise<Answers>
  /** Ends every login of this session. */
  logout(): Promise<void>
  /** Needs an officer login (or the user's own). Refused where the user has a session elsewhere. */
  changePassword(user: HsmUserRef, password: Secret): Promise<Answers>
  /** Copies a user with its password from one unit of the session to another. Needs an officer login on both. */
  copyUser(user: CopiedUser, from: UnitId, to: UnitId): Promise<Answer>
  /**
   * How many officers have to approve a change to users: none where it is 0 or 1, unknown where it is null. Carrying
   * approvals through would begin here: they are bound to one login session.
   */
  quorum(): Promise<ReadonlyMap<HsmId, number | null>>
  /**
   * Ends the conversation and waits for the process to be gone, but for one that was left in the middle of a write it
   * must not be ended in. Never throws.
   */
  close(): Promise<void>
}

/** Opens conversations with HSMs: one of the two utilities, run as a program. */
export interface HsmConsole {
  readonly utility: UtilityName
  /**
   * Whether this utility can copy users at all. Asks no HSM.
   * @throws {OperatorError} `CLI_TOO_OLD`, and those of finding the utility
   */
  checkCopying(): Promise<void>
  /**
   * Connects to exactly these HSMs and proves the roster.
   * @param servers whole units, those of a unit that answer, or one HSM of a cluster to prove a credential there
   * @throws {ConsoleFailure} `unreachable` when one of them does not answer, `silent` where it is not seen which; `wrong-hsm` when they are other HSMs than
   * AWS reported; `limited` when the utility runs without its secure channel
   * @throws {OperatorError} `UTILITY_NOT_FOUND` or `UTILITY_NOT_EXECUTABLE`
   */
  open(servers: readonly RosterEntry[]): Promise<HsmSession>
}

/** How a conversation broke. */
export type ConsoleFailureKind =
  /** No connection at start: no command was sent. */
  | 'unreachable'
  /** The roster is not what AWS reported: no command was sent. */
  | 'wrong-hsm'
  /** The utility runs in limited mode: no command was sent. */
  | 'limited'
  /** Nothing was heard for too long, be it of some HSM that is not told. A command in flight may still take effect. */
  | 'silent'
  /** The utility ended by itself. A command in flight may have taken effect. */
  | 'ended'
  /** The utility said something that is not known. */
  | 'not-understood'

/** The conversation broke; what was in flight is unknown unless `kind` says that nothing was sent. */
export class ConsoleFailure extends Error {
  override readonly name = 'ConsoleFailure'
  readonly kind: ConsoleFailureKind
  /** HSMs this failure speaks of. */
  readonly hsmIds: readonly HsmId[]
  /** The last lines of the conversation, with everything secret taken out. */
  readonly transcript: string
  /** Only some of these HSMs do not answer, and it is not seen which: no command was sent. */
  readonly someOf: boolean

  constructor(kind: ConsoleFailureKind, message: string, hsmIds: readonly HsmId[], transcript = '', someOf = false) {
    super(message)
    this.kind = kind
    this.hsmIds = hsmIds
    this.transcript = transcript
    this.someOf = someOf
  }

  /** Whether these HSMs, or some of them, could not be reached, and nothing else is amiss. */
  get isOutOfReach(): boolean {
    return this.kind === 'unreachable' || this.someOf
  }
}
