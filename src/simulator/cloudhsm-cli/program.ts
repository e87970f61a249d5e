import { CommandFailed, PlainError } from './answer.js'
import { ASSUMED } from './assumed-texts.js'
import type { Values } from './command.js'
import type { ConfiguredCluster } from './config.js'
import { ClusterConnection, type LineTo } from './connection.js'
import { type Credentials, logIn } from './log-in.js'
import type { PasswordPrompt } from './secrets.js'
import type { CliSettings } from './settings.js'
import { TEXTS } from './texts.js'

/** Where passwords come from. */
type Passwords = Pick<PasswordPrompt, 'enter' | 'choose'>

/** Everything a command works with. */
export interface ProgramParts {
  readonly settings: CliSettings
  readonly clusters: readonly ConfiguredCluster[]
  readonly passwords: Passwords
  readonly lineTo: LineTo
  /** `--cluster-id` of interactive mode. */
  readonly defaultClusterId: string | null
  /** Of single command mode, where each command logs in afresh; null in interactive mode. */
  readonly environment: { readonly own: Credentials | null; readonly destination: Credentials | null } | null
}

/** The running program: its configuration, and the clusters it has connected to so far. */
export class Program {
  ended = false
  readonly settings: CliSettings
  readonly passwords: Passwords
  readonly #parts: ProgramParts
  readonly #connections = new Map<ConfiguredCluster, ClusterConnection>()

  constructor(parts: ProgramParts) {
    this.#parts = parts
    this.settings = parts.settings
    this.passwords = parts.passwords
  }

  get severalClusters(): boolean {
    return this.#parts.clusters.length > 1
  }

  /** The cluster an ID means; the default, or the only one, where none is given. @throws {PlainError} */
  configured(id: string | null): ConfiguredCluster {
    const { clusters, defaultClusterId } = this.#parts
    const wanted = id ?? defaultClusterId
    if (wanted === null) {
      const [only, ...others] = clusters
      if (!only || others.length > 0) throw new PlainError(TEXTS.severalClusters)
      return only
    }
    const found = clusters.find(({ clusterId }) => clusterId === wanted)
    if (!found) throw new PlainError(ASSUMED.unknownCluster(wanted))
    return found
  }

  /** Lines to a cluster, opened at the first use. @throws {PlainError} */
  async connect(id: string | null): Promise<ClusterConnection> {
    const cluster = this.configured(id)
    const open =
      this.#connections.get(cluster) ?? (await ClusterConnection.open(cluster, this.settings, this.#parts.lineTo))
    this.#connections.set(cluster, open)
    return open
  }

  /** The cluster of a command that needs no login. */
  async reader(values: Values): Promise<ClusterConnection> {
    const cluster = await this.connect(values.get('cluster-id') ?? null)
    const own = this.#parts.environment?.own
    if (own && this.settings.cliReadingLogsIn) await logIn(cluster, own, this.settings)
    return cluster
  }

  /**
   * The cluster of a command that needs one.
   * @param as whose credentials serve in single command mode
   * @throws {CommandFailed} nobody is logged in
   */
  async loggedIn(id: string | null, as: 'own' | 'destination' = 'own'): Promise<ClusterConnection> {
    const cluster = await this.connect(id)
    const credentials = this.#parts.environment?.[as]
    if (credentials) await logIn(cluster, credentials, this.settings)
    if (!cluster.user) throw new CommandFailed(ASSUMED.loginNeeded)
    return cluster
  }

  /** Who is logged in at the cluster of the prompt. */
  get promptUser(): { readonly username: string; readonly clusterId: string } | null {
    const { clusters, defaultClusterId } = this.#parts
    const cluster = clusters.find(({ clusterId }) => clusterId === defaultClusterId)
    const user = cluster && this.#connections.get(cluster)?.user
    return user && defaultClusterId !== null ? { username: user.username, clusterId: defaultClusterId } : null
  }

  close(): void {
    for (const connection of this.#connections.values()) connection.close()
  }
}
