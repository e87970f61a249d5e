import { type HsmUserRef, sameUser, type UserKey } from './hsm-user.js'
import { parseUserRef } from './hsm-user-text.js'
import type { ClusterId, RotationId, UnitId } from './ids.js'
import type { Secret } from './secret.js'

/** Which credential: about to be given out, in force, in force before. */
export type CredentialStage = 'pending' | 'current' | 'previous'

/**
 * The credentials of one rotation. Of PENDING it lists the users of that rotation alone; CURRENT and PREVIOUS also
 * keep users of earlier rotations, and describe the last one that wrote to them.
 */
export interface CredentialVersion {
  /** Null for credentials that were proved to be in force before any rotation kept some here. */
  readonly rotationId: RotationId | null
  readonly clusters: readonly ClusterId[]
  readonly restorePoint: UnitId | null
  /** UTC, ISO 8601. */
  readonly startedAt: string
  readonly users: ReadonlyMap<UserKey, Secret>
}

/** The new credentials of one rotation. */
export interface PendingCredentials extends CredentialVersion {
  readonly rotationId: RotationId
}

/** Keeps credentials outside of the HSMs. What a write returned from has been read back from the store itself. */
export interface CredentialStore {
  /** Where, for people. */
  readonly description: string
  /** Whether it is lost together with this machine. */
  readonly onThisMachine: boolean
  /**
   * Whether a write would succeed, found out without changing anything that is kept.
   * @throws {OperatorError} `STORE_UNWRITABLE` (exit 3)
   */
  checkWritable(): Promise<void>
  /** @throws {OperatorError} `STORE_LOCKED`, `STORE_MALFORMED`, `STORE_UNREADABLE` (exit 3) */
  read(stage: CredentialStage): Promise<CredentialVersion | null>
  /**
   * Keeps the new credentials of a rotation. Repeating it with the same ones is harmless.
   * @param provedCurrent credentials proved to be in force now; they replace those of CURRENT, user by user
   * @throws {OperatorError} `FOREIGN_PENDING` when another rotation's are kept, `PENDING_DIFFERS` when other ones of
   *   this rotation are (an HSM may hold those already), `STORE_NOT_READ_BACK`, `STORE_CHANGED`, `STORE_UNWRITABLE`
   *   (exit 3), `STORE_BUSY` (exit 5)
   */
  putPending(version: PendingCredentials, provedCurrent?: CredentialVersion): Promise<void>
  /**
   * PENDING becomes CURRENT, and the CURRENT of its users becomes PREVIOUS. Repeating it is harmless.
   * @throws {OperatorError} `NOTHING_PENDING` (exit 3), and as `putPending`
   */
  promote(rotationId: RotationId): Promise<void>
  /**
   * Removes PENDING. Where there is none, nothing happens.
   * @throws {OperatorError} as `putPending`
   */
  discardPending(rotationId: RotationId): Promise<void>
}

/** The credential of `user` in a version; names fold case as they do on HSMs. */
export const credentialOf = (version: CredentialVersion | null, user: HsmUserRef): Secret | undefined => {
  for (const [key, secret] of version?.users ?? []) if (sameUser(parseUserRef(key), user)) return secret
  return undefined
}
