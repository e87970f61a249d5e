import { randomUUID } from 'node:crypto'
import { AwsError } from '../aws-error.js'

export const CURRENT = 'AWSCURRENT'
export const PREVIOUS = 'AWSPREVIOUS'

/** One secret of one account and Region, with its versions and the staging labels on them. */
export class Secret {
  readonly name: string
  readonly arn: string
  readonly #values = new Map<string, string>()
  /** Label to version: a label stands on one version at a time. */
  readonly #labels = new Map<string, string>()

  constructor(name: string, arn: string) {
    this.name = name
    this.arn = arn
  }

  /** Version ID to labels; versions without a label count as deprecated and are not listed. */
  get labelled(): Readonly<Record<string, readonly string[]>> {
    const found: Record<string, string[]> = {}
    for (const [label, versionId] of this.#labels) found[versionId] = [...(found[versionId] ?? []), label]
    return found
  }

  labelsOf(versionId: string): readonly string[] {
    return this.labelled[versionId] ?? []
  }

  /**
   * Adds a version. The same token with the same value does nothing, with another one it is refused; the first version
   * gets AWSCURRENT whatever was asked. Source: AWS Secrets Manager API, `PutSecretValue`.
   * @returns its ID: the token
   */
  put(token: string, value: string, labels: readonly string[]): string {
    const known = this.#values.get(token)
    if (known !== undefined && known !== value) {
      throw new AwsError(
        'ResourceExistsException',
        `A resource with the ID you requested already exists: version ${token} has another value.`,
      )
    }
    if (known !== undefined) return token
    const first = this.#values.size === 0
    this.#values.set(token, value)
    for (const label of new Set(first ? [...labels, CURRENT] : labels)) this.#attach(label, token)
    return token
  }

  /** The value and the ID of a version, by ID, by label, or by both where they agree. */
  get(versionId: string | null, label: string | null): { versionId: string; value: string } {
    const byLabel = this.#labels.get(label ?? CURRENT)
    const wanted = versionId ?? byLabel
    const value = wanted === undefined ? undefined : this.#values.get(wanted)
    if (wanted === undefined || value === undefined || (label !== null && byLabel !== wanted)) {
      const what = versionId === null ? `staging label: ${label ?? CURRENT}` : `VersionId: ${versionId}`
      throw new AwsError(
        'ResourceNotFoundException',
        `Secrets Manager can't find the specified secret value for ${what}`,
      )
    }
    return { versionId: wanted, value }
  }

  /**
   * Moves a label, or takes it away. Whoever moves one must say where it stands now; AWSCURRENT can only be moved.
   * Source: AWS Secrets Manager API, `UpdateSecretVersionStage`.
   */
  move(label: string, from: string | null, to: string | null): void {
    const holder = this.#labels.get(label) ?? null
    for (const versionId of [from, to]) {
      if (versionId !== null && !this.#values.has(versionId)) {
        throw new AwsError(
          'ResourceNotFoundException',
          `Secrets Manager can't find the specified version ${versionId}.`,
        )
      }
    }
    if (from !== null && from !== holder) {
      throw invalid(`Staging label ${label} is not attached to version ${from}, which RemoveFromVersionId names.`)
    }
    if (to === null) {
      if (label === CURRENT) throw invalid(`Staging label ${CURRENT} can be moved to another version, not removed.`)
      if (from === null) throw invalid('Neither RemoveFromVersionId nor MoveToVersionId is given.')
      this.#labels.delete(label)
      return
    }
    if (holder !== null && holder !== to && from === null) {
      throw invalid(`RemoveFromVersionId can't be empty: staging label ${label} is attached to version ${holder}.`)
    }
    this.#attach(label, to)
  }

  #attach(label: string, versionId: string): void {
    const before = this.#labels.get(label)
    if (before === versionId) return
    if (label === CURRENT && before !== undefined) this.#labels.set(PREVIOUS, before)
    this.#labels.set(label, versionId)
  }
}

/** A token where the caller sent none. */
export const newToken = (): string => randomUUID()

export const invalid = (message: string): AwsError => new AwsError('InvalidParameterException', message)
