import { usageError } from '../domain/errors.js'

/** Options of Node that write this program's memory into a file. */
const MEMORY_DUMPS = /^--(heapsnapshot[\w-]*|abort-on-uncaught-exception|abort_on_uncaught_exception)(=.*)?$/

/**
 * Refuses to handle passwords where Node was told to print what passes through its streams, or to write memory to disk.
 * Both happen below this program, which cannot take anything out of them. Diagnostic reports are no such thing: they
 * hold no memory, and the variables with credentials are gone before one can be written.
 * @throws {OperatorError} `DIAGNOSTICS_SHOW_SECRETS` (exit 2)
 */
export const refuseDiagnostics = (env: NodeJS.ProcessEnv, execArgv: readonly string[]): void => {
  const options = [...execArgv, ...(env['NODE_OPTIONS'] ?? '').split(/\s+/)]
  const dump = options.find((option) => MEMORY_DUMPS.test(option))
  if (env['NODE_DEBUG']) {
    throw shows(`NODE_DEBUG="${env['NODE_DEBUG']}" makes Node print what is read and sent`, 'unset NODE_DEBUG')
  }
  if (dump !== undefined) throw shows(`${dump} makes Node write its memory into a file`, `run without ${dump}`)
}

const shows = (what: string, instead: string) =>
  usageError('DIAGNOSTICS_SHOW_SECRETS', `${what}, passwords among it`, [instead])
