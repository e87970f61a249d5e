/**
 * What CloudHSM CLI prints where no page and no measurement shows it. Every line is a guess by analogy; the output of a
 * real program replaces it here and nowhere else. The texts of its argument parser follow the usual form of that library.
 */
export const ASSUMED = {
  version: (version: string): string => `cloudhsm-cli ${version}\n`,
  continuation: '> ',
  passwordsDiffer: 'Passwords do not match',
  noTerminal: 'No terminal to ask for a password',
  inputEnded: 'Input ended while a password was asked',
  loginFailed: 'Authentication failed',
  secondFactorMissing: 'A signed token is required to log in',
  alreadyLoggedIn: 'A user is already logged in',
  notLoggedIn: 'No user is logged in',
  adminNeeded: 'An Admin must be logged in to perform this operation',
  loginNeeded: 'A user must be logged in to perform this operation',
  wrongRoleVariable: (name: string): string => `${name} must be admin or crypto-user`,
  wrongPinVariable: (name: string): string => `${name} must be <username>:<password>`,
  invalidUsername: (character: string): string => `Invalid character '${character}'`,
  usernameLength: 'Username must have 1 to 31 characters',
  passwordLength: 'Password must have 8 to 32 characters',
  passwordColon: "Password must not contain ':'",
  full: 'No room for another user',
  limitedWrite: 'User management is not available while the cluster is in limited-write mode',
  /** By analogy with the replicate commands. */
  changeFailed: (what: string, failures: number, connections: number): string =>
    `${what} failed on ${failures} of ${connections} connections`,
  configMissing: (path: string): string => `Could not read configuration file at location ${path}`,
  configMalformed: (problem: string): string => `Could not parse configuration file: ${problem}`,
  unknownCluster: (id: string): string => `Cluster ${id} is not in the configuration file`,
  sameCluster: 'Source and destination cluster are the same',
  multiClusterTooOld: 'Only one cluster is supported',
  notImitated: 'This command is not available in the simulator',
} as const

/** How a failure on some connections names the command. */
export const COMMAND_NAMES = {
  create: 'User create',
  change: 'User change password',
  delete: 'User delete',
} as const
