import { Problem, usage } from '../problem.js'

type Subcommand = (args: readonly string[]) => Promise<number>

/** Loaded one at a time: each starts with what it needs and no more. */
const SUBCOMMANDS: Readonly<Record<string, () => Promise<Subcommand>>> = {
  start: async () => (await import('./start.js')).start,
  state: async () => (await import('./state.js')).state,
  check: async () => (await import('./check.js')).check,
  fault: async () => (await import('./fault.js')).fault,
}

/** The program `lockstep-sim`. @returns its exit code */
export const main = async (argv: readonly string[]): Promise<number> => {
  const [name, ...args] = argv
  try {
    if (name === undefined || name === 'help' || argv.includes('--help') || argv.includes('-h')) {
      process.stdout.write((await import('./help.js')).HELP)
      return name === undefined ? 2 : 0
    }
    const load = Object.hasOwn(SUBCOMMANDS, name) ? SUBCOMMANDS[name] : undefined
    if (!load) throw usage(`unknown command "${name}"`, `one of: ${Object.keys(SUBCOMMANDS).join(', ')}`)
    const subcommand = await load()
    return await subcommand(args)
  } catch (error) {
    return report(error, argv.includes('--json'))
  }
}

const report = (error: unknown, json: boolean): number => {
  const { code, exitCode, message, suggestions } =
    error instanceof Problem ? error : new Problem('UNEXPECTED', (error as Error).message, [], 1)
  if (json) process.stdout.write(`${JSON.stringify({ error: { code, message, suggestions } })}\n`)
  else {
    const hints = suggestions.length > 0 ? ['Try this:', ...suggestions.map((suggestion) => `  * ${suggestion}`)] : []
    process.stderr.write(`${[`Error: ${message}`, `Code: ${code}`, ...hints].join('\n')}\n`)
  }
  return exitCode
}
