import type { BackupRecord } from './backup-record.js'
import type { Discovery } from './clone-family.js'
import type { Cluster } from './cluster.js'
import type { RegionName } from './ids.js'

/** Where to look for clusters. */
export interface DiscoveryScope {
  /** Regions to ask; empty means every Region that has an endpoint. */
  readonly regions: readonly RegionName[]
  /** Shared-config profiles to ask through; empty means the default provider chain, unless targets are given. */
  readonly profiles: readonly string[]
  /** Role assumed from the profile's credentials before asking. */
  readonly roleArn?: string
  readonly endpointUrl?: string
  /** Accounts listed in a `--targets` file, asked beside the above. */
  readonly targets: readonly DiscoveryTarget[]
}

/** One account to look into. */
export interface DiscoveryTarget {
  readonly profile: string | null
  readonly regions: readonly RegionName[]
  readonly roleArn?: string
  readonly externalId?: string
}

/** Asks AWS which clusters there are. */
export interface ClusterSource {
  /**
   * Asks every Region and profile of the scope at once. A Region that fails becomes a problem of the answer.
   * @throws {OperatorError} `NO_CREDENTIALS` when no credentials could be found at all
   * @throws {OperatorError} `DISCOVERY_FAILED` when not one Region answered
   */
  discover(scope: DiscoveryScope): Promise<Discovery>
}

/** One Region, looked at through one identity. */
export interface Place {
  readonly region: RegionName
  /** Null: the default provider chain. */
  readonly profile: string | null
  readonly roleArn?: string
  readonly externalId?: string
  /** Whether the operator named the Region, rather than asking for all. */
  readonly named: boolean
}

/** The CloudHSM API of one place. Each method throws {ApiFailure}, and nothing else, when AWS does not answer. */
export interface PlaceApi {
  /** All pages. */
  describeClusters(): Promise<readonly Cluster[]>
  /** Records of the backups named, own ones and those shared with the account; those AWS does not know are left out. */
  describeBackups(backupIds: readonly string[]): Promise<readonly BackupRecord[]>
  /** Frees the connections. */
  close(): void
}

/** Opens places. The deadline of a place counts from here. */
export interface CloudHsmApi {
  /** Every Region that is asked where none is named. */
  readonly regions: readonly RegionName[]
  /** @throws {ApiFailure} no credentials for this place */
  open(place: Place, endpointUrl?: string): Promise<PlaceApi>
}

/** Backup records of earlier runs: a backup expires, and with it the only proof of where a clone came from. */
export interface BackupRecordCache {
  /** Empty when there is none yet, or it cannot be read. */
  load(): Promise<readonly BackupRecord[]>
  /** Adds to what is stored. Never fails: a cache that cannot be written costs certainty later, nothing now. */
  add(records: readonly BackupRecord[]): Promise<void>
}
