import type { Secret } from '../../domain/secret.js'
import type { SecretForm } from '../../domain/secret-form.js'
import type { SecretSource, SecretUse } from '../../domain/secret-source.js'
import { secretVariable } from '../shell/secret-variables.js'
import { printable } from '../terminal/printable.js'
import { fromCommand } from './command.js'
import { fromEnvironment } from './environment.js'
import { fromFile } from './file.js'
import { type Ask, askOnTerminal, fromPrompt } from './prompt.js'

/** What fetching secrets needs from outside; each has the usual meaning where it is left out. */
export interface SecretSourceParts {
  readonly env?: NodeJS.ProcessEnv
  /** The words of the command line: they tell which variables hold credentials. */
  readonly argv?: readonly string[]
  readonly ask?: Ask
  /** Told about a secret that others can read. */
  readonly warn?: (text: string) => void
  /** How long a command may take. */
  readonly commandTimeoutMs?: number
}

/** Fetches secrets from the terminal, the environment, files, commands and AWS Secrets Manager. */
export const secretSource = (parts: SecretSourceParts = {}): SecretSource => {
  const {
    env = process.env,
    argv = process.argv,
    ask = askOnTerminal,
    warn = (text) => void process.stderr.write(`${printable(text)}\n`),
    commandTimeoutMs = 30_000,
  } = parts
  return {
    async resolve(form: SecretForm, use: SecretUse): Promise<Secret> {
      switch (form.kind) {
        case 'prompt':
          return fromPrompt(use, ask)
        case 'env':
          return fromEnvironment(form.name, use, parts.env ? env[form.name] : secretVariable(form.name))
        case 'file':
          return fromFile(form.path, use, warn)
        case 'command':
          return fromCommand(form.command, use, { env, argv, timeoutMs: commandTimeoutMs })
        case 'secretsmanager': {
          // The AWS client is loaded by those who ask AWS, and by nobody else.
          // Its warning that some later version will ask for a later Node helps nobody in the middle of a rotation.
          process.env['AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED'] ??= 'true'
          const { fromSecretsManager } = await import('./secrets-manager.js')
          return fromSecretsManager(form.id, form.key, use, env)
        }
      }
    },
  }
}
