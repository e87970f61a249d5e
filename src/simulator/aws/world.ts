import type { FleetBackup, FleetCluster } from '../fleet/fleet.js'
import type { AwsFaults } from './aws-faults.js'
import type { Secrets } from './secrets-manager/secrets.js'

/** An HSM as AWS reports it now. */
export interface ReportedHsm {
  readonly hsmId: string
  readonly eniIp: string
  readonly state: string
  /** Position in its cluster, from 0: decides the availability zone. */
  readonly index: number
}

/** A cluster as AWS reports it now. */
export interface ReportedCluster {
  readonly cluster: FleetCluster
  readonly state: string
  readonly hsms: readonly ReportedHsm[]
}

/** What the AWS endpoint shows, read anew for every call. */
export interface AwsWorld {
  readonly clusters: () => readonly ReportedCluster[]
  readonly backups: () => readonly FleetBackup[]
  /** Account of an access key, null for one nobody has. */
  readonly accountOf: (accessKeyId: string) => string | null
  /** Access key for a role's session in the account, null where the fleet has no such account. */
  readonly sessionKeyFor: (account: string) => string | null
  readonly faults: AwsFaults
  readonly secrets: Secrets
}
