import { type IPty, spawn } from '@lydell/node-pty'

/** A program behind a terminal: what it prints comes in pieces that mean nothing, and what is typed goes out. */
export interface Terminal {
  readonly pid: number
  type(text: string): void
  /** Ends the program at once; harmless where it has ended already. */
  kill(): void
  onOutput(listener: (piece: string) => void): void
  onExit(listener: (exitCode: number) => void): void
}

/** Wide enough that no table row and no echo is wrapped. */
const COLUMNS = 500

/**
 * Starts a program in a pseudo-terminal.
 * @param env the whole environment of the program, nothing is inherited
 * @throws {Error} when the program cannot be started
 */
export const startInTerminal = (
  file: string,
  args: readonly string[],
  options: { readonly cwd: string; readonly env: Readonly<Record<string, string>> },
): Terminal => {
  const pty: IPty = spawn(file, [...args], {
    name: 'dumb',
    cols: COLUMNS,
    rows: 50,
    cwd: options.cwd,
    env: { ...options.env },
  })
  return {
    pid: pty.pid,
    type: (text) => pty.write(text),
    kill: () => {
      // It leads a process group of its own, which holds whatever it was started through.
      for (const target of [-pty.pid, pty.pid]) {
        try {
          process.kill(target, 'SIGKILL')
          return
        } catch {
          // It was gone already, or has not become the leader yet; `onExit` settles the rest.
        }
      }
    },
    onOutput: (listener) => void pty.onData(listener),
    onExit: (listener) => void pty.onExit(({ exitCode }) => listener(exitCode)),
  }
}
