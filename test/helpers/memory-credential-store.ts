import type {
  CredentialStage,
  CredentialStore,
  CredentialVersion,
  PendingCredentials,
} from '../../src/domain/credential-store.js'
import { NO_CREDENTIALS, promoted, withoutPending, withPending } from '../../src/domain/credential-versions.js'
import type { RotationId } from '../../src/domain/ids.js'

/** A credential store that keeps nothing beyond the test; the rules are those of every store. */
export class MemoryCredentialStore implements CredentialStore {
  readonly description = 'memory'
  readonly onThisMachine = true
  versions = NO_CREDENTIALS

  async checkWritable(): Promise<void> {}

  async read(stage: CredentialStage): Promise<CredentialVersion | null> {
    return this.versions[stage]
  }

  async putPending(version: PendingCredentials, provedCurrent?: CredentialVersion): Promise<void> {
    this.versions = withPending(this.versions, version, provedCurrent)
  }

  async promote(rotationId: RotationId): Promise<void> {
    this.versions = promoted(this.versions, rotationId)
  }

  async discardPending(rotationId: RotationId): Promise<void> {
    this.versions = withoutPending(this.versions, rotationId)
  }
}
