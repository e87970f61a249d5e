import { readFileSync } from 'node:fs'
import { takeSecretVariables } from '../adapters/shell/secret-variables.js'
import { printableLines } from '../adapters/terminal/printable.js'
import { answerAtOnce } from './fast-answers.js'

/**
 * Runs the program.
 * @param entry `import.meta.url` of the file in `bin/`
 */
export const start = async (entry: string): Promise<void> => {
  const argv = process.argv.slice(2)
  const answer = answerAtOnce(argv, (path) => readFileSync(new URL(`../${path}`, entry), 'utf8'))
  if (answer !== null) {
    process.stdout.write(answer)
    return
  }
  // Before anything is loaded that could start a program.
  takeSecretVariables(argv)
  // package.json asks for a newer Node than oclif does; its own check would load semver at every start.
  process.env['OCLIF_DISABLE_ENGINE_WARNING'] ??= '1'
  const { flush, handle, run } = await import('@oclif/core')
  try {
    await run(argv, entry)
    await flush()
  } catch (error) {
    await handle(asUsage(error as Error & { oclif?: { exit?: number } }))
  }
}

/** oclif ends an unknown command with 127; here every mistake in the command line is 2. */
const asUsage = (error: Error & { oclif?: { exit?: number } }): Error => {
  error.message = printableLines(error.message)
  if (error.stack !== undefined) error.stack = printableLines(error.stack)
  if (error.oclif?.exit === 127) error.oclif.exit = 2
  return error
}
