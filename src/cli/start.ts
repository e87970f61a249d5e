import { readFileSync } from 'node:fs'
import { EXIT } from '../domain/errors.js'
import { answerAtOnce } from './fast-answers.js'
import { leaveOnInterrupt } from './interrupts.js'
import { leaveEarly, wantsJson } from './leave-early.js'

/**
 * Runs the program.
 * @param entry `import.meta.url` of the file in `bin/`
 */
export const start = async (entry: string): Promise<void> => {
  const argv = process.argv.slice(2)
  leaveOnInterrupt(() => leaveEarly(argv))
  const read = (path: string) => readFileSync(new URL(`../${path}`, entry), 'utf8')
  const answer = answerAtOnce(argv, read)
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
    await fail(argv, error as FrameworkError, read, oclif.handle)
  }
}

type FrameworkError = Error & { oclif?: { exit?: number }; suggestions?: string[] }

/** What the command framework could not hand to a command: above all one that does not exist. */
const fail = async (
  argv: readonly string[],
  error: FrameworkError,
  read: (path: string) => string,
  handle: (error: FrameworkError) => Promise<void>,
): Promise<void> => {
  // Its way to end `--help` and the like.
  if (error.oclif?.exit === 0) return handle(error)
  const [{ printableJson, printableLines }, { errorDocument, exitCodeOf }] = await Promise.all([
    import('../adapters/terminal/printable.js'),
    import('./base-command.js'),
  ])
  // The framework ends an unknown command with 2, or with 127 once a hook looks at it; here it is 2.
  if (error.oclif?.exit === 2 || error.oclif?.exit === 127) {
    error.oclif.exit = EXIT.usage
    const { suggestCommands } = await import('./unknown-command.js')
    const end = argv.findIndex((word) => word.startsWith('-'))
    const { commands } = JSON.parse(read('oclif.manifest.json')) as { commands: object }
    error.suggestions = [...suggestCommands(end < 0 ? argv : argv.slice(0, end), Object.keys(commands))]
  }
  if (wantsJson(argv)) {
    process.stdout.write(`${printableJson(JSON.stringify({ error: errorDocument(error) }, null, 2))}\n`)
    process.exit(exitCodeOf(error))
  }
  error.message = printableLines(error.message)
  if (error.stack !== undefined) error.stack = printableLines(error.stack)
  await handle(error)
}
