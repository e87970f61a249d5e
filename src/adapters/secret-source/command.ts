import { refusal } from '../../domain/errors.js'
import type { Secret } from '../../domain/secret.js'
import type { SecretUse } from '../../domain/secret-source.js'
import { childEnvironment } from '../shell/child-environment.js'
import { runShell } from '../shell/run-shell.js'
import { secretIn } from './secret-text.js'

/** In bytes of output. */
const LARGEST = 64 * 1024

/** How a command is run. */
export interface CommandSettings {
  readonly env: NodeJS.ProcessEnv
  /** The words of the command line: they tell which variables hold credentials. */
  readonly argv: readonly string[]
  readonly timeoutMs: number
}

/**
 * The first line a shell command prints.
 * @throws {OperatorError} `SECRET_COMMAND` (exit 3); never with the output
 */
export const fromCommand = async (command: string, use: SecretUse, settings: CommandSettings): Promise<Secret> => {
  const { env, argv, timeoutMs } = settings
  const { ending, stdout } = await runShell(command, { env: childEnvironment(env, argv), timeoutMs, largest: LARGEST })
  const secret = secretIn(stdout, use)
  if (ending === null && secret !== null) return secret
  throw refusal(
    'SECRET_COMMAND',
    `the command that ${use.flag} names for the ${use.what} ${ending ?? 'printed no first line'}`,
    [
      'run it by hand: it must print the password as its first line, without asking anything, and end with status 0',
      'it gets few variables of the environment; LOCKSTEP_PASS_ENV=NAME,NAME passes on more',
    ],
  )
}
