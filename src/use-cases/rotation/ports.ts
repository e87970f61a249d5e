import type { Clock } from '../../domain/clock.js'
import type { Discovery } from '../../domain/clone-family.js'
import type { ClusterLocks, HeldLock } from '../../domain/cluster-lock.js'
import type { CredentialStore } from '../../domain/credential-store.js'
import type { Hooks } from '../../domain/hooks.js'
import type { HsmConsole } from '../../domain/hsm-console.js'
import type { HsmUserRef, UserKey } from '../../domain/hsm-user.js'
import type { ClusterId, HsmId, RotationId } from '../../domain/ids.js'
import type { LeftoverProcesses } from '../../domain/leftover-processes.js'
import type { Operator } from '../../domain/operator.js'
import type { RefusedLogins } from '../../domain/refused-logins.js'
import type { Journal, JournalShelf } from '../../domain/rotation/journal.js'
import type { CredentialName, RotationFacts } from '../../domain/rotation/journal-entry.js'
import type { RotationLedger } from '../../domain/rotation/ledger.js'
import type { LoginBudget } from '../../domain/rotation/login-budget.js'
import type { Propagation, RotationPlan } from '../../domain/rotation/plan.js'
import type { Progress } from '../../domain/rotation/progress.js'
import type { Stage } from '../../domain/rotation/stage.js'
import type { Secret } from '../../domain/secret.js'
import type { OfficerLogins } from './sessions/officer-logins.js'
import type { DiscoverUnseen } from './survey/unseen-regions.js'

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

/** What one invocation does its work on HSMs with. */
export interface HsmWork extends HsmPorts {
  /** One for the whole invocation, like the budget. */
  readonly officerLogins: OfficerLogins
  readonly budget: LoginBudget
  readonly lock: HeldLock
  /** Whether this invocation takes a rotation back. */
  readonly goesBack?: boolean
}

/** What every way to open a run needs from outside. */
export interface OpenPorts extends HsmPorts {
  readonly locks: ClusterLocks
  readonly shelf: JournalShelf
  readonly store: CredentialStore
  readonly clock: Clock
  readonly hooks: Hooks
  readonly progress: Progress
  readonly discover: () => Promise<Discovery>
  /** Asks AWS in Regions that were not seen before. */
  readonly discoverUnseen?: DiscoverUnseen
  readonly who: RotationFacts['operator']
  readonly version: string
}

/** What a start needs from outside. */
export interface StartPorts extends OpenPorts {
  readonly operator: Operator
  readonly newRotationId: () => RotationId
  /**
   * Shown before the question.
   * @param byCurrent whether a current credential was proved, which is a way back
   * @param behind HSMs that cannot be reached and stay behind
   */
  readonly showPlan: (plan: RotationPlan, byCurrent: boolean, behind: readonly HsmId[]) => Promise<void>
}

/** What taking a rotation up again needs from outside. */
export interface ReopenPorts extends OpenPorts {
  readonly leftovers: LeftoverProcesses
}

/** How the operator wants this run to be. */
export interface RunOptions {
  readonly propagate: 'auto' | Propagation
  readonly acceptNoWayBack: boolean
  /** Users are created where they are missing, as one that stayed behind may show only now. */
  readonly createMissing?: boolean
  /** Cells that somebody else has written are written too; left alone where it is not said. */
  readonly overwriteOther?: boolean
  /** Clusters that may show other serial numbers than before. */
  readonly acceptNewSerials?: readonly ClusterId[]
  readonly pauseBefore: Stage | null
  /** How long to wait for a user that is logged in, in milliseconds. */
  readonly drainMs: number
  /** How many HSMs of a wave may fail before the waves after it are left alone. */
  readonly maxErrors: number
  /** HSMs that may stay behind if they cannot be reached, and why. */
  readonly mayStayBehind: { readonly hsmIds: readonly HsmId[]; readonly reason: string }
}

/** Credentials of a run, by user. Empty where they are not known. */
export type Credentials = Readonly<Record<CredentialName, ReadonlyMap<UserKey, Secret>>>

/** Everything the rows of a procedure may use. */
export interface RunParts extends HsmWork {
  readonly options: RunOptions
  readonly store: CredentialStore
  readonly journal: Journal
  readonly ledger: RotationLedger
  readonly clock: Clock
  readonly hooks: Hooks
  /** Asks AWS again, in the Regions of this rotation. */
  readonly discover: () => Promise<Discovery>
  readonly discoverUnseen?: DiscoverUnseen
  readonly credentials: Credentials
  readonly progress: Progress
}
