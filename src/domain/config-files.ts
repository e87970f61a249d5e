import type { Sha256 } from './ids.js'
import type { ConfigDocument } from './merged-config.js'
import type { Roster } from './roster.js'
import type { MappedCluster, RosterMap } from './roster-map.js'

/** A configuration as it stands in a file. */
export interface StoredConfig {
  readonly document: ConfigDocument
  /** Of the file's bytes. */
  readonly sha256: Sha256
  readonly map: RosterMap
}

/** A configuration that is about to be written. */
export interface DraftConfig {
  readonly document: ConfigDocument
  readonly roster: Roster
  readonly clusters: readonly MappedCluster[]
}

/** What writing a configuration came to. */
export interface WrittenConfig {
  readonly sha256: Sha256
  /** False where the file said the same already; then nothing was written. */
  readonly changed: boolean
  /** Where the file that was replaced is kept; null where there was none, or nothing changed. */
  readonly backup: string | null
}

/** A configuration that can be worked with: it is the one that was generated. */
export interface LoadedConfig {
  readonly roster: Roster
  readonly document: ConfigDocument
  readonly sha256: Sha256
  readonly clusters: readonly MappedCluster[]
}

/** Configurations of the management utility, each with its map beside it. */
export interface ConfigFiles {
  /**
   * A configuration to take paths and settings from.
   * @throws {OperatorError} `CONFIG_UNREADABLE`, `CONFIG_MALFORMED` (exit 2)
   */
  readBase(path: string): Promise<ConfigDocument>
  /**
   * A configuration and its map, whether they belong together or not.
   * @throws {OperatorError} as `readBase`; `MAP_MISSING` (exit 3), `MAP_MALFORMED` (exit 2)
   */
  read(path: string): Promise<StoredConfig>
  /** @throws {OperatorError} `OUT_UNWRITABLE` (exit 2) */
  checkWritable(path: string): Promise<void>
  /**
   * What `write` would change, as a unified diff; empty where the file says the same already.
   * @throws {OperatorError} `CONFIG_UNREADABLE` (exit 2)
   */
  preview(path: string, draft: DraftConfig): Promise<{ readonly sha256: Sha256; readonly diff: string }>
  /**
   * Writes the configuration, then its map; a crash between the two leaves a hash that does not match.
   * @throws {OperatorError} `OUT_UNWRITABLE` (exit 2), the files then being as they were
   */
  write(path: string, draft: DraftConfig): Promise<WrittenConfig>
}
