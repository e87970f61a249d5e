import { lstat } from 'node:fs/promises'
import { homedir } from 'node:os'
import { join, resolve } from 'node:path'
import { OperatorError, refusal } from '../../domain/errors.js'
import type { HandOverForm } from '../../domain/hand-over-form.js'
import type { Secret } from '../../domain/secret.js'
import { fileTrouble } from '../files/trouble.js'
import { writeAtomically } from '../files/write-atomically.js'
import { childEnvironment } from '../shell/child-environment.js'
import { runShell } from '../shell/run-shell.js'

/** How a credential is handed over. */
export interface HandOverSettings {
  /** Whether a file that is there may be replaced. */
  readonly force: boolean
  readonly env: NodeJS.ProcessEnv
  /** The words of the command line: they tell which variables hold credentials. */
  readonly argv: readonly string[]
  readonly timeoutMs: number
}

/**
 * Writes a credential into a file only its owner can read, or into the standard input of a command. Exactly the
 * credential, without a line end.
 * @throws {OperatorError} `FILE_EXISTS`, `TO_UNWRITABLE`, `TO_COMMAND` (exit 3)
 */
export const handOver = async (form: HandOverForm, secret: Secret, settings: HandOverSettings): Promise<void> => {
  if (form.kind === 'file') return toFile(form.path, secret, settings.force)
  const { ending } = await runShell(form.command, {
    env: childEnvironment(settings.env, settings.argv),
    input: secret.reveal(),
    timeoutMs: settings.timeoutMs,
    largest: 1024 * 1024,
  })
  if (ending === null) return
  throw refusal('TO_COMMAND', `the command that --to names ${ending}`, [
    'run it by hand with something else on its standard input to see what it says',
  ])
}

const toFile = async (path: string, secret: Secret, force: boolean): Promise<void> => {
  const target = path.startsWith('~/') ? join(homedir(), path.slice(2)) : resolve(path)
  try {
    if (!force && (await exists(target))) throw fileExists(target)
    await writeAtomically(target, secret.reveal(), { mode: 0o600, exclusive: !force })
  } catch (error) {
    if (error instanceof OperatorError) throw error
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') throw fileExists(target)
    throw refusal('TO_UNWRITABLE', `${target} cannot be written: it, or its folder, ${fileTrouble(error)}`, [
      '--to file:PATH wants a folder that exists and is open to you',
    ])
  }
}

const exists = (path: string): Promise<boolean> =>
  lstat(path).then(
    () => true,
    (error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return false
      throw error
    },
  )

const fileExists = (path: string) =>
  refusal('FILE_EXISTS', `${path} is there already`, ['--force replaces it', 'or name another file'])
