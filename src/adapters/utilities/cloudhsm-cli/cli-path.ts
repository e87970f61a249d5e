import { runnableProgram } from '../process/program-path.js'

/** Where AWS's package puts it. Source: AWS CloudHSM User Guide, `cloudhsm_cli-modes`. */
export const DEFAULT_CLI_PATH = '/opt/cloudhsm/bin/cloudhsm-cli'

/** What it reads unless it can be told another. Source: AWS CloudHSM User Guide, `activate-cluster`. */
export const DEFAULT_CLI_CONFIG = '/opt/cloudhsm/etc/cloudhsm-cli.cfg'

/**
 * The program to run, proved to be a file that may be run.
 * @param configured what a flag or `LOCKSTEP_CLOUDHSM_CLI` says
 * @throws {OperatorError} `UTILITY_NOT_FOUND`, `UTILITY_NOT_EXECUTABLE`
 */
export const cliPath = (configured: string | undefined): Promise<string> =>
  runnableProgram(
    configured ?? DEFAULT_CLI_PATH,
    'CloudHSM CLI',
    `set LOCKSTEP_CLOUDHSM_CLI or --cloudhsm-cli to the program, which AWS installs as ${DEFAULT_CLI_PATH}`,
  )
