import { EXIT } from '../domain/errors.js'

/** Whether the command line asks for a JSON document; for when no command has been found that could say so. */
export const wantsJson = (argv: readonly string[]): boolean => {
  const end = argv.indexOf('--')
  return (end < 0 ? argv : argv.slice(0, end)).includes('--json')
}

/** What is said of an interrupt before anything is begun that could change an HSM. */
export const NOTHING_CHANGED = 'interrupted; no HSM was changed'

/** Ends the program on Ctrl-C before a command listens for it, and for commands that only read. */
export const leaveEarly = (argv: readonly string[]): void => {
  const error = { code: 'INTERRUPTED', message: NOTHING_CHANGED, suggestions: [] }
  if (wantsJson(argv)) process.stdout.write(`${JSON.stringify({ error }, null, 2)}\n`)
  else process.stderr.write(`Error: ${error.message}\nCode: ${error.code}\n`)
  process.exit(EXIT.interrupted)
}
