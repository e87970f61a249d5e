import { type RegionCatalogue, regionCatalogue } from './adapters/cloudhsm-api/regions.js'
import type { StoreKeys } from './adapters/credential-store/age-box.js'
import type { SharedLockChoice } from './adapters/rotation-state.js'
import type { LockFinder } from './domain/cluster-lock.js'
import type { ConfigFiles, LoadedConfig, UtilityConfig } from './domain/config-files.js'
import type { CredentialStore } from './domain/credential-store.js'
import type { HandOverForm } from './domain/hand-over-form.js'
import type { Hooks } from './domain/hooks.js'
import type { HsmConsole } from './domain/hsm-console.js'
import type { RegionName, RotationId } from './domain/ids.js'
import type { LeftoverProcesses } from './domain/leftover-processes.js'
import type { Operator } from './domain/operator.js'
import type { ClusterSource, DiscoveryTarget } from './domain/ports.js'
import type { Roster } from './domain/roster.js'
import type { JournalShelf } from './domain/rotation/journal.js'
import type { LostCluster } from './domain/rotation/journal-entry.js'
import type { RotationPlan } from './domain/rotation/plan.js'
import type { PlanFile } from './domain/rotation/plan-file.js'
import type { Rotation } from './domain/rotation/rotation.js'
import type { Secret } from './domain/secret.js'
import type { SecretSource } from './domain/secret-source.js'
import type { StartPorts } from './use-cases/rotation/ports.js'

/**
 * What stands behind each port. Adapters are loaded when first asked for, so a command that asks nothing of AWS does
 * not pay for loading its SDK.
 */
export interface Wiring {
  /** @throws {OperatorError} exit 2: `LOCKSTEP_REGIONS` is malformed */
  regions(): RegionCatalogue
  clusterSource(): Promise<ClusterSource>
  /**
   * @param asRegion checks a Region of the file; throws where it is wrong
   * @throws {OperatorError} exit 2: `TARGETS_UNREADABLE`, `BAD_TARGETS`
   */
  readTargets(file: string, asRegion: (text: string) => RegionName): Promise<readonly DiscoveryTarget[]>
  /** Journals below the state directory. */
  journals(): Promise<JournalShelf>
  /**
   * Reads a rotation without waiting, for a program that is about to end; null where there is none that can be read.
   */
  rotationNow(): Promise<(rotationId: RotationId) => Rotation | null>
  secrets(): Promise<SecretSource>
  openStore(text: string, keys: StoreKeys): Promise<CredentialStore>
  /** Hands a credential to a file or a command. @param force whether a file that is there may be replaced */
  handOver(form: HandOverForm, secret: Secret, force: boolean): Promise<void>
  /** Conversations with HSMs through the utility; each runs on a configuration derived from `document`. */
  console(options: ConsoleOptions): Promise<HsmConsole>
  /** The roster beside a merged configuration, whose hash must match. */
  loadRoster(path: string): Promise<LoadedConfig>
  configFiles(): Promise<ConfigFiles>
  operator(assumeYes: boolean): Promise<Operator>
  /**
   * What a rotation keeps on this machine beside its credentials.
   * @param notice told what people should know about what was found there
   */
  rotationPorts(
    lock?: SharedLockChoice,
    notice?: (text: string) => void,
  ): Promise<Pick<StartPorts, 'locks' | 'shelf' | 'refusedLogins' | 'newRotationId' | 'clock'>>
  /** Locks as `rotate unlock` looks for them. */
  lockFinder(lock?: SharedLockChoice, notice?: (text: string) => void): Promise<LockFinder>
  /** Commands of the operator; those that are not given do nothing. */
  hooks(commands: Readonly<Record<'before-change' | 'after-finalize', string | undefined>>): Promise<Hooks>
  leftovers(): Promise<LeftoverProcesses>
  /** @throws {OperatorError} `PLAN_UNREADABLE`, `PLAN_MALFORMED` (exit 2) */
  readPlan(path: string): Promise<PlanFile>
  /** @throws {OperatorError} `OUT_UNWRITABLE` (exit 2) */
  writePlan(path: string, plan: RotationPlan, lost: readonly LostCluster[]): Promise<PlanFile>
}

/** How HSMs are spoken to. */
export interface ConsoleOptions {
  /** The utility; where AWS installs it when absent. */
  readonly path: string | undefined
  /** The merged configuration. */
  readonly config: UtilityConfig
  /** Every HSM of the clusters that may be spoken to. */
  readonly roster: Roster
  /** The longest silence while the utility connects and while it runs a command, in milliseconds. */
  readonly startupMs: number
  readonly commandMs: number
}

/** The real thing. Tests replace `BaseCommand.wiring`. */
export const wiring: Wiring = {
  regions: () => regionCatalogue(),
  clusterSource: async () => {
    const [{ AwsCloudHsmApi }, { BackupRecordFile }, { discoverClusters }, { stateDirectory }] = await Promise.all([
      import('./adapters/cloudhsm-api/aws-cloudhsm-api.js'),
      import('./adapters/backup-record-file.js'),
      import('./use-cases/discover-clusters.js'),
      import('./adapters/state-directory.js'),
    ])
    const api = new AwsCloudHsmApi({ regions: regionCatalogue().all })
    const cache = new BackupRecordFile(stateDirectory())
    return { discover: (scope) => discoverClusters({ api, cache }, scope) }
  },
  readTargets: async (file, asRegion) => {
    const { readTargets } = await import('./adapters/targets-file.js')
    return readTargets(file, asRegion)
  },
  journals: async () => {
    const { journals } = await import('./adapters/journals.js')
    return journals()
  },
  rotationNow: async () => {
    const { rotationNow } = await import('./adapters/journals.js')
    return rotationNow
  },
  secrets: async () => {
    const { secretSource } = await import('./adapters/secret-source/secret-source.js')
    return secretSource()
  },
  openStore: async (text, keys) => {
    const { openCredentialStore } = await import('./adapters/credential-store/open-credential-store.js')
    return openCredentialStore(text, keys)
  },
  handOver: async (form, secret, force) => {
    const { handOver } = await import('./adapters/hand-over/hand-over.js')
    return handOver(form, secret, { force, env: process.env, argv: process.argv, timeoutMs: 60_000 })
  },
  console: async ({ path, config, roster, startupMs, commandMs }) => {
    if (config.utility === 'cloudhsm-cli') {
      const [{ cloudHsmCli }, { deriveCliSessionConfig }] = await Promise.all([
        import('./adapters/utilities/cloudhsm-cli/console.js'),
        import('./domain/cli-config.js'),
      ])
      return cloudHsmCli({
        path,
        fixedConfig: process.env['LOCKSTEP_CLOUDHSM_CLI_CONFIG'] || undefined,
        configFor: (servers) => deriveCliSessionConfig(config.document, servers),
        roster,
        limits: { startupMs, commandMs, goodbyeMs: 5_000 },
        environment: process.env,
        now: () => new Date(),
      })
    }
    const { document } = config
    const [{ managementUtility }, { deriveSessionConfig }] = await Promise.all([
      import('./adapters/utilities/cmu/console.js'),
      import('./domain/merged-config.js'),
    ])
    return managementUtility({
      path,
      configFor: (servers) => deriveSessionConfig(document, servers),
      limits: { startupMs, commandMs, goodbyeMs: 5_000 },
      environment: process.env,
      now: () => new Date(),
    })
  },
  loadRoster: async (path) => {
    const { loadConfig } = await import('./adapters/config-file/load-config.js')
    return loadConfig(path)
  },
  configFiles: async () => {
    const { configFiles } = await import('./adapters/config-file/config-files.js')
    return configFiles(() => new Date())
  },
  operator: async (assumeYes) => {
    const { terminalOperator } = await import('./adapters/terminal/question.js')
    return terminalOperator(assumeYes)
  },
  rotationPorts: async (lock, notice) => {
    const { rotationState } = await import('./adapters/rotation-state.js')
    return rotationState(lock, notice)
  },
  lockFinder: async (lock, notice) => {
    const { rotationLocks } = await import('./adapters/rotation-state.js')
    return rotationLocks(lock, notice)
  },
  hooks: async (commands) => {
    const { hookCommands } = await import('./adapters/hook-commands.js')
    return hookCommands(commands, process.env)
  },
  leftovers: async () => {
    const { leftoverProcesses } = await import('./adapters/lock/leftover-processes.js')
    return leftoverProcesses()
  },
  readPlan: async (path) => {
    const { readPlan } = await import('./adapters/plan-file.js')
    return readPlan(path)
  },
  writePlan: async (path, plan, lost) => {
    const { writePlan } = await import('./adapters/plan-file.js')
    return writePlan(path, plan, new Date(), lost)
  },
}
