import { spawn } from 'node:child_process'

/** How a shell command is run. */
export interface ShellRun {
  /** All that the command gets. */
  readonly env: NodeJS.ProcessEnv
  /** For its standard input, which is empty otherwise. */
  readonly input?: string
  readonly timeoutMs: number
  /** In bytes of output; more ends the command. */
  readonly largest: number
}

/** What became of a command. */
export interface ShellEnd {
  /** Null when it succeeded, otherwise what happened, as the end of a sentence; never its output. */
  readonly ending: string | null
  readonly stdout: string
}

/**
 * Runs `/bin/sh -c`. It has no terminal: a command that asks something would wait for ever while nobody knows why.
 * What it prints on stderr is dropped, since tools print secrets there under a debug switch.
 */
export const runShell = (command: string, { env, input, timeoutMs, largest }: ShellRun): Promise<ShellEnd> =>
  new Promise((resolve) => {
    // A process group of its own, so that what the shell started ends with it.
    const child = spawn('/bin/sh', ['-c', command], { env, stdio: ['pipe', 'pipe', 'ignore'], detached: true })
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
    // A command that does not read all of its input is judged by how it ends.
    child.stdin.on('error', () => undefined)
    child.stdin.end(input ?? '')
    child.stdout.on('data', (chunk: Buffer) => {
      chunks.push(chunk)
      size += chunk.length
      if (size > largest) end(`printed more than ${largest / 1024} KiB`)
    })
    child.on('error', (error: NodeJS.ErrnoException) => end(`could not be started (${error.code ?? 'unknown reason'})`))
    child.on('close', (status, signal) => {
      clearTimeout(timer)
      const failed = status === 0 ? null : signal === null ? `ended with status ${status}` : `was ended by ${signal}`
      resolve({ ending: cut ?? failed, stdout: Buffer.concat(chunks).toString('utf8') })
    })
  })
