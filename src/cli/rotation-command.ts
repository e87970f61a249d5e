import { hostname, userInfo } from 'node:os'
import type { SharedLockChoice } from '../adapters/rotation-state.js'
import { secretVariable } from '../adapters/shell/secret-variables.js'
import type { ProgressView } from '../adapters/terminal/progress.js'
import type { Discovery } from '../domain/clone-family.js'
import type { ClusterRef } from '../domain/cluster.js'
import type { UtilityConfig } from '../domain/config-files.js'
import type { CredentialStore } from '../domain/credential-store.js'
import { EXIT, OperatorError } from '../domain/errors.js'
import type { Hooks } from '../domain/hooks.js'
import type { HsmConsole } from '../domain/hsm-console.js'
import type { RegionName, RotationId } from '../domain/ids.js'
import { type LockForm, parseLockForm } from '../domain/lock-form.js'
import type { DiscoveryScope } from '../domain/ports.js'
import type { Roster } from '../domain/roster.js'
import { followReadable } from '../domain/rotation/follow-rotation.js'
import type { RotationFacts } from '../domain/rotation/journal-entry.js'
import type { RotationLedger } from '../domain/rotation/ledger.js'
import { exitCodeFor, type HookFailure, type RotationDocument, rotationDocument } from '../domain/rotation/outcome.js'
import { type Rotation, rotationOf } from '../domain/rotation/rotation.js'
import { parseSecretForm } from '../domain/secret-form.js'
import type { SecretSource } from '../domain/secret-source.js'
import type { UtilityName } from '../domain/utility/utility.js'
import type { RollbackOutlook } from '../use-cases/rotation/open/rollback-outlook.js'
import { RollbackRefused } from '../use-cases/rotation/open/rollback-refused.js'
import type { StartPorts } from '../use-cases/rotation/ports.js'
import type { DiscoverUnseen } from '../use-cases/rotation/survey/unseen-regions.js'
import { scopeForClusters } from '../use-cases/scope-for-clusters.js'
import { BaseCommand, renderError } from './base-command.js'
import { keepingFailures } from './hook-failures.js'
import { interruption } from './interrupted.js'
import { type Interrupts, leaveOnInterrupt, listenForInterrupts } from './interrupts.js'
import { requireFlag, silenceLimits } from './rotation-flags.js'
import { type FoundTarget, findTarget, type RotationTarget } from './rotation-target.js'

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

/** What a command that begins something is given: what this machine keeps of it, and who follows it. */
export type BeginPorts = Pick<
  StartPorts,
  'locks' | 'shelf' | 'refusedLogins' | 'newRotationId' | 'clock' | 'stop' | 'progress' | 'who' | 'version'
> & {
  /** Waits until what has ended is shown. */
  readonly settle: () => Promise<void>
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

  /** Asks AWS for the clusters that are meant, and says what people should know of them. */
  protected async find(target: RotationTarget, configPath: string | undefined): Promise<FoundTarget> {
    const found = await findTarget(target, configPath, this.wiring)
    for (const warning of found.warnings) this.note(warning)
    return found
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

  /** Asks AWS again, in the Regions of these clusters alone; in all that `scope` has where one of them is not known. */
  protected discoverAgain(scope: DiscoveryScope, clusters: readonly ClusterRef[]): () => Promise<Discovery> {
    const regions = clusters.flatMap(({ region }) => region ?? [])
    const again = { ...scope, regions: regions.length < clusters.length ? scope.regions : [...new Set(regions)] }
    return async () => (await this.wiring.clusterSource()).discover(again)
  }

  /** Asks AWS where it did not answer before, and where the source is: by the family of that others are known. */
  protected discoverUnseen(scope: DiscoveryScope, source: ClusterRef): DiscoverUnseen {
    return async (unseen) => {
      const refs = unseen.map(
        ({ region, profile }): ClusterRef => ({
          clusterId: source.clusterId,
          region: region as RegionName,
          ...(profile === null ? {} : { profile }),
        }),
      )
      const regions = new Set([source, ...refs].flatMap(({ region }) => region ?? []))
      const wide = { ...scopeForClusters(scope, [source, ...refs]), regions: [...regions] }
      return (await this.wiring.clusterSource()).discover(wide)
    }
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

  /**
   * Begins something that gets a journal: with Ctrl-C that finishes the HSM in hand, and its progress on the screen.
   * @param work what is begun, with the ports that follow it
   */
  protected async begin(lock: SharedLockChoice | undefined, work: (ports: BeginPorts) => Promise<Rotation>) {
    const state = await this.wiring.rotationPorts(lock, (text) => this.note(text))
    let begun = false
    let rotationId: RotationId | null = null
    const stop = await this.listen(
      () => rotationId,
      () => begun,
    )
    const view = await this.progressView()
    try {
      const rotation = await work({
        ...state,
        stop,
        newRotationId: () => {
          rotationId = state.newRotationId()
          return rotationId
        },
        progress: (event) => {
          // The journal has its first line by then, and there is something to resume.
          if (event.kind === 'stage-started' && event.stage !== 'preflight') begun = true
          view.progress(event)
        },
        settle: () => view.settle(),
        who: this.who(),
        version: this.config.version,
      })
      await view.end()
      return await this.showRotation(rotation)
    } finally {
      await view.end()
      stop.release()
    }
  }

  /** That nobody else is kept off, where it is so. */
  protected noteLocalLock(form: LockForm | undefined, what: string): void {
    if (form !== undefined) return
    this.note(
      `The lock holds on this machine only: see to it that nobody starts the same ${what} elsewhere, or give --lock.`,
    )
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
    process.exitCode = exitCodeFor(document)
    await this.print(document, null)
    return document
  }

  /**
   * A refusal to take a rotation up: the document is still the rotation's, with the error added.
   * @throws the error itself where there is no such rotation
   */
  protected async showRefusal(rotationId: RotationId, error: unknown): Promise<RotationDocument> {
    if (!(error instanceof OperatorError)) throw error
    const ledger = await this.readLedger(rotationId)
    if (ledger === null) throw error
    const document = { ...rotationDocument(rotationOf(ledger)), error: this.describe(error) }
    const told = asPaused(error, ledger.hasChanged)
    process.exitCode = told.exitCode
    if (this.jsonEnabled()) return document
    // What it is refused for is told by itself; a rotation that stands half-way is shown with it.
    if (told.exitCode !== EXIT.paused) throw told
    await this.print(document, ledger)
    return document
  }

  /** @param known its journal, where it was read already */
  private async print(document: RotationDocument, known: RotationLedger | null): Promise<void> {
    if (this.jsonEnabled()) return
    const { renderPause, renderRotation } = await import('./views/rotation.js')
    this.log(renderRotation(document))
    const pause = renderPause(document, await this.outlook(document, known))
    if (pause !== null) this.note(pause)
  }

  /** What would come of a rollback of a rotation that is paused; null of any other, or where its journal cannot be read. */
  private async outlook(
    { outcome, rotationId }: RotationDocument,
    known: RotationLedger | null,
  ): Promise<RollbackOutlook | null> {
    if (outcome !== 'paused') return null
    const ledger = known ?? (await this.readLedger(rotationId))
    if (ledger === null) return null
    const { rollbackOutlook } = await import('../use-cases/rotation/open/rollback-outlook.js')
    return rollbackOutlook(ledger)
  }

  /** A rotation as its journal tells it; null where that cannot be read to its end. */
  private async readLedger(rotationId: RotationId): Promise<RotationLedger | null> {
    const { ledger, trouble } = await followReadable(await this.wiring.journals(), rotationId)
    return trouble === null ? ledger : null
  }
}

/**
 * What stands in the way of a rotation that has changed something pauses it: "nothing has changed" would not be so. A
 * rollback that is refused is told as what it is.
 */
const asPaused = (error: OperatorError, hasChanged: boolean): OperatorError =>
  !hasChanged || error.exitCode !== EXIT.refused || error instanceof RollbackRefused
    ? error
    : new OperatorError(error.code, error.message, {
        suggestions: error.suggestions,
        exitCode: EXIT.paused,
        cause: error,
      })
