import { constants } from 'node:fs'
import { access, stat } from 'node:fs/promises'
import { refusal } from '../../domain/errors.js'

/** Where AWS's package puts it. Source: AWS CloudHSM User Guide, getting started with the management utility. */
export const DEFAULT_UTILITY_PATH = '/opt/cloudhsm/bin/cloudhsm_mgmt_util'

/**
 * The program to run, proved to be a file that may be run.
 * @param configured what a flag or `LOCKSTEP_CMU` says
 * @throws {OperatorError} `UTILITY_NOT_FOUND`, `UTILITY_NOT_EXECUTABLE`
 */
export const utilityPath = async (configured: string | undefined): Promise<string> => {
  const path = configured ?? DEFAULT_UTILITY_PATH
  const hint = `set LOCKSTEP_CMU or --cmu to the program, which AWS installs as ${DEFAULT_UTILITY_PATH}`
  const found = await stat(path).catch(() => null)
  if (found === null) throw refusal('UTILITY_NOT_FOUND', `there is no management utility at "${path}"`, [hint])
  if (!found.isFile()) {
    throw refusal('UTILITY_NOT_EXECUTABLE', `the management utility "${path}" is not a file`, [hint])
  }
  await access(path, constants.X_OK).catch(() => {
    throw refusal('UTILITY_NOT_EXECUTABLE', `the management utility "${path}" may not be run`, [
      `chmod +x ${path}`,
      hint,
    ])
  })
  return path
}
