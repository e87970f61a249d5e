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
  /**
   * Called before each command to an HSM, so it is cheap: a lease is checked here and renewed only near its end.
   * @throws {OperatorError} `LOCK_LOST` when somebody else took a lock over, or may do so before a command has ended
   */
  assertHeld(): Promise<void>
  /** Never throws. */
  release(): Promise<void>
}

/** One rotation per cluster at a time. */
export interface ClusterLocks {
  /**
   * Takes the locks of all clusters, in sorted order, or none of them.
   * @param rotationId the rotation that is taken up again; its own locks may be taken over once their holder is gone
   * @throws {OperatorError} `LOCKED` (exit 5), saying by whom and since when
   */
  acquire(clusterIds: readonly ClusterId[], rotationId?: RotationId): Promise<HeldLock>
}

/** A lock that a rotation holds, or left behind. */
export interface FoundLock {
  readonly clusterId: ClusterId
  readonly holder: LockHolder
  /** Whether its process runs: unknown on another machine that gives no sign of life. */
  readonly process: 'runs' | 'gone' | 'unknown'
  /** Where it was found, for people. */
  readonly place: string
  /** Whether it runs out by itself once its holder renews it no more. */
  readonly leased: boolean
  /** Removes exactly this lock. @returns false when it was taken anew or released meanwhile */
  remove(): Promise<boolean>
}

/** Looks for what `rotate unlock` removes. */
export interface LockFinder {
  /** Locks of one rotation. */
  find(rotationId: RotationId): Promise<readonly FoundLock[]>
}
