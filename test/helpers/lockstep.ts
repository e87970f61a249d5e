import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const PROGRAM = fileURLToPath(new URL('../../../bin/run.js', import.meta.url))

/** How a run of the program ended. */
export interface Ended {
  readonly exitCode: number | null
  readonly stdout: string
  readonly stderr: string
  /**
   * stdout as one JSON document.
   * @throws {SyntaxError} when anything else stands there too
   */
  // biome-ignore lint/suspicious/noExplicitAny: a test states what it expects of the document
  readonly json: any
}

export interface LockstepOptions {
  /** The whole environment beside `PATH`; nothing else is inherited. */
  readonly env?: Readonly<Record<string, string>>
  /** Written to its stdin, which then ends; without it stdin is empty from the start. */
  readonly stdin?: string
  /** Where it runs. */
  readonly cwd?: string
  /** Told everything on stderr so far, whenever there is more, and the process ID. */
  readonly onStderr?: (text: string, pid: number) => void
}

/** Runs `bin/run.js` as a program of its own, without a terminal. */
export const lockstep = (
  args: readonly string[],
  { env = {}, stdin, cwd, onStderr }: LockstepOptions = {},
): Promise<Ended> =>
  new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [PROGRAM, ...args], {
      env: { PATH: process.env['PATH'], ...env },
      stdio: ['pipe', 'pipe', 'pipe'],
      ...(cwd === undefined ? {} : { cwd }),
    })
    let stdout = ''
    let stderr = ''
    child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
      stdout += chunk
    })
    child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
      stderr += chunk
      if (child.pid !== undefined) onStderr?.(stderr, child.pid)
    })
    child.on('error', reject)
    child.on('close', (exitCode) =>
      resolve({
        exitCode,
        stdout,
        stderr,
        get json() {
          return JSON.parse(stdout)
        },
      }),
    )
    child.stdin.on('error', () => undefined).end(stdin)
  })

/** Path of a file of the project. */
export const projectPath = (...parts: string[]): string => join(PROGRAM, '../..', ...parts)
