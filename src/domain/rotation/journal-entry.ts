import type { UtilityConfig } from '../config-files.js'
import type { Answer, UtilityProcess } from '../hsm-console.js'
import type { UserKey } from '../hsm-user.js'
import type { ClusterId, HsmId, RotationId, UnitId } from '../ids.js'
import type { RosterEntry } from '../roster.js'
import type { Evidence } from './cell.js'
import type { Propagation, RotationPlan } from './plan.js'
import type { Stage } from './stage.js'

/** The credentials a cell may be given or asked for; the values are in the store alone. */
export type CredentialName = 'new' | 'current'

/**
 * What is about to be done to one user on the HSMs that one command reaches: one of them, or all of a cluster. It
 * stands in the journal before an HSM hears of it; without an `answer` with the same number the effect is unknown.
 */
export type Intent = {
  readonly user: UserKey
  readonly hsmIds: readonly HsmId[]
  readonly credential: CredentialName
} & (
  | { readonly act: 'change' }
  /** A copy; `credential` is the one the origin was proved to hold. `rehearsal`: nothing was new yet. */
  | { readonly act: 'sync'; readonly from: UnitId; readonly rehearsal: boolean }
  /** A login attempt, which a refusal turns into a failed login. */
  | { readonly act: 'login' }
)

/** One line of a journal: an intent, an observation, or a turn of the rotation. Never a belief, never a secret. */
export type JournalEvent =
  | { readonly type: 'started'; readonly facts: RotationFacts }
  | { readonly type: 'stage-completed'; readonly stage: Stage }
  | { readonly type: 'intent'; readonly intent: Intent; readonly process: UtilityProcess }
  | { readonly type: 'answer'; readonly to: number; readonly answer: Answer }
  | { readonly type: 'unanswered'; readonly to: number; readonly reason: string }
  /** A listing showed the user locked there, or not any more. */
  | { readonly type: 'locked' | 'unlocked'; readonly user: UserKey; readonly hsmId: HsmId }
  /** A listing showed another number of failed logins in a row than was known. */
  | { readonly type: 'failure-count'; readonly user: UserKey; readonly hsmId: HsmId; readonly count: number }
  /** A cell that somebody else has written is about to be written all the same, with the operator's consent. */
  | { readonly type: 'other-overwritten'; readonly user: UserKey; readonly hsmId: HsmId }
  | { readonly type: 'unreachable'; readonly hsmId: HsmId; readonly reason: string }
  | { readonly type: 'propagation'; readonly method: Propagation; readonly evidence: string }
  | { readonly type: 'way-back'; readonly bySync: boolean; readonly byCurrent: boolean; readonly evidence: string }
  | {
      readonly type: 'store'
      readonly act: 'put-pending' | 'promote' | 'discard'
      readonly phase: 'intent' | 'read-back'
    }
  | {
      readonly type: 'paused'
      readonly stage: Stage
      readonly code: string
      readonly message: string
      readonly suggestions: readonly string[]
    }
  /** The current credential was proved on every cell after the start, before anything was written. */
  | { readonly type: 'current-proved'; readonly evidence: Evidence }
  /** The operator allows an HSM that cannot be reached to stay behind. */
  | { readonly type: 'debt'; readonly debt: Debt }
  | { readonly type: 'debt-settled'; readonly hsmId: HsmId }
  /** AWS does not list an HSM any more, and the operator goes on without it: it has no cells from here on. */
  | { readonly type: 'hsm-gone'; readonly gone: Debt }
  /** HSMs that were added to the clusters since; they become targets. */
  | {
      readonly type: 'targets-added'
      readonly roster: readonly RosterEntry[]
      readonly absent: readonly { readonly user: UserKey; readonly hsmId: HsmId }[]
    }
  /** Another invocation took the rotation up again. */
  | { readonly type: 'resumed'; readonly operator: RotationFacts['operator'] }
  /** From here on the rotation goes back, whoever resumes it. */
  | { readonly type: 'rollback-started'; readonly method: Propagation }
  | { readonly type: 'finished'; readonly outcome: 'completed' | 'completed-with-debt' | 'rolled-back' }

/** An HSM that stays behind, or is left out, with the operator's consent. */
export interface Debt {
  readonly hsmId: HsmId
  readonly reason: string
}

/** What a rotation is about; the first line of its journal. */
export interface RotationFacts {
  readonly rotationId: RotationId
  readonly plan: RotationPlan
  /** Cells proved by a login with the current credential at preflight. */
  readonly provedCurrent: readonly { readonly user: UserKey; readonly hsmId: HsmId; readonly evidence: Evidence }[]
  /** What the HSMs of each cluster said of themselves, where the utility cannot tell which HSM it speaks to. */
  readonly serials: readonly { readonly clusterId: ClusterId; readonly serials: readonly string[] }[]
  /** Cells whose user does not exist there yet. */
  readonly absent: readonly { readonly user: UserKey; readonly hsmId: HsmId }[]
  /** Failed logins in a row as the HSMs counted them, where the utility shows them. */
  readonly failureCounts: readonly { readonly user: UserKey; readonly hsmId: HsmId; readonly count: number }[]
  /** HSMs that the operator allowed to stay behind from the start, and why. */
  readonly debts: readonly Debt[]
  /** The journal was lost, and this one was begun from what the store and the HSMs said. */
  readonly recovered: boolean
  /** What was wrong with the journal that this one was begun instead of, where there was one. */
  readonly brokenJournal?: string
  readonly store: string
  /** Whether the new credential was made by this program or given by the operator. */
  readonly newCredential: 'generated' | 'given'
  /** The configuration sessions derive theirs from, and the hash of the operator's file where it was one. */
  readonly config: UtilityConfig & { readonly sha256: string | null }
  readonly operator: { readonly user: string; readonly host: string; readonly pid: number }
  readonly version: string
}

/** A line as it is read back. */
export interface JournalEntry {
  /** Counted from 1 without gaps. */
  readonly seq: number
  /** UTC, ISO 8601. */
  readonly at: string
  readonly event: JournalEvent
}
