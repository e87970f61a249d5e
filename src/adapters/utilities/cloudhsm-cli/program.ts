import { execFile } from 'node:child_process'
import { refusal } from '../../../domain/errors.js'
import { cliPath } from './cli-path.js'

/** Three numbers, e.g. `[5, 17, 1]`. */
export type CliVersion = readonly [number, number, number]

/** What is found out once about the program. */
export interface CliProgram {
  readonly path: string
  /** Null where it does not say, or in unknown words: then nothing is refused because of it. */
  readonly version: CliVersion | null
  /**
   * Where it takes `--config FILE`: only older help lists it. Null where it does not, so that it reads its fixed file.
   */
  readonly configOption: 'after-interactive' | 'before-interactive' | null
}

/** Versions in which something appeared. Source: AWS CloudHSM User Guide, `client-version-previous`. */
const SINCE = {
  'the choice of a cluster': [5, 12, 0],
  'user replicate': [5, 15, 0],
} as const satisfies Readonly<Record<string, CliVersion>>

const HELP_MS = 30_000

/**
 * Asks the program for its version and its options; it connects nowhere for that.
 * @param configured what a flag or `LOCKSTEP_CLOUDHSM_CLI` says
 * @throws {OperatorError} `UTILITY_NOT_FOUND`, `UTILITY_NOT_EXECUTABLE`
 */
export const inspectProgram = async (
  configured: string | undefined,
  env: Readonly<Record<string, string>>,
): Promise<CliProgram> => {
  const path = await cliPath(configured)
  const [version, configOption] = await Promise.all([printed(path, ['--version'], env), configOptionOf(path, env)])
  return { path, version: versionIn(version), configOption }
}

const configOptionOf = async (
  path: string,
  env: Readonly<Record<string, string>>,
): Promise<CliProgram['configOption']> => {
  const lists = async (args: readonly string[]): Promise<boolean> =>
    /(?:^|[\s[])--config(?![\w-])/.test(await printed(path, args, env))
  if (await lists(['interactive', '--help'])) return 'after-interactive'
  return (await lists(['--help'])) ? 'before-interactive' : null
}

/** The version in a text, or null where there is none. */
export const versionIn = (text: string): CliVersion | null => {
  const match = /(?:^|[^\d.])(\d{1,4})\.(\d{1,4})\.(\d{1,4})(?![\d.])/.exec(text)
  return match === null ? null : [Number(match[1]), Number(match[2]), Number(match[3])]
}

/**
 * Refuses what this version cannot do, before anything is sent.
 * @throws {OperatorError} `CLI_TOO_OLD` (exit 3)
 */
export const requireSince = ({ path, version }: CliProgram, what: keyof typeof SINCE): void => {
  const since = SINCE[what]
  if (version === null || !isBefore(version, since)) return
  throw refusal('CLI_TOO_OLD', `"${path}" is version ${version.join('.')}, and ${what} came with ${since.join('.')}`, [
    'install a newer cloudhsm-cli package from AWS, or set LOCKSTEP_CLOUDHSM_CLI to one that is installed elsewhere',
  ])
}

const isBefore = (version: CliVersion, since: CliVersion): boolean => {
  const at = version.findIndex((number, index) => number !== since[index])
  return at >= 0 && (version[at] ?? 0) < (since[at] ?? 0)
}

/** What the program prints, wherever; nothing where it cannot be run. */
const printed = (path: string, args: readonly string[], env: Readonly<Record<string, string>>): Promise<string> =>
  new Promise((resolve) => {
    const options = { env: { ...env }, timeout: HELP_MS, killSignal: 'SIGKILL', maxBuffer: 1024 * 1024 } as const
    const child = execFile(path, [...args], options, (_error, stdout, stderr) => resolve(`${stdout}\n${stderr}`))
    // A program that takes these words for something else must not wait for more.
    child.stdin?.on('error', () => undefined).end()
  })
