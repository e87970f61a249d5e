import type { UtilityName } from './utility.js'

/**
 * What one utility can do and how it behaves, one property for each question the engine asks. No property is read for
 * what another one says: that a write reaches a whole cluster tells nothing about counts or identities.
 */
export interface UtilityCapabilities {
  /** How far one write goes: the *unit* of a rotation. */
  readonly writeReach: 'hsm' | 'cluster'
  /** How far one row of a listing of users reaches: with `cluster` what it says of a user may be so on one HSM alone. */
  readonly listingReach: 'hsm' | 'cluster'
  /** By what an HSM is known in a conversation: a serial number is a check, and changes when AWS replaces the HSM. */
  readonly identity: 'hsm-id' | 'serial-number'
  /** Whether a listing shows how many logins in a row failed. */
  readonly countsFailures: boolean
  /** Whether a program may be ended in the middle of a write: not where half of one write is worse than a late one. */
  readonly mayEndWrite: boolean
  readonly copy: CopyCapabilities
  readonly words: UtilityWords
}

/** What its copy of a user with its password does. */
export interface CopyCapabilities {
  /** What it goes between: with `clusters` there is no copy inside one. */
  readonly between: 'hsms' | 'clusters'
  /** Whether AWS says that it overwrites the password of a user that exists there. */
  readonly overwriting: 'documented' | 'undocumented'
  /** Whether the user is named by its ID, so that several IDs of one user forbid it. */
  readonly namesUserBy: 'id' | 'name'
}

/** How the utility calls what is done, for messages. */
export interface UtilityWords {
  readonly copy: string
  readonly change: string
  /** What makes a user. */
  readonly create: string
  /** What officers do to approve a change where there is a quorum. */
  readonly approval: string
}

/** Sources: AWS CloudHSM User Guide, `syncUser`, `changePswd`, `cloudhsm_cli-user-replicate`, `-user-change-password`. */
const CAPABILITIES: Readonly<Record<UtilityName, UtilityCapabilities>> = {
  cmu: {
    writeReach: 'hsm',
    listingReach: 'hsm',
    identity: 'hsm-id',
    countsFailures: true,
    mayEndWrite: true,
    copy: { between: 'hsms', overwriting: 'documented', namesUserBy: 'id' },
    words: { copy: 'syncUser', change: 'changePswd', create: 'createUser', approval: 'getToken and approveToken' },
  },
  'cloudhsm-cli': {
    writeReach: 'cluster',
    listingReach: 'cluster',
    identity: 'serial-number',
    countsFailures: false,
    mayEndWrite: false,
    copy: { between: 'clusters', overwriting: 'undocumented', namesUserBy: 'name' },
    words: {
      copy: 'user replicate',
      change: 'user change-password',
      create: 'user create',
      approval: 'quorum token-sign generate',
    },
  },
}

/** What a utility can do. The one place that goes by its name. */
export const capabilitiesOf = (utility: UtilityName): UtilityCapabilities => CAPABILITIES[utility]
