import type { ClusterId, RotationId } from './ids.js'

/** Who holds a lock. */
export interface LockHolder {
  /** Null until the rotation has got its ID. */
  readonly rotationId: RotationId | null
  readonly user: string
  readonly host: string
  readonly pid: number
  /** UTC, ISO 8601. */
  readonly since: string
}

/** Locks on every cluster of a run. Held until released, or until the process that took them is gone. */
export interface HeldLock {
  /** Writes down which rotation holds the locks. */
  name(rotationId: RotationId): Promise<void>
  /** @throws {OperatorError} `LOCK_LOST` when somebody else took a lock over */
  assertHeld(): Promise<void>
  /** Never throws. */
  release(): Promise<void>
}

/** One rotation per cluster at a time. */
export interface ClusterLocks {
  /**
   * Takes the locks of all clusters, in sorted order, or none of them.
   * @throws {OperatorError} `LOCKED` (exit 5), saying by whom and since when
   */
  acquire(clusterIds: readonly ClusterId[]): Promise<HeldLock>
}
