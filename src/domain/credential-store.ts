import type { UserKey } from './hsm-user.js'
import type { ClusterId, HsmId, RotationId } from './ids.js'
import type { Secret } from './secret.js'

/** Which credential: about to be given out, in force, in force before. */
export type CredentialStage = 'pending' | 'current' | 'previous'

/** The credentials of one rotation. */
export interface CredentialVersion {
  readonly rotationId: RotationId
  readonly clusters: readonly ClusterId[]
  readonly restorePoint: HsmId | null
  /** UTC, ISO 8601. */
  readonly startedAt: string
  readonly users: ReadonlyMap<UserKey, Secret>
}

/** Keeps credentials outside of the HSMs. */
export interface CredentialStore {
  /** Where, for people. */
  readonly description: string
  readonly onThisMachine: boolean
  read(stage: CredentialStage): Promise<CredentialVersion | null>
  putPending(version: CredentialVersion, provedCurrent?: CredentialVersion): Promise<void>
  promote(rotationId: RotationId): Promise<void>
  discardPending(rotationId: RotationId): Promise<void>
}
