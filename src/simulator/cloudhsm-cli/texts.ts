/**
 * What CloudHSM CLI prints and some page or measurement shows. Its counterpart is `assumed-texts.ts`.
 * Sources: AWS CloudHSM User Guide, pages `cloudhsm_cli-*` and `troubleshoot-sdk5-*`; public measurements on hsm2m.medium.
 */
export const TEXTS = {
  prompt: 'aws-cloudhsm > ',
  enterPassword: 'Enter password:',
  confirmPassword: 'Confirm password:',
  logoutSuccessful: 'Logout successful',
  userReplicated: 'Successfully replicated user',
  noSuchUser: 'Specified user does not exist',
  userExists: 'User already exists',
  userInconsistent: 'Specified user is inconsistent across the cluster',
  quorumRequired: 'Quorum approval is required for this operation',
  replicateFailed: (failures: number, connections: number): string =>
    `User replicate failed on ${failures} of ${connections} connections`,
  severalClusters: 'multiple clusters provided in configuration file. Please specify `cluster-id`',
  hostnameInvalid: 'Config key hostname has invalid value',
  cannotConnect: 'Failed to initialize hsm1 context',
  disconnected: 'HSM is disconnected',
  fileMissing: (key: string): string =>
    `Could not read configuration-referenced file ${key} at location : No such file or directory`,
} as const

/** The prompt of whoever is logged in, where the file holds several clusters. */
export const loggedInPrompt = (username: string, clusterId: string): string => `${username}@${clusterId} > `

/** Address in the configuration of a package that was installed and never configured. */
export const UNCONFIGURED = '%%HSM_IP_ADDRESS%%'
