/** Options of the fault command, beside `--hsm`, `--off`, `--dir` and `--json`. */
export interface FaultOptions {
  readonly user?: string
  readonly operation?: string
  readonly nth?: string
  readonly from?: string
  readonly ms?: string
  readonly count?: string
  readonly times?: string
  readonly region?: string
  readonly cluster?: string
  readonly state?: string
  readonly users?: string
  readonly password?: string
  readonly executes?: boolean
  readonly counted?: boolean
  readonly 'aws-too'?: boolean
}

export type FaultOption = keyof FaultOptions

/** What a kind of fault takes. */
export interface FaultKind {
  /** What it strikes: HSMs chosen by `--hsm`, a cluster, or AWS calls. */
  readonly target: 'hsm' | 'cluster' | 'aws'
  readonly takes: readonly FaultOption[]
  /** Needed to switch it on. */
  readonly needs?: readonly FaultOption[]
  readonly does: string
}

/** Every kind there is. */
export const FAULTS = {
  unreachable: { target: 'hsm', takes: [], does: 'connections are refused, open ones are cut' },
  silent: { target: 'hsm', takes: [], does: 'connections are accepted and nothing is ever answered' },
  slow: { target: 'hsm', takes: ['ms'], needs: ['ms'], does: 'every operation takes --ms longer' },
  limited: { target: 'hsm', takes: [], does: 'limited commands mode: the end-to-end channel cannot be set up' },
  'refuse-login': {
    target: 'hsm',
    takes: ['user', 'nth', 'from', 'counted'],
    does: 'right passwords are refused too, from the --from-th login on if given; with --counted as failed logins',
  },
  refuse: {
    target: 'hsm',
    takes: ['operation', 'nth', 'user'],
    needs: ['operation'],
    does: 'the operation fails, only the --nth call if given',
  },
  drop: {
    target: 'hsm',
    takes: ['operation', 'nth', 'user', 'executes'],
    does: 'the connection is lost in the middle of a change, or of --operation; with --executes after carrying it out',
  },
  'die-after': {
    target: 'hsm',
    takes: ['operation', 'nth', 'user'],
    does: 'a change, or --operation, is carried out and never answered',
  },
  late: {
    target: 'hsm',
    takes: ['operation', 'nth', 'user', 'ms'],
    does: 'a change, or --operation, is carried out --ms after the client has gone',
  },
  'logged-in': { target: 'hsm', takes: ['user'], needs: ['user'], does: 'a session of --user is open elsewhere' },
  'missing-user': {
    target: 'hsm',
    takes: ['user'],
    needs: ['user'],
    does: '--user is not on the HSM; --off brings it back',
  },
  failures: {
    target: 'hsm',
    takes: ['user', 'count'],
    needs: ['user', 'count'],
    does: '--user has failed to log in --count times; from the lockout limit on it is locked',
  },
  'set-password': {
    target: 'hsm',
    takes: ['user', 'password'],
    needs: ['user', 'password'],
    does: 'somebody changed the password of --user to --password SECRET; --off brings the last one back',
  },
  'sync-refuse': { target: 'hsm', takes: [], does: 'syncUser refuses a user that exists' },
  'wrong-masking-key': { target: 'hsm', takes: [], does: 'masked objects of the family cannot be opened' },
  full: { target: 'hsm', takes: [], does: 'no room for another user' },
  quorum: { target: 'hsm', takes: ['count'], does: 'user management needs --count approvals, 2 if not given' },
  degraded: { target: 'hsm', takes: ['state'], does: 'AWS reports the HSM as DEGRADED, or as --state' },
  replaced: {
    target: 'hsm',
    takes: ['aws-too', 'users'],
    does: 'another HSM answers under the address; AWS reports the old one unless --aws-too; --users original: as from an old backup',
  },
  added: {
    target: 'cluster',
    takes: ['cluster', 'users'],
    needs: ['cluster'],
    does: 'the cluster gains an HSM, with the users of a sibling or, with --users original, of the first backup',
  },
  'cluster-state': {
    target: 'cluster',
    takes: ['cluster', 'state'],
    needs: ['cluster', 'state'],
    does: 'AWS reports the cluster in --state',
  },
  'limited-write': {
    target: 'cluster',
    takes: ['cluster'],
    needs: ['cluster'],
    does: 'a migration goes on: its HSMs refuse to change users, AWS reports MODIFY_IN_PROGRESS',
  },
  partial: {
    target: 'cluster',
    takes: ['cluster', 'operation', 'count', 'nth'],
    needs: ['cluster', 'operation', 'count'],
    does: 'the operation fails on --count HSMs of the cluster, the first ones; only their --nth call if given',
  },
  joining: {
    target: 'cluster',
    takes: ['cluster'],
    needs: ['cluster'],
    does: 'an HSM is being added with the users of now; --off completes it, without what changed meanwhile',
  },
  throttle: { target: 'aws', takes: ['region', 'times'], does: 'calls are throttled, --times calls if given' },
  'aws-error': { target: 'aws', takes: ['region', 'times'], does: 'calls fail with an internal error' },
  'aws-html': {
    target: 'aws',
    takes: ['region', 'times'],
    does: 'calls are answered with status 500 and a page of HTML',
  },
  'aws-truncated': { target: 'aws', takes: ['region', 'times'], does: 'answers end in the middle' },
  'aws-reset': { target: 'aws', takes: ['region', 'times'], does: 'connections are reset' },
  'aws-delay': { target: 'aws', takes: ['region', 'ms'], needs: ['ms'], does: 'calls take --ms longer' },
  'expired-credentials': { target: 'aws', takes: ['region', 'times'], does: 'the credentials have expired' },
  'region-denied': { target: 'aws', takes: ['region'], needs: ['region'], does: 'a policy denies the Region' },
  'region-not-enabled': {
    target: 'aws',
    takes: ['region'],
    needs: ['region'],
    does: 'the Region does not know the credentials',
  },
} as const satisfies Record<string, FaultKind>

export type FaultName = keyof typeof FAULTS

export const isFaultName = (text: string): text is FaultName => Object.hasOwn(FAULTS, text)

/** One use of the fault command. */
export interface FaultRequest {
  readonly kind: FaultName
  readonly off: boolean
  /** HSM IDs; empty for all. */
  readonly hsms: readonly string[]
  readonly options: FaultOptions
}

/** What it did: the HSMs concerned, by the ID they answer with now. */
export interface FaultReport {
  readonly kind: FaultName
  readonly off: boolean
  readonly hsms: readonly string[]
}
