/** What is started instead of a program, and its arguments. */
export interface StartedProgram {
  readonly file: string
  readonly args: readonly string[]
}

/**
 * Starts a program so that it outlives the terminal it runs in: a terminal that is closed, because we ended or were
 * killed, tells its session's leader to hang up. The leader is a shell that ignores that and waits. It stays there
 * rather than turn into the program, because a program may begin by restoring what signals do.
 */
export const outlivingTerminal = (program: string, args: readonly string[]): StartedProgram => ({
  file: '/bin/sh',
  args: ['-c', 'trap "" HUP; "$0" "$@"; exit $?', program, ...args],
})
