import { spawn } from 'node:child_process'
import { refusal } from '../../domain/errors.js'
import type { Secret } from '../../domain/secret.js'
import type { SecretUse } from '../../domain/secret-source.js'
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
 * The first line a shell command prints. It has no terminal: a command that asks something would wait for ever while
 * nobody knows why. What it prints on stderr is dropped, since tools print secrets there under a debug switch.
 * @throws {OperatorError} `SECRET_COMMAND` (exit 3); never with the output
 */
export const fromCommand = async (command: string, use: SecretUse, settings: CommandSettings): Promise<Secret> => {
  const { env, withheld, timeoutMs } = settings
  const { ending, stdout } = await run(command, without(env, withheld), timeoutMs)
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

/** @returns `ending` null when the command succeeded, otherwise what became of it, in words */
const run = (
  command: string,
  env: NodeJS.ProcessEnv,
  timeoutMs: number,
): Promise<{ ending: string | null; stdout: string }> =>
  new Promise((resolve) => {
    // A process group of its own, so that what the shell started ends with it.
    const child = spawn('/bin/sh', ['-c', command], { env, stdio: ['ignore', 'pipe', 'ignore'], detached: true })
    const chunks: Buffer[] = []
    let size = 0
    let cut: string | null = null
    const end = (why: string) => {
      cut ??= why
      child.stdout.destroy()
      try {
        if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL')
      } catch {
        // It has ended by itself in this very moment.
      }
    }
    const timer = setTimeout(() => end(`did not end within ${timeoutMs / 1000} s`), timeoutMs)
    child.stdout.on('data', (chunk: Buffer) => {
      chunks.push(chunk)
      size += chunk.length
      if (size > LARGEST) end(`printed more than ${LARGEST / 1024} KiB`)
    })
    child.on('error', (error: NodeJS.ErrnoException) => end(`could not be started (${error.code ?? 'unknown reason'})`))
    child.on('close', (status, signal) => {
      clearTimeout(timer)
      const failed = status === 0 ? null : signal === null ? `ended with status ${status}` : `was ended by ${signal}`
      resolve({ ending: cut ?? failed, stdout: Buffer.concat(chunks).toString('utf8') })
    })
  })

const without = (env: NodeJS.ProcessEnv, names: readonly string[]): NodeJS.ProcessEnv =>
  Object.fromEntries(Object.entries(env).filter(([name]) => !names.includes(name)))
