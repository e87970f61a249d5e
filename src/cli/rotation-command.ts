import { hostname, userInfo } from 'node:os'
import type { SharedLockChoice } from '../adapters/rotation-state.js'
import { secretVariable } from '../adapters/shell/secret-variables.js'
import type { ProgressView } from '../adapters/terminal/progress.js'
import type { Discovery } from '../domain/clone-family.js'
import type { UtilityConfig } from '../domain/config-files.js'
import type { CredentialStore } from '../domain/credential-store.js'
import { OperatorError } from '../domain/errors.js'
import type { Hooks } from '../domain/hooks.js'
import type { HsmConsole } from '../domain/hsm-console.js'
import type { RotationId } from '../domain/ids.js'
import { type LockForm, parseLockForm } from '../domain/lock-form.js'
import type { DiscoveryScope } from '../domain/ports.js'
import type { Roster } from '../domain/roster.js'
import type { RotationFacts } from '../domain/rotation/journal-entry.js'
import { exitCodeFor, type HookFailure, type RotationDocument, rotationDocument } from '../domain/rotation/outcome.js'
import { ledgerOf, type Rotation } from '../domain/rotation/rotation.js'
import { parseSecretForm } from '../domain/secret-form.js'
import type { SecretSource } from '../domain/secret-source.js'
import type { UtilityName } from '../domain/utility.js'
import { BaseCommand, exitCodeOf, renderError } from './base-command.js'
import { keepingFailures } from './hook-failures.js'
import { interruption } from './interrupted.js'
import { type Interrupts, leaveOnInterrupt, listenForInterrupts } from './interrupts.js'
import { requireFlag, silenceLimits } from './rotation-flags.js'

/** Flags of the store as oclif hands them over. */
interface StoreFlagValues {
  readonly store?: string | undefined
  readonly 'store-passphrase'?: string | undefined
  readonly 'store-recipient'?: readonly string[] | undefined
  readonly 'store-identity'?: string | undefined
}

/** Flags of the utilities as oclif hands them over. */
interface UtilityFlagValues extends Partial<Record<UtilityName, string | undefined>> {
  readonly 'silence-timeout'?: number | undefined
}

/** What the commands that write to HSMs share. */
export abstract class RotationCommand extends BaseCommand {
  readonly #hookFailures: HookFailure[] = []

  /**
   * Opens the store, before anything is asked of AWS or an HSM.
   * @param write whether it is made sure that it can be written
   */
  protected async openStore(
    flags: StoreFlagValues,
    source: SecretSource,
    { write = true } = {},
  ): Promise<CredentialStore> {
    const text = requireFlag(flags.store, '--store', '--store file:/path/to/credentials.age')
    const passphraseText =
      flags['store-passphrase'] ??
      (text.startsWith('file:') && secretVariable('LOCKSTEP_STORE_PASSPHRASE')
        ? 'env:LOCKSTEP_STORE_PASSPHRASE'
        : undefined)
    const passphrase =
      passphraseText === undefined
        ? undefined
        : await source.resolve(parseSecretForm(passphraseText, '--store-passphrase'), {
            flag: '--store-passphrase',
            what: 'passphrase of the credential store',
          })
    const identityText = flags['store-identity']
    const identity =
      identityText === undefined
        ? undefined
        : await source.resolve(parseSecretForm(identityText, '--store-identity'), {
            flag: '--store-identity',
            what: 'age identity of the credential store',
            wholeText: true,
          })
    const store = await this.wiring.openStore(text, {
      ...(passphrase === undefined ? {} : { passphrase }),
      ...(identity === undefined ? {} : { identity }),
      recipients: flags['store-recipient'] ?? [],
    })
    if (write) await store.checkWritable()
    return store
  }

  /** @param roster every HSM of the clusters that may be spoken to */
  protected console(flags: UtilityFlagValues, config: UtilityConfig, roster: Roster): Promise<HsmConsole> {
    return this.wiring.console({
      path: flags[config.utility],
      config,
      roster,
      ...silenceLimits(flags, config.utility),
    })
  }

  /** Hooks of this run; what they fail with after its end becomes part of the document. */
  protected async hooks(flags: {
    readonly 'before-change'?: string | undefined
    readonly 'after-finalize'?: string | undefined
  }): Promise<Hooks> {
    const commands = { 'before-change': flags['before-change'], 'after-finalize': flags['after-finalize'] }
    return keepingFailures(await this.wiring.hooks(commands), this.#hookFailures)
  }

  /** Asks AWS again, in the Regions and through the profiles of these clusters alone. */
  protected discoverAgain(
    scope: DiscoveryScope,
    clusters: readonly { readonly region: DiscoveryScope['regions'][number] }[],
  ): () => Promise<Discovery> {
    const regions = [...new Set(clusters.map(({ region }) => region))]
    return async () => (await this.wiring.clusterSource()).discover({ ...scope, regions })
  }

  /** A list on a terminal, lines elsewhere; both on stderr. */
  protected async progressView(): Promise<ProgressView> {
    const { listView, plainView } = await import('../adapters/terminal/progress.js')
    const onTerminal = process.stdout.isTTY === true && process.stderr.isTTY === true && !this.jsonEnabled()
    return onTerminal ? listView(process.stderr) : plainView((line) => this.note(line))
  }

  /**
   * What `--lock` names.
   * @throws {OperatorError} `LOCK_MALFORMED` (exit 2)
   */
  protected lockForm({ lock }: { readonly lock?: string | undefined }): LockForm | undefined {
    return lock === undefined || lock === '' ? undefined : parseLockForm(lock)
  }

  /** The shared lock, whose lease outlasts the longest command of the utility. */
  protected sharedLock(
    form: LockForm | undefined,
    flags: UtilityFlagValues,
    utility: UtilityName,
  ): SharedLockChoice | undefined {
    if (form === undefined) return undefined
    return { form, commandMs: silenceLimits(flags, utility).commandMs, notice: (text) => this.note(text) }
  }

  protected who(): RotationFacts['operator'] {
    return { user: userInfo().username, host: hostname(), pid: process.pid }
  }

  /**
   * Listens for Ctrl-C.
   * @param rotationId the rotation that is worked on, once there is one
   * @param begun whether its work has begun: then the first Ctrl-C asks it to finish the HSM in hand
   */
  protected async listen(rotationId: () => RotationId | null, begun: () => boolean): Promise<Interrupts> {
    const leave = await this.leaveWith(rotationId, begun)
    return listenForInterrupts((line) => this.note(line), leave)
  }

  /** As `listen`, where the first Ctrl-C leaves, because nothing in hand has to be finished. */
  protected async listenToLeave(rotationId: () => RotationId | null, begun = () => false): Promise<Interrupts> {
    return leaveOnInterrupt(await this.leaveWith(rotationId, begun))
  }

  private async leaveWith(rotationId: () => RotationId | null, begun: () => boolean): Promise<() => void> {
    const rotationNow = await this.wiring.rotationNow()
    return () => {
      const id = rotationId()
      const { document, exitCode } = interruption(id === null ? null : rotationNow(id), begun())
      const { error } = document
      if (this.jsonEnabled()) this.logJson(document)
      else if (error !== undefined) this.note(renderError(error))
      process.exit(exitCode)
    }
  }

  /** Shows how a rotation stands and leaves with its exit code. */
  protected async showRotation(rotation: Rotation): Promise<RotationDocument> {
    const failed = this.#hookFailures
    const document = { ...rotationDocument(rotation), ...(failed.length === 0 ? {} : { hookFailures: failed }) }
    process.exitCode = exitCodeFor(document.outcome)
    await this.print(document)
    return document
  }

  /**
   * A refusal to take a rotation up: the document is still the rotation's, with the error added.
   * @throws the error itself where there is no such rotation
   */
  protected async showRefusal(rotationId: RotationId, error: unknown): Promise<RotationDocument> {
    if (!(error instanceof OperatorError)) throw error
    const shelf = await this.wiring.journals()
    const found = await shelf.read(rotationId).catch(() => null)
    if (found === null) throw error
    const document = { ...rotationDocument(ledgerOf(found.entries).rotation()), error: this.describe(error) }
    process.exitCode = exitCodeOf(error)
    if (!this.jsonEnabled()) throw error
    return document
  }

  private async print(document: RotationDocument): Promise<void> {
    if (this.jsonEnabled()) return
    const { renderPause, renderRotation } = await import('./views/rotation.js')
    this.log(renderRotation(document))
    const pause = renderPause(document)
    if (pause !== null) this.note(pause)
  }
}
