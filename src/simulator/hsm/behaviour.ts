/** What nobody has published about the real HSM, and therefore can be switched. The fleet file's `behaviour`. */
export interface HsmBehaviour {
  /** What inserting a user does where the destination has it already. `ignore` reports success and changes nothing. */
  readonly syncUserExisting: 'overwrite' | 'refuse' | 'ignore'
  /** How "already has it" is decided. */
  readonly syncUserMatches: 'id' | 'name'
  /** Whether a user that is logged in at the destination can be overwritten. */
  readonly syncUserOntoLoggedIn: 'deny' | 'allow'
  /** What `user replicate` does where the destination has the user with the same attributes and another password. */
  readonly userReplicateExisting: 'overwrite' | 'refuse' | 'ignore'
  /** Whether a quorum also stands before a user's change of its own password. */
  readonly quorumGatesOwnPassword: boolean
  /** Whether a good login sets the failure count back to 0. */
  readonly loginResetsFailures: boolean
  /** Whether being overwritten by syncUser sets the failure count back to 0 and unlocks. */
  readonly syncResetsFailures: boolean
  /** What a login that omits `-2fa` meets where the user has a second factor; `count`: as a failed login. */
  readonly loginWithoutSecondFactor: 'refuse' | 'count' | 'accept'
  /** Failures in a row at which a user is locked. */
  readonly lockoutLimit: number
}

/** What faults do to one HSM from outside. Read at every request. */
export interface HsmConditions {
  /** Users with a session through another client, by `keyOf`, with the number of sessions. */
  readonly sessionsElsewhere: Map<string, number>
  /** Officers that have to approve a change to users (the M value of service 3); 0 where none has to. */
  quorum: number
  full: boolean
  /** Limited-write mode: a migration is going on, users cannot be changed. */
  limitedWrite: boolean
  /** Overrides `syncUserExisting`. */
  syncRefuses: boolean
}

export const calmConditions = (): HsmConditions => ({
  sessionsElsewhere: new Map(),
  quorum: 0,
  full: false,
  limitedWrite: false,
  syncRefuses: false,
})
