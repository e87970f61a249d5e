import { setTimeout as sleep } from 'node:timers/promises'
import {
  DescribeSecretCommand,
  GetSecretValueCommand,
  PutSecretValueCommand,
  type SecretsManagerClient,
  UpdateSecretVersionStageCommand,
} from '@aws-sdk/client-secrets-manager'
import { refusal } from '../../../domain/errors.js'
import { parseSecretVersion, renderSecretVersion, type SecretVersion } from './secret-version.js'
import { type SecretPlace, secretTrouble } from './trouble.js'

/** Staging labels, as this program uses those that AWS has names for. */
export const LABELS = { pending: 'AWSPENDING', current: 'AWSCURRENT', previous: 'AWSPREVIOUS' } as const

type LabelName = keyof typeof LABELS

/** Which version stands under which label; null where none does. */
export type Labels = Readonly<Record<LabelName, string | null>>

/** In bytes. Source: AWS Secrets Manager API, `PutSecretValue`, `SecretString`. */
const LARGEST = 65_536

/** A version may be readable a moment after it was written. Milliseconds before each further look. */
const LOOKS_AGAIN_MS = [50, 200, 800, 2000]

/** One secret with its versions and labels: nothing here knows what a rotation is. */
export class VersionedSecret {
  readonly #client: SecretsManagerClient
  readonly #place: SecretPlace
  /** A version never changes, so each is fetched once. Null: not written by this program. */
  readonly #versions = new Map<string, SecretVersion | null>()

  constructor(client: SecretsManagerClient, place: SecretPlace) {
    this.#client = client
    this.#place = place
  }

  /** @throws {OperatorError} `STORE_MISSING`, `STORE_UNREADABLE` (exit 3) */
  async labels(): Promise<Labels> {
    const answer = await this.#client
      .send(new DescribeSecretCommand({ SecretId: this.#place.id }))
      .catch((error) => this.#fail(error, 'read'))
    if (answer.DeletedDate !== undefined) {
      throw refusal('STORE_MISSING', `the secret ${this.#place.id} is scheduled for deletion`, [
        `aws secretsmanager restore-secret --secret-id ${this.#place.id}`,
      ])
    }
    const versions = Object.entries(answer.VersionIdsToStages ?? {})
    const holder = (label: string) => versions.find(([, labels]) => labels.includes(label))?.[0] ?? null
    return { pending: holder(LABELS.pending), current: holder(LABELS.current), previous: holder(LABELS.previous) }
  }

  /** @returns null where the version was not written by this program */
  async read(versionId: string): Promise<SecretVersion | null> {
    const known = this.#versions.get(versionId)
    if (known !== undefined) return known
    const { SecretString: text } = await this.#client
      .send(new GetSecretValueCommand({ SecretId: this.#place.id, VersionId: versionId }))
      .catch((error) => this.#fail(error, 'read'))
    const version = text === undefined ? null : parseSecretVersion(text)
    this.#versions.set(versionId, version)
    return version
  }

  /**
   * Adds a version under a label and reads it back. The same token with the same content does nothing.
   * @throws {OperatorError} `STORE_TOO_LARGE`, `PENDING_DIFFERS`, `STORE_NOT_READ_BACK`, `STORE_UNWRITABLE` (exit 3)
   */
  async put(token: string, version: SecretVersion, label: LabelName): Promise<void> {
    const text = renderSecretVersion(version)
    if (Buffer.byteLength(text) > LARGEST) {
      throw refusal(
        'STORE_TOO_LARGE',
        `${version.all.users.size} users do not fit into one secret of ${LARGEST} bytes`,
        ['spread the users over several secrets, or use a file: store'],
      )
    }
    const stages = [LABELS[label]]
    await this.#client
      .send(
        new PutSecretValueCommand({
          SecretId: this.#place.id,
          ClientRequestToken: token,
          SecretString: text,
          VersionStages: stages,
        }),
      )
      .catch((error) => {
        if ((error as Error).name !== 'ResourceExistsException') return this.#fail(error, 'written')
        throw refusal(
          'PENDING_DIFFERS',
          `the secret ${this.#place.id} keeps other credentials under version ${token}`,
          [`aws secretsmanager list-secret-version-ids --secret-id ${this.#place.id} --include-deprecated`],
        )
      })
    await this.#readBack(token, text, label)
    this.#versions.set(token, version)
  }

  /**
   * Moves a label, or takes it away where `to` is null. Where it stands so already, nothing happens: also when AWS had
   * done it and only its answer was lost.
   */
  async move(label: LabelName, from: string | null, to: string | null): Promise<void> {
    try {
      await this.#client.send(
        new UpdateSecretVersionStageCommand({
          SecretId: this.#place.id,
          VersionStage: LABELS[label],
          ...(from !== null && { RemoveFromVersionId: from }),
          ...(to !== null && { MoveToVersionId: to }),
        }),
      )
    } catch (error) {
      if ((await this.labels().catch(() => null))?.[label] !== to) this.#fail(error, 'written')
    }
  }

  async #readBack(versionId: string, text: string, label: LabelName): Promise<void> {
    const command = new GetSecretValueCommand({
      SecretId: this.#place.id,
      VersionId: versionId,
      VersionStage: LABELS[label],
    })
    for (const pauseMs of [...LOOKS_AGAIN_MS, null]) {
      const found = await this.#client.send(command).catch((error) => {
        if ((error as Error).name === 'ResourceNotFoundException') return null
        return this.#fail(error, 'read')
      })
      if (found?.SecretString === text) return
      if (found !== null || pauseMs === null) break
      await sleep(pauseMs)
    }
    throw refusal(
      'STORE_NOT_READ_BACK',
      `the secret ${this.#place.id} did not return as ${LABELS[label]} what was written to it`,
      ['another program may have moved the label: aws secretsmanager describe-secret'],
    )
  }

  #fail(error: unknown, doing: 'read' | 'written'): never {
    throw secretTrouble(error, doing, this.#place)
  }
}
