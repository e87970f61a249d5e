import { spawn } from '@lydell/node-pty'
import { projectPath } from './lockstep.js'

/** How a run on a terminal ended: everything that reached the screen, byte for byte. */
export interface EndedOnTerminal {
  readonly exitCode: number
  readonly screen: string
}

/**
 * Runs `bin/run.js` in a pseudo-terminal, as an operator does.
 * @param answers what is typed once such words are on the screen, in this order
 */
export const lockstepOnTerminal = (
  args: readonly string[],
  { env, cwd }: { readonly env: Readonly<Record<string, string>>; readonly cwd: string },
  answers: readonly (readonly [RegExp, string])[] = [],
): Promise<EndedOnTerminal> =>
  new Promise((resolve) => {
    const left = [...answers]
    let screen = ''
    let seen = 0
    const pty = spawn(process.execPath, [projectPath('bin/run.js'), ...args], {
      name: 'xterm-256color',
      cols: 200,
      rows: 50,
      cwd,
      env: { PATH: process.env['PATH'] ?? '', TERM: 'xterm-256color', ...env },
    })
    pty.onData((piece) => {
      screen += piece
      const [next] = left
      if (next === undefined || !next[0].test(screen.slice(seen))) return
      left.shift()
      seen = screen.length
      pty.write(`${next[1]}\r`)
    })
    pty.onExit(({ exitCode }) => resolve({ exitCode, screen }))
  })
