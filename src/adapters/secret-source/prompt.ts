import { EXIT, OperatorError, usageError } from '../../domain/errors.js'
import { Secret } from '../../domain/secret.js'
import type { SecretUse } from '../../domain/secret-source.js'
import { printable } from '../terminal/printable.js'

/**
 * Asks one question without showing the answer.
 * @throws {OperatorError} `NO_TERMINAL` (exit 2), `INTERRUPTED` (exit 130)
 */
export type Ask = (question: string, use: SecretUse) => Promise<string>

const TRIES = 3

/**
 * Asks on the terminal, twice where the use wants that.
 * @throws {OperatorError} `NO_TERMINAL`, `PASSWORDS_DIFFER` (exit 2), `INTERRUPTED` (exit 130)
 */
export const fromPrompt = async (use: SecretUse, ask: Ask): Promise<Secret> => {
  for (let attempt = 1; attempt <= TRIES; attempt += 1) {
    const question = attempt === 1 ? use.what : `${use.what}, the two answers differed`
    const first = new Secret(await ask(`${capitalized(question)}:`, use))
    if (use.confirm !== true || first.equals(new Secret(await ask('Once more:', use)))) return first
  }
  throw usageError('PASSWORDS_DIFFER', `the two answers for the ${use.what} differed ${TRIES} times`, [
    `${use.flag} file:PATH`,
  ])
}

/** Asks on stderr, so that stdout stays free for the answer of the command. */
export const askOnTerminal: Ask = async (question, use) => {
  if (!process.stdin.isTTY || !process.stderr.isTTY) {
    throw usageError('NO_TERMINAL', `${use.flag} asks for the ${use.what} on a terminal, and there is none`, [
      `${use.flag} env:NAME`,
      `${use.flag} file:PATH`,
    ])
  }
  const { default: password } = await import('@inquirer/password')
  try {
    return await password(
      { message: printable(question), toggleMask: false, validate: (answer) => answer !== '' || 'it is empty' },
      { output: process.stderr },
    )
  } catch (error) {
    if ((error as Error).name !== 'ExitPromptError') throw error
    throw new OperatorError('INTERRUPTED', `interrupted at the question for the ${use.what}; nothing has changed`, {
      exitCode: EXIT.interrupted,
    })
  }
}

const capitalized = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1)
