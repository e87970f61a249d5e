import type { HsmUserRef } from './hsm-user.js'
import type { ClusterId } from './ids.js'

/** That a cluster refused logins of a user, and none succeeded there since. */
export interface RefusedLogin {
  readonly clusterId: ClusterId
  /** When it did so last; UTC, ISO 8601. */
  readonly at: string
  readonly count: number
}

/**
 * Remembers refused logins across invocations: those of officers, whose password is not tried again by itself, and
 * those of all users where the utility shows no failure count.
 */
export interface RefusedLogins {
  /** What is noted of this user on any of these clusters; where it is on several, the one that refused most. */
  find(user: HsmUserRef, clusterIds: readonly ClusterId[]): Promise<RefusedLogin | null>
  note(user: HsmUserRef, clusterIds: readonly ClusterId[]): Promise<void>
  /** Called once the user logged in. */
  clear(user: HsmUserRef, clusterIds: readonly ClusterId[]): Promise<void>
}
