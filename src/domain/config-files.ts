import type { CliConfigDocument } from './cli-config.js'
import type { HsmId, Sha256 } from './ids.js'
import type { ConfigDocument } from './merged-config.js'
import type { Roster } from './roster.js'
import type { MappedCluster, MappedProof, RosterMap } from './roster-map.js'
import type { UtilityChoice } from './utility/utility.js'

/** A configuration in the format of the utility it is for. */
export type UtilityConfig =
  | { readonly utility: 'cmu'; readonly document: ConfigDocument }
  | { readonly utility: 'cloudhsm-cli'; readonly document: CliConfigDocument }

/** The configuration alone, without what is known of its file. */
export const onlyConfig = (config: UtilityConfig): UtilityConfig =>
  config.utility === 'cmu'
    ? { utility: config.utility, document: config.document }
    : { utility: config.utility, document: config.document }

/** A configuration that lists one HSM alone, and where it stands. */
export interface ProofConfig extends MappedProof {
  readonly path: string
}

/** What stands where the configuration of one HSM was generated. */
export interface StoredProof {
  readonly hsmId: HsmId
  readonly path: string
  /** Of its bytes; null where it is not there. */
  readonly sha256: Sha256 | null
  /** The addresses it lists; null where it has not the form of such a configuration. */
  readonly addresses: readonly string[] | null
}

/** A configuration as it stands in a file. */
export type StoredConfig = UtilityConfig & {
  /** Of the file's bytes. */
  readonly sha256: Sha256
  readonly map: RosterMap
  /** Those of the map, in its order. */
  readonly proofs: readonly StoredProof[]
  /** Files that stand among them and are not in the map. */
  readonly strayProofs: readonly string[]
}

/** A configuration that is about to be written. */
export type DraftConfig = UtilityConfig & {
  readonly roster: Roster
  readonly clusters: readonly MappedCluster[]
}

/** What a draft comes to on disk. */
interface Rendered {
  readonly sha256: Sha256
  /** Configurations of cloudhsm-cli for one HSM each; none for cloudhsm_mgmt_util. */
  readonly proofConfigs: readonly ProofConfig[]
}

/** What writing a configuration would change. */
export interface PreviewedConfig extends Rendered {
  /** Unified; empty where the files say the same already. */
  readonly diff: string
}

/** What writing a configuration came to. */
export interface WrittenConfig extends Rendered {
  /** False where the file said the same already; then nothing was written. */
  readonly changed: boolean
  /** Where the file that was replaced is kept; null where there was none, or nothing changed. */
  readonly backup: string | null
}

/** A configuration that can be worked with: it is the one that was generated. */
export type LoadedConfig = UtilityConfig & {
  readonly roster: Roster
  readonly sha256: Sha256
  readonly clusters: readonly MappedCluster[]
  /** Of cloudhsm-cli; none for cloudhsm_mgmt_util. */
  readonly proofConfigs: readonly ProofConfig[]
}

/** Configurations of the utilities, each with its map beside it; which utility one is for shows in its content. */
export interface ConfigFiles {
  /**
   * A configuration to take paths and settings from.
   * @throws {OperatorError} `CONFIG_UNREADABLE`, `CONFIG_MALFORMED` (exit 2)
   */
  readBase(path: string): Promise<UtilityConfig>
  /**
   * A configuration and its map, whether they belong together or not.
   * @throws {OperatorError} as `readBase`; `MAP_MISSING` (exit 3), `MAP_MALFORMED` (exit 2)
   */
  read(path: string): Promise<StoredConfig>
  /**
   * @param utility `cmu` needs no folder beside the file
   * @throws {OperatorError} `OUT_UNWRITABLE` (exit 2)
   */
  checkWritable(path: string, utility: UtilityChoice): Promise<void>
  /**
   * What `write` would change, the map aside.
   * @throws {OperatorError} `OUT_UNWRITABLE` (exit 2)
   */
  preview(path: string, draft: DraftConfig): Promise<PreviewedConfig>
  /**
   * Writes the configuration, those of single HSMs, then the map; a crash in between leaves a hash that does not match.
   * Removes configurations of single HSMs that the map it replaces names and this draft does not.
   * @throws {OperatorError} `OUT_UNWRITABLE` (exit 2), the files then being as they were
   */
  write(path: string, draft: DraftConfig): Promise<WrittenConfig>
}
