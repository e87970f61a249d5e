import type {
  CredentialStage,
  CredentialStore,
  CredentialVersion,
  PendingCredentials,
} from '../../../domain/credential-store.js'
import { promoted, sameCredentials, withoutPending, withPending } from '../../../domain/credential-versions.js'
import { refusal } from '../../../domain/errors.js'
import type { RotationId } from '../../../domain/ids.js'
import { secretClient } from '../../secrets-manager/client.js'
import { requestToken } from './request-token.js'
import { renewed, type SecretVersion } from './secret-version.js'
import { LABELS, type Labels, VersionedSecret } from './versioned-secret.js'

/** The secret as it is now. */
interface Kept {
  readonly labels: Labels
  /** Null where there is none, and where AWSPENDING only stayed behind on what has become AWSCURRENT. */
  readonly pending: SecretVersion | null
  readonly current: SecretVersion | null
}

/**
 * Credentials in one secret of AWS Secrets Manager, which must exist. Each version of the secret is a whole document:
 * AWSPENDING already holds the users of AWSCURRENT beside the renewed ones, so promoting is moving a label. A proved
 * current credential that AWSCURRENT does not hold becomes a version of its own there before AWSPENDING is written.
 * AWSPREVIOUS follows AWSCURRENT by itself; of users that the last rotation left alone it holds what is in force.
 */
export class SecretsManagerStore implements CredentialStore {
  readonly onThisMachine = false
  readonly description: string
  readonly #secret: VersionedSecret
  readonly #id: string

  /** @param id name or ARN */
  constructor(id: string, env: NodeJS.ProcessEnv) {
    const { client, region } = secretClient(id, env)
    this.#id = id
    this.#secret = new VersionedSecret(client, { id, region })
    this.description = `secretsmanager:${id}`
  }

  /** Whether it exists. That it may not be written shows at the first write, before any HSM was. */
  async checkWritable(): Promise<void> {
    await this.#kept()
  }

  async read(stage: CredentialStage): Promise<CredentialVersion | null> {
    const { labels, pending, current } = await this.#kept()
    if (stage === 'pending') return pending === null ? null : renewed(pending)
    const version = stage === 'current' ? current : await this.#own(labels.previous)
    return version === null || version.all.users.size === 0 ? null : version.all
  }

  async putPending(version: PendingCredentials, provedCurrent?: CredentialVersion): Promise<void> {
    const { rotationId } = version
    const kept = await this.#kept()
    const wanted = withPending(rulesFor(kept), version, provedCurrent)
    let current = kept.current?.all ?? null
    const inForce = wanted.current ?? { ...version, rotationId: null, users: new Map() }
    // AWS makes the first version of a secret AWSCURRENT whatever was asked, and what is pending must not be that.
    if (current === null || !sameCredentials(current.users, inForce.users)) {
      current = inForce
      const token = requestToken(rotationId, 'in force before', kept.labels.current ?? 'nothing')
      await this.#secret.put(token, { all: current, rotated: [] }, 'current')
    }
    if (kept.pending !== null) return
    await this.#secret.put(requestToken(rotationId), over(current, version), 'pending')
  }

  async promote(rotationId: RotationId): Promise<void> {
    const kept = await this.#kept()
    const { labels, pending, current } = kept
    const wanted = promoted(rulesFor(kept), rotationId).current
    if (current?.all.rotationId === rotationId) {
      if (labels.pending === labels.current) await this.#secret.move('pending', labels.pending, null)
      return
    }
    if (pending === null || wanted === null) throw new Error('there is something to promote')
    let versionId = labels.pending
    if (!sameCredentials(pending.all.users, wanted.users)) {
      // AWSCURRENT has changed since; the users it gained must not be lost.
      versionId = requestToken(rotationId, 'over', labels.current ?? 'nothing')
      await this.#secret.put(versionId, { all: wanted, rotated: pending.rotated }, 'pending')
    }
    await this.#secret.move('current', labels.current, versionId)
    await this.#secret.move('pending', versionId, null)
    const after = await this.#secret.labels()
    if (after.current === versionId && after.pending === null) return
    throw refusal('STORE_NOT_READ_BACK', `${this.description} does not show ${rotationId} as ${LABELS.current}`, [
      `aws secretsmanager describe-secret --secret-id ${this.#id}`,
    ])
  }

  async discardPending(rotationId: RotationId): Promise<void> {
    const kept = await this.#kept()
    withoutPending(rulesFor(kept), rotationId)
    if (kept.pending !== null) await this.#secret.move('pending', kept.labels.pending, null)
  }

  async #kept(): Promise<Kept> {
    const labels = await this.#secret.labels()
    const waiting = labels.pending !== null && labels.pending !== labels.current
    const pending = waiting && labels.pending !== null ? await this.#secret.read(labels.pending) : null
    if (waiting && pending === null) {
      throw refusal(
        'FOREIGN_PENDING',
        `version ${labels.pending} of ${this.description} is ${LABELS.pending} and was not written by this program`,
        [
          'see who rotates this secret: aws secretsmanager describe-secret',
          'give another --store; a store wants a secret of its own',
        ],
      )
    }
    return { labels, pending, current: await this.#own(labels.current) }
  }

  async #own(versionId: string | null): Promise<SecretVersion | null> {
    if (versionId === null) return null
    const version = await this.#secret.read(versionId)
    if (version !== null) return version
    throw refusal('STORE_MALFORMED', `${this.description} holds something else than credentials`, [
      'a store wants a secret of its own, made without a value: aws secretsmanager create-secret --name NAME',
    ])
  }
}

/** For the rules that all stores share. */
const rulesFor = ({ pending, current }: Kept) => ({
  pending: pending === null ? null : renewed(pending),
  current: current?.all ?? null,
  previous: null,
  promoted: current?.all.rotationId ?? null,
})

/** A version that can take the place of `current`: its users, with the renewed ones over them. */
const over = (current: CredentialVersion, renewing: PendingCredentials): SecretVersion => {
  const versions = { pending: renewing, current, previous: null, promoted: null }
  const next = promoted(versions, renewing.rotationId).current
  return { all: { ...renewing, users: next?.users ?? renewing.users }, rotated: [...renewing.users.keys()] }
}
