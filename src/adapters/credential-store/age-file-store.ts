import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import type {
  CredentialStage,
  CredentialStore,
  CredentialVersion,
  PendingCredentials,
} from '../../domain/credential-store.js'
import {
  type CredentialVersions,
  NO_CREDENTIALS,
  promoted,
  withoutPending,
  withPending,
} from '../../domain/credential-versions.js'
import { OperatorError, refusal } from '../../domain/errors.js'
import type { RotationId } from '../../domain/ids.js'
import { fileTrouble } from '../files/trouble.js'
import { probeFolderOf, writeAtomically } from '../files/write-atomically.js'
import type { AgeBox } from './age-box.js'
import { parseStore, renderStore } from './store-document.js'
import { withStoreLock } from './store-lock.js'

/** What a file held, and the SHA-256 of the bytes that said so; null where there is no file. */
interface Loaded {
  readonly digest: string | null
  readonly versions: CredentialVersions
}

/** Credentials in one encrypted file, which holds all versions. */
export class AgeFileStore implements CredentialStore {
  readonly onThisMachine = true
  readonly #path: string
  readonly #box: AgeBox
  /** The last text decrypted: opening a file costs a key derivation, and most reads find it unchanged. */
  #cache: Loaded | null = null

  /** @param path absolute */
  constructor(path: string, box: AgeBox) {
    this.#path = path
    this.#box = box
  }

  get description(): string {
    return `file:${this.#path}`
  }

  async checkWritable(): Promise<void> {
    await probeFolderOf(this.#path).catch((error) => this.#throwUnwritable(error))
  }

  /** Opens the file as it is now, so that a wrong key is found before anything is changed. */
  async checkReadable(): Promise<void> {
    await this.#load()
  }

  async read(stage: CredentialStage): Promise<CredentialVersion | null> {
    return (await this.#load()).versions[stage]
  }

  async putPending(version: PendingCredentials, provedCurrent?: CredentialVersion): Promise<void> {
    await this.#update((versions) => withPending(versions, version, provedCurrent))
  }

  async promote(rotationId: RotationId): Promise<void> {
    await this.#update((versions) => promoted(versions, rotationId))
  }

  async discardPending(rotationId: RotationId): Promise<void> {
    await this.#update((versions) => withoutPending(versions, rotationId))
  }

  async #update(change: (versions: CredentialVersions) => CredentialVersions): Promise<void> {
    // Otherwise the lock would be tried for in vain, again and again.
    await this.checkWritable()
    await withStoreLock(this.#path, async (assertLocked) => {
      const before = await this.#load()
      const text = renderStore(change(before.versions))
      const sealed = await this.#box.seal(text)
      assertLocked()
      if (digestOf(await this.#bytes()) !== before.digest) {
        throw refusal(
          'STORE_CHANGED',
          `${this.description} was changed by another program while it was being updated`,
          ['see to it that nothing else writes to it, then repeat the command'],
        )
      }
      try {
        // The old file gives way only to one that was decrypted from the disk and says what was meant.
        await writeAtomically(this.#path, sealed, { mode: 0o600, verify: (draft) => this.#verify(draft, text) })
      } catch (error) {
        this.#throwUnwritable(error)
      }
      if ((await this.#load()).digest !== digestOf(sealed)) throw this.#notReadBack()
    })
  }

  async #verify(draft: string, text: string): Promise<void> {
    const bytes = await readFile(draft)
    if ((await this.#box.open(bytes, this.description)) !== text) throw this.#notReadBack()
    this.#cache = { digest: digestOf(bytes), versions: parseStore(text, this.description) }
  }

  async #load(): Promise<Loaded> {
    const bytes = await this.#bytes()
    const digest = digestOf(bytes)
    if (this.#cache === null || this.#cache.digest !== digest) {
      const versions =
        bytes === null ? NO_CREDENTIALS : parseStore(await this.#box.open(bytes, this.description), this.description)
      this.#cache = { digest, versions }
    }
    return this.#cache
  }

  async #bytes(): Promise<Uint8Array | null> {
    try {
      return await readFile(this.#path)
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null
      throw refusal('STORE_UNREADABLE', `the credential store ${this.#path} ${fileTrouble(error)}`, ['check --store'])
    }
  }

  #notReadBack(): OperatorError {
    return refusal('STORE_NOT_READ_BACK', `${this.description} did not return what was written to it`, [
      'check the disk; the file was left as it was',
    ])
  }

  #throwUnwritable(error: unknown): never {
    if (error instanceof OperatorError) throw error
    const folder = dirname(this.#path)
    throw refusal(
      'STORE_UNWRITABLE',
      `the credential store ${this.#path} cannot be written: ${folder} ${fileTrouble(error)}`,
      [
        (error as NodeJS.ErrnoException).code === 'ENOENT'
          ? `mkdir -m 700 -p ${folder}`
          : 'name another place with --store',
      ],
    )
  }
}

const digestOf = (bytes: Uint8Array | null): string | null =>
  bytes === null ? null : createHash('sha256').update(bytes).digest('hex')
