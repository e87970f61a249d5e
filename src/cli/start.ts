import { readFileSync } from 'node:fs'
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
  const { takeSecretVariables } = await import('../adapters/shell/secret-variables.js')
  takeSecretVariables(argv)
  // package.json asks for a newer Node than oclif does; its own check would load semver at every start.
  process.env['OCLIF_DISABLE_ENGINE_WARNING'] ??= '1'
  // Which Node the AWS SDK will want some day is no news for an operator in the middle of a rotation.
  process.env['AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED'] ??= 'true'
  const { default: oclif } = await import('@oclif/core')
  try {
    await oclif.run(argv, entry)
    await oclif.flush()
    // A utility that was left in the middle of a write keeps its terminal open, and would keep this program waiting.
    process.exit()
  } catch (error) {
    const { printableLines } = await import('../adapters/terminal/printable.js')
    await oclif.handle(shown(error as Error & { oclif?: { exit?: number } }, printableLines))
  }
}

/** As it may reach a terminal. oclif ends an unknown command with 127; here every mistake in the command line is 2. */
const shown = (error: Error & { oclif?: { exit?: number } }, printable: (text: string) => string): Error => {
  error.message = printable(error.message)
  if (error.stack !== undefined) error.stack = printable(error.stack)
  if (error.oclif?.exit === 127) error.oclif.exit = 2
  return error
}
