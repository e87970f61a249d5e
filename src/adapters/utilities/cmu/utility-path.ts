import { runnableProgram } from '../process/program-path.js'

/** Where AWS's package puts it. Source: AWS CloudHSM User Guide, getting started with the management utility. */
export const DEFAULT_UTILITY_PATH = '/opt/cloudhsm/bin/cloudhsm_mgmt_util'

/**
 * The program to run, proved to be a file that may be run.
 * @param configured what a flag or `LOCKSTEP_CMU` says
 * @throws {OperatorError} `UTILITY_NOT_FOUND`, `UTILITY_NOT_EXECUTABLE`
 */
export const utilityPath = (configured: string | undefined): Promise<string> =>
  runnableProgram(
    configured ?? DEFAULT_UTILITY_PATH,
    'management utility',
    `set LOCKSTEP_CMU or --cmu to the program, which AWS installs as ${DEFAULT_UTILITY_PATH}`,
  )
