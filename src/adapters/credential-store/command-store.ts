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
import { refusal } from '../../domain/errors.js'
import type { RotationId } from '../../domain/ids.js'
import { childEnvironment } from '../shell/child-environment.js'
import { runShell } from '../shell/run-shell.js'
import { parseStore, renderStore } from './store-document.js'

/** How the command of a store is run. */
export interface CommandStoreSettings {
  readonly env: NodeJS.ProcessEnv
  readonly timeoutMs: number
}

/** In bytes: 1,024 users in three versions take about a quarter of it. */
const LARGEST = 1024 * 1024

/**
 * Credentials behind a command of the operator's: `read` prints the document or nothing, `write` replaces it by what
 * it is given on standard input. The document holds all versions, so each change is one write. The protocol is
 * described in docs/stores.md.
 */
export class CommandStore implements CredentialStore {
  readonly onThisMachine = false
  readonly description: string
  readonly #command: string
  readonly #settings: CommandStoreSettings

  constructor(command: string, settings: CommandStoreSettings) {
    this.#command = command
    this.#settings = settings
    this.description = `command:${command}`
  }

  /** Whether it can be read; only a write tells whether it can be written, and the first one comes before any HSM. */
  async checkWritable(): Promise<void> {
    await this.#read()
  }

  async read(stage: CredentialStage): Promise<CredentialVersion | null> {
    return (await this.#read())[stage]
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
    const before = await this.#read()
    const text = renderStore(change(before))
    if (text === renderStore(before)) return
    await this.#run('write', text)
    if (renderStore(await this.#read()) === text) return
    throw refusal('STORE_NOT_READ_BACK', `${this.description} did not return what was written to it`, [
      'run it by hand: with LOCKSTEP_STORE_ACTION=read it must print what it got with LOCKSTEP_STORE_ACTION=write',
      'one rotation at a time may use a store',
    ])
  }

  async #read(): Promise<CredentialVersions> {
    const text = await this.#run('read')
    return text.trim() === '' ? NO_CREDENTIALS : parseStore(text, this.description)
  }

  async #run(action: 'read' | 'write', input?: string): Promise<string> {
    const { env, timeoutMs } = this.#settings
    const { ending, stdout } = await runShell(this.#command, {
      env: { ...childEnvironment(env), LOCKSTEP_STORE_ACTION: action },
      ...(input !== undefined && { input }),
      timeoutMs,
      largest: LARGEST,
    })
    if (ending === null) return stdout
    throw refusal(
      action === 'read' ? 'STORE_UNREADABLE' : 'STORE_UNWRITABLE',
      `${this.description} ${ending} when asked to ${action}`,
      [
        `run it by hand with LOCKSTEP_STORE_ACTION=${action} to see what it says`,
        'it gets few variables of the environment; LOCKSTEP_PASS_ENV=NAME,NAME passes on more',
      ],
    )
  }
}
