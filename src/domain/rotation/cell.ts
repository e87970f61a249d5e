import type { UserKey } from '../hsm-user.js'
import type { ClusterId, HsmId, RegionName } from '../ids.js'

/**
 * What one HSM holds for one user, as far as it was observed. `other`: it refused both credentials, or the one it had
 * been proved to hold, so somebody else has written it. `locked`: its failed logins had reached the limit when it was
 * listed last, whatever password it holds.
 */
export type CellState = 'unknown' | 'old' | 'new' | 'other' | 'locked' | 'absent' | 'unreachable'

/**
 * Why a cell's state is believed: a login with the new or the current credential, a copy that reported success from an
 * origin that holds it, or that nothing was ever written there in this rotation.
 */
export type Proof = 'login-new' | 'login-current' | 'copy' | 'untouched' | 'none'

/** Whether a login asked this HSM alone, or its whole cluster at once. */
export type Evidence = 'hsm' | 'cluster'

/** Names one user on one HSM. */
export interface CellRef {
  readonly user: UserKey
  readonly hsmId: HsmId
}

/** What is known of one cell, and since when. */
export interface KnownCell {
  readonly state: CellState
  readonly proof: Proof
  /** What the login reached that proves the state; null where none does. */
  readonly evidence: Evidence | null
  /** UTC, ISO 8601; null when it was never observed. */
  readonly observedAt: string | null
}

/** One user on one HSM. */
export interface Cell extends CellRef, KnownCell {
  readonly clusterId: ClusterId
  readonly region: RegionName
}

/** How many cells of one cluster hold the new credential. */
export interface Coverage {
  readonly clusterId: ClusterId
  readonly new: number
  readonly total: number
}

/** Coverage per cluster, in the order the clusters appear in `cells`. */
export const coverageOf = (cells: readonly Cell[]): readonly Coverage[] => {
  const byCluster = new Map<ClusterId, { new: number; total: number }>()
  for (const cell of cells) {
    const count = byCluster.get(cell.clusterId) ?? { new: 0, total: 0 }
    count.total += 1
    if (cell.state === 'new') count.new += 1
    byCluster.set(cell.clusterId, count)
  }
  return [...byCluster].map(([clusterId, count]) => ({ clusterId, ...count }))
}
