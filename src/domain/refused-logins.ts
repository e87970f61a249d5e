import type { HsmUserRef } from './hsm-user.js'
import type { ClusterId, HsmId } from './ids.js'

/** Where a login was made: on one HSM, or on all of a cluster at once. */
export interface LoginPlace {
  readonly clusterId: ClusterId
  /** Null where the login reached the whole cluster. */
  readonly hsmId: HsmId | null
}

/** That a place refused logins of a user, and none succeeded there since. */
export interface RefusedLogin extends LoginPlace {
  /** When it did so last; UTC, ISO 8601. */
  readonly at: string
  readonly count: number
  /**
   * Which credential it was last, where that can be named without telling it: `CURRENT of r-…`; null elsewhere, and
   * `UNANSWERED` where nobody heard what came of the last login, which may have been counted as failed.
   */
  readonly credential: string | null
}

/** A login that was begun and of which nobody heard yet. */
export const UNANSWERED = 'unanswered'

/** Remembers refused logins across invocations, for all who share the state. */
export interface RefusedLogins {
  /** All that is noted of this user on these clusters. */
  of(user: HsmUserRef, clusterIds: readonly ClusterId[]): Promise<readonly RefusedLogin[]>
  /** @param isCounted the login was noted when it was begun, and is only named now */
  note(user: HsmUserRef, places: readonly LoginPlace[], credential: string | null, isCounted?: boolean): Promise<void>
  /** Called once the user logged in, or its password was changed. */
  clear(user: HsmUserRef, places: readonly LoginPlace[]): Promise<void>
}
