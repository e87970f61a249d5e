import type { Discovery } from './clone-family.js'
import type { RegionName } from './ids.js'

/** Where to look for clusters. */
export interface DiscoveryScope {
  /** Regions to ask; empty means every Region that has an endpoint. */
  readonly regions: readonly RegionName[]
  /** Shared-config profiles to ask through; empty means the default provider chain. */
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
   */
  discover(scope: DiscoveryScope): Promise<Discovery>
}
