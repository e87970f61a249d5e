import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'

/**
 * Runs a program of this folder. The stories are told in a process of their own: inside of jest, whose modules see the
 * globals through a proxy, each of them takes seven times as long.
 * @returns what it printed, of which the last line is a count
 */
export const runProgram = (
  name: 'soak' | 'small-scope-runner',
  args: readonly string[],
): Promise<{ readonly exitCode: number; readonly stdout: string }> =>
  new Promise((resolve) => {
    const path = fileURLToPath(new URL(`./${name}.js`, import.meta.url))
    execFile(process.execPath, [path, ...args], { env: { PATH: process.env['PATH'] } }, (error, stdout) =>
      resolve({ exitCode: error === null ? 0 : Number(error.code ?? 1), stdout }),
    )
  })
