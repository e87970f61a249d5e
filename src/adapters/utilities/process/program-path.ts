import { constants } from 'node:fs'
import { access, stat } from 'node:fs/promises'
import { refusal } from '../../../domain/errors.js'

/**
 * A program proved to be a file that may be run.
 * @param what how messages call it
 * @param hint what to type when it is elsewhere
 * @throws {OperatorError} `UTILITY_NOT_FOUND`, `UTILITY_NOT_EXECUTABLE`
 */
export const runnableProgram = async (path: string, what: string, hint: string): Promise<string> => {
  const found = await stat(path).catch(() => null)
  if (found === null) throw refusal('UTILITY_NOT_FOUND', `there is no ${what} at "${path}"`, [hint])
  if (!found.isFile()) {
    throw refusal('UTILITY_NOT_EXECUTABLE', `the ${what} "${path}" is not a file`, [hint])
  }
  await access(path, constants.X_OK).catch(() => {
    throw refusal('UTILITY_NOT_EXECUTABLE', `the ${what} "${path}" may not be run`, [`chmod +x ${path}`, hint])
  })
  return path
}
