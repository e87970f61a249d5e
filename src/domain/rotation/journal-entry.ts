import type { UtilityConfig } from '../config-files.js'
import type { CredentialVersion } from '../credential-store.js'
import type { Answer, UtilityProcess } from '../hsm-console.js'
import type { UserKey } from '../hsm-user.js'
import type { ClusterId, HsmId, RotationId, UnitId } from '../ids.js'
import type { RosterEntry } from '../roster.js'
import type { SerialObservation } from '../serial-numbers.js'
import type { PlannedCluster, Propagation, RotationPlan, UnseenRegion } from './plan.js'
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
  /** A copy; `credential` is the one the origin holds. `rehearsal`: nothing was new yet. */
  | { readonly act: 'copy'; readonly from: UnitId; readonly rehearsal: boolean }
  /** A login attempt, which a refusal turns into a failed login. `typed`: of what was typed once more, perhaps wrongly. */
  | { readonly act: 'login'; readonly typed?: true }
)

/** What a listing says of the users of a rotation on one HSM. A user that is not named is there, and all is well with it. */
export interface ListedHsm {
  readonly hsmId: HsmId
  /** Whether the listing shows how many logins in a row failed; 0 for those that `failures` does not name. */
  readonly counted: boolean
  readonly absent?: readonly UserKey[]
  /** Users that some HSM of the cluster lacks; a listing of a whole cluster does not say which. */
  readonly inPart?: readonly UserKey[]
  readonly locked?: readonly UserKey[]
  readonly failures?: readonly (readonly [UserKey, number])[]
  /** Users that have a second factor or a quorum key there, which none had when it was planned. */
  readonly registered?: readonly UserKey[]
  /** Users that have another ID there than planned. */
  readonly otherId?: readonly UserKey[]
  /** Users whose attributes are other ones than planned, and what they are now. */
  readonly different?: readonly (readonly [UserKey, string])[]
}

/**
 * What a copy does to a user that exists with another password. `unsettled`: it was refused without a reason, or in part, which
 * may have been for another one than the password; `unused`: no copy is made in this rotation.
 */
export type CopyVerdict = 'accepted' | 'overwrites' | 'refused' | 'without-effect' | 'unsettled' | 'unused'

/**
 * Something that was seen: of an HSM, a listing, or AWS. It holds until something newer is seen.
 */
export type Observation =
  | { readonly type: 'listed'; readonly hsms: readonly ListedHsm[] }
  /** With `perhaps`, it is one of several of which some do not answer, and nobody saw which. */
  | { readonly type: 'unreachable'; readonly hsmId: HsmId; readonly reason: string; readonly perhaps?: true }
  | { readonly type: 'serials'; readonly seen: SerialObservation }
  /** How AWS's answer differs from the roster, in words; empty where it does not. */
  | { readonly type: 'aws'; readonly differences: readonly string[] }
  /** A login before the journal was begun, or before an invocation that took it up asked anything of the cells. */
  | {
      readonly type: 'login'
      readonly user: UserKey
      readonly hsmIds: readonly HsmId[]
      readonly credential: CredentialName
      readonly answer: Exclude<Answer, { kind: 'unclear' }>
      /** It was refused before and not asked again. */
      readonly remembered?: true
    }
  /** Its budget allows no login to a cell, so that nobody knows what it holds until it is written. */
  | {
      readonly type: 'not-asked'
      readonly user: UserKey
      readonly hsmIds: readonly HsmId[]
      readonly reason: string
    }
  | { readonly type: 'copies'; readonly verdict: CopyVerdict; readonly evidence: string }

/** Names a version of CURRENT in a store; nothing secret. */
export type CurrentVersion = Pick<CredentialVersion, 'rotationId' | 'startedAt'>

/** One line of a journal: an intent, an observation, or a turn of the rotation. Never a belief, never a secret. */
export type JournalEvent =
  | Observation
  | { readonly type: 'started'; readonly facts: RotationFacts }
  | { readonly type: 'intent'; readonly intent: Intent; readonly process: UtilityProcess }
  | { readonly type: 'answer'; readonly to: number; readonly answer: Answer }
  | { readonly type: 'unanswered'; readonly to: number; readonly reason: string }
  | { readonly type: 'propagation'; readonly method: Propagation; readonly evidence: string }
  /** `withCurrent`: the proved current credential was read back as well; `current`: as part of which version of CURRENT. */
  | {
      readonly type: 'store'
      readonly act: 'put-pending' | 'promote' | 'discard'
      readonly phase: 'intent' | 'read-back'
      readonly withCurrent?: boolean
      readonly current?: CurrentVersion
    }
  | {
      readonly type: 'paused'
      readonly stage: Stage
      readonly code: string
      readonly message: string
      readonly suggestions: readonly string[]
    }
  /** The operator accepts something that is asked for by name, and need not be asked again. */
  | { readonly type: 'accepted'; readonly what: 'no-way-back' }
  /** The store has lost the new credential that it had returned, and every HSM is given the one that the operator gives now. */
  | { readonly type: 'accepted'; readonly what: 'another-credential' }
  | { readonly type: 'accepted'; readonly what: 'new-serials'; readonly clusterId: ClusterId }
  /** The store has lost the current credential, and nobody gives it again: the rollback goes by copies, which were seen to overwrite. */
  | { readonly type: 'current-lost' }
  /** A cell that somebody else has written is about to be written all the same, with the operator's consent. */
  | { readonly type: 'other-overwritten'; readonly user: UserKey; readonly hsmId: HsmId }
  /** The operator allows an HSM that cannot be reached to stay behind. */
  | { readonly type: 'debt'; readonly debt: Debt }
  | { readonly type: 'debt-settled'; readonly hsmId: HsmId; readonly by?: RotationId }
  /**
   * AWS was asked again where it did not say which clusters there are: where it still does not, and members of the family
   * that show there now and are owed the credential.
   */
  | {
      readonly type: 'unseen-again'
      readonly unseen: readonly UnseenRegion[]
      readonly missed: readonly LostCluster[]
    }
  /** A lost cluster is back, and its HSMs take part from here on. */
  | { readonly type: 'cluster-joined'; readonly cluster: PlannedCluster; readonly roster: readonly RosterEntry[] }
  /** Another run gave a lost cluster the credential. */
  | { readonly type: 'cluster-settled'; readonly clusterId: ClusterId; readonly by: RotationId }
  /**
   * A newer run has given the user something newer on this cluster, but for HSMs that stayed behind in it: nothing there is
   * this rotation's to give or to ask for any more.
   */
  | {
      readonly type: 'superseded'
      readonly user: UserKey
      readonly clusterId: ClusterId
      readonly by: RotationId
      readonly owing: readonly HsmId[]
      /** All of the cluster was lost to that run, and is owed it. */
      readonly owesCluster?: true
    }
  /** A lost cluster does not exist any more, as AWS says: nothing is owed to it. */
  | { readonly type: 'cluster-gone'; readonly clusterId: ClusterId; readonly reason: string }
  /** AWS does not list an HSM any more, and the operator goes on without it: it has no cells from here on. */
  | { readonly type: 'hsm-gone'; readonly gone: Debt }
  /** HSMs that were added to the clusters since; they become targets. */
  | { readonly type: 'targets-added'; readonly roster: readonly RosterEntry[] }
  /** Another invocation took the rotation up again. */
  | { readonly type: 'resumed'; readonly operator: RotationFacts['operator'] }
  /** From here on the rotation goes back, whoever resumes it; `none`: there is nothing to take back on any HSM. */
  | { readonly type: 'rollback-started'; readonly method: Propagation | 'none' }
  /** Nothing was left that holds the old credential, and nothing was given back yet: it goes forward again. */
  | { readonly type: 'rollback-abandoned'; readonly evidence: string }
  /** The applications' command was run after PENDING became CURRENT; it may have failed. */
  | { readonly type: 'applications-told'; readonly failure: string | null }
  /** For people. Nothing is derived from it. */
  | { readonly type: 'stage-completed'; readonly stage: Stage }
  /** For people. Nothing is derived from it. */
  | { readonly type: 'finished'; readonly outcome: 'completed' | 'completed-with-debt' | 'rolled-back' }

/** An HSM that stays behind, or is gone, with the operator's consent. */
export interface Debt {
  readonly hsmId: HsmId
  readonly reason: string
}

/** A cluster of the family that was out of reach from the start and was left out, to be brought along later. */
export interface LostCluster extends Pick<PlannedCluster, 'clusterId' | 'profile'> {
  /** Null where it was named by its ID alone and nobody saw it. */
  readonly region: PlannedCluster['region'] | null
  readonly reason: string
}

/** What a rotation is about; the first line of its journal. */
export interface RotationFacts {
  readonly rotationId: RotationId
  /** `repair`: HSMs are given what others hold; no new credential comes into the world. */
  readonly procedure: 'rotate' | 'repair'
  readonly plan: RotationPlan
  /** What was seen before the journal was begun. */
  readonly observed: readonly Observation[]
  /** HSMs that the operator allowed to stay behind from the start, and why. */
  readonly debts: readonly Debt[]
  readonly lostClusters: readonly LostCluster[]
  /** The operator goes on although nothing could give the old credential back. */
  readonly acceptedNoWayBack: boolean
  /** Users are created where they are missing. */
  readonly createMissing: boolean
  /** The journal was lost, and this one was begun from what the store and the HSMs said. */
  readonly recovered: boolean
  /** What was wrong with the journal that this one was begun instead of, where there was one. */
  readonly brokenJournal?: string
  /** Where the credentials are kept; null for a repair that needs none. */
  readonly store: string | null
  /** Where the new credential comes from; `unknown`: nobody knows it, it is copied from HSM to HSM. */
  readonly newCredential: 'generated' | 'given' | 'kept' | 'unknown'
  /** The version of CURRENT that a repair gives. */
  readonly kept?: CurrentVersion
  /** Where a repair copies users from; null where it gives what the store keeps. */
  readonly from: UnitId | null
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
