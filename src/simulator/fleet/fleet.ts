import type { Operation } from '../hsm/requests.js'
import type { UserType } from '../hsm/user.js'
import type { FleetBehaviour } from './schema.js'

/** One user as one HSM starts with it. */
export interface FleetUser {
  readonly id: number
  readonly type: UserType
  readonly name: string
  readonly password: string | null
  readonly mofnPubKey: boolean
  readonly twoFactor: boolean
  readonly failures: number
}

/** One HSM as the fleet file describes it. */
export interface FleetHsm {
  readonly hsmId: string
  /** Null: the simulator gives it one of its block. */
  readonly eniIp: string | null
  readonly state: string
  readonly users: readonly FleetUser[]
}

/** One cluster, as the API will show it, and its HSMs. */
export interface FleetCluster {
  readonly clusterId: string
  readonly region: string
  readonly account: string
  readonly family: string
  readonly hsmType: string
  /** Null: an old record, which has none. */
  readonly mode: string | null
  readonly state: string
  readonly sourceBackupId: string | null
  /** Seconds since 1970. */
  readonly createdAt: number
  /** PEM, or what the API shows in its place; null where it shows nothing. */
  readonly certificate: string | null
  /** Officers that have to approve a change to users; 0 for none. */
  readonly quorum: number
  readonly tags: Readonly<Record<string, string>>
  readonly hsms: readonly FleetHsm[]
}

/** One backup record. */
export interface FleetBackup {
  readonly backupId: string
  readonly region: string
  readonly account: string
  /** Accounts it is shared with. */
  readonly sharedWith: readonly string[]
  readonly clusterId: string
  readonly hsmType: string
  readonly mode: string | null
  /** Seconds since 1970. A copy keeps its source's. */
  readonly createdAt: number
  /** Only on a copy from another Region. */
  readonly copy: { readonly region: string; readonly backupId: string; readonly copiedAt: number } | null
}

/** Credentials that stand for an account. The secret is never checked. */
export interface FleetAccount {
  readonly account: string
  readonly accessKeyId: string
}

/** A fleet file with every default filled in and every ID derived. */
export interface Fleet {
  readonly clusters: readonly FleetCluster[]
  readonly backups: readonly FleetBackup[]
  /** The first is the one the ready line's credentials belong to. */
  readonly accounts: readonly FleetAccount[]
  /** Milliseconds one HSM takes for each operation. */
  readonly latencyMs: Readonly<Record<Operation, number>>
  readonly awsDelayMs: number
  readonly lockoutLimit: number
  readonly behaviour: FleetBehaviour
}
