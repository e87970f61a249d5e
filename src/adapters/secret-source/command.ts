import { refusal } from '../../domain/errors.js'
import type { Secret } from '../../domain/secret.js'
import type { SecretUse } from '../../domain/secret-source.js'
import { runShell } from '../shell/run-shell.js'
import { secretIn } from './secret-text.js'

/** In bytes of output. */
const LARGEST = 64 * 1024

/** How a command is run. */
export interface CommandSettings {
  readonly env: NodeJS.ProcessEnv
  /** Variables the command does not get. */
  readonly withheld: readonly string[]
  readonly timeoutMs: number
}

/**
 * Variables that hold credentials for this program and are none of a command's business: those an argument names as
 * `env:NAME`, and our own.
 */
export const withheldVariables = (argv: readonly string[]): readonly string[] => [
  'LOCKSTEP_STORE_PASSPHRASE',
  ...argv.flatMap((word) => /(?:^|=)env:([A-Za-z_][A-Za-z0-9_]*)$/.exec(word)?.[1] ?? []),
]

/**
 * The first line a shell command prints.
 * @throws {OperatorError} `SECRET_COMMAND` (exit 3); never with the output
 */
export const fromCommand = async (command: string, use: SecretUse, settings: CommandSettings): Promise<Secret> => {
  const { env, withheld, timeoutMs } = settings
  const { ending, stdout } = await runShell(command, { env: without(env, withheld), timeoutMs, largest: LARGEST })
  const secret = secretIn(stdout, use)
  if (ending === null && secret !== null) return secret
  throw refusal(
    'SECRET_COMMAND',
    `the command that ${use.flag} names for the ${use.what} ${ending ?? 'printed no first line'}`,
    [
      'run it by hand: it must print the password as its first line, without asking anything, and end with status 0',
      ...(withheld.length > 1 ? [`it does not get these variables: ${withheld.join(', ')}`] : []),
    ],
  )
}

/** An environment less some variables. */
export const without = (env: NodeJS.ProcessEnv, names: readonly string[]): NodeJS.ProcessEnv =>
  Object.fromEntries(Object.entries(env).filter(([name]) => !names.includes(name)))
