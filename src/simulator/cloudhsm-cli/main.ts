import { Terminal } from '../terminal.js'
import { type Answer, failed, PlainError, Shown, shownAnswer, UsageError } from './answer.js'
import type { CliCommand, Values } from './command.js'
import { type Parsed, parseCommand } from './command-line.js'
import { COMMANDS } from './commands/index.js'
import { CLUSTER_ID } from './commands/options.js'
import { readConfig } from './config.js'
import { lineTo } from './connection.js'
import { answerOf, runInteractive } from './interactive.js'
import { credentialsFrom } from './log-in.js'
import { Program } from './program.js'
import { PasswordPrompt } from './secrets.js'
import { type CliSettings, readSettings } from './settings.js'

/** Exit codes. None is documented; 2 is usual for the real program's argument parser. */
const EXIT_CODE = { done: 0, failed: 1, usage: 2 } as const

/** Stands for the words `interactive`; never run as a command. */
const INTERACTIVE: CliCommand = {
  path: ['interactive'],
  about: 'Start in interactive mode',
  options: [CLUSTER_ID],
  run: async () => failed(''),
}

/**
 * The program `cloudhsm-cli`. Its wrapper passes the simulator's settings first; what follows are the real program's
 * arguments. Uses nothing but Node's own modules, so that it starts at once.
 */
const main = async ([settingsPath = '', ...words]: readonly string[]): Promise<number> => {
  const settings = readSettings(settingsPath, process.env)
  try {
    const parsed = parseCommand(words, [INTERACTIVE, ...COMMANDS], settings)
    return parsed.command === INTERACTIVE ? await interactive(settings, parsed.values) : await single(settings, parsed)
  } catch (error) {
    if (error instanceof Shown) {
      process.stdout.write(error.message)
      return EXIT_CODE.done
    }
    if (error instanceof UsageError) {
      process.stderr.write(error.message)
      return EXIT_CODE.usage
    }
    if (error instanceof PlainError) {
      process.stderr.write(error.shown)
      return EXIT_CODE.failed
    }
    throw error
  }
}

const interactive = async (settings: CliSettings, values: Values): Promise<number> => {
  const clusters = readConfig(values.get('config') ?? settings.cliConfigPath, settings)
  const defaultClusterId = values.get('cluster-id') ?? null
  const terminal = new Terminal()
  const passwords = new PasswordPrompt(settings.cliPromptStream, terminal)
  const program = new Program({ settings, clusters, passwords, lineTo, defaultClusterId, environment: null })
  await program.connect(null)
  await runInteractive(program, terminal)
  program.close()
  return EXIT_CODE.done
}

const single = async (settings: CliSettings, { command, values }: Parsed): Promise<number> => {
  const clusters = readConfig(values.get('config') ?? settings.cliConfigPath, settings)
  const passwords = new PasswordPrompt(settings.cliPromptStream, null)
  const answer = await answerOf(
    (async (): Promise<Answer> => {
      const environment =
        command.path[0] === 'login'
          ? { own: null, destination: null }
          : { own: credentialsFrom(process.env, ''), destination: credentialsFrom(process.env, 'DESTINATION_') }
      const program = new Program({ settings, clusters, passwords, lineTo, defaultClusterId: null, environment })
      try {
        return await command.run(program, values)
      } finally {
        program.close()
      }
    })(),
  )
  process.stdout.write(shownAnswer(answer))
  return settings.cliExitStatus === 'zero' ? EXIT_CODE.done : answer.error_code
}

const code = await main(process.argv.slice(2))
// Once everything printed has been handed over.
process.stdout.write('', () => process.exit(code))
