/** Exit codes scripts rely on. `rollback` and `status` use the same numbers with the meanings of their outcome. */
export const EXIT = {
  done: 0,
  unexpected: 1,
  usage: 2,
  refused: 3,
  paused: 4,
  locked: 5,
  differences: 6,
  interrupted: 130,
} as const

export type ExitCode = (typeof EXIT)[keyof typeof EXIT]

/**
 * Something the operator can put right. The message names the thing and shows the wrong value; each suggestion is
 * a command to paste or one plain instruction. Never carries a secret.
 */
export class OperatorError extends Error {
  override readonly name = 'OperatorError'
  readonly code: string
  readonly suggestions: readonly string[]
  readonly exitCode: ExitCode
  /** oclif reads `exitCode` under `--json` and `oclif.exit` otherwise. */
  readonly oclif: { readonly exit: ExitCode }

  /**
   * @param code upper-case words scripts can test, e.g. `CLUSTER_NOT_FOUND`
   * @param message one sentence without a final full stop
   */
  constructor(
    code: string,
    message: string,
    options: { suggestions?: readonly string[]; exitCode?: ExitCode; cause?: unknown } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.code = code
    this.suggestions = options.suggestions ?? []
    this.exitCode = options.exitCode ?? EXIT.refused
    this.oclif = { exit: this.exitCode }
  }
}

/** A value that was typed wrongly: exit 2, found before anything was asked. */
export const usageError = (code: string, message: string, suggestions: readonly string[] = []): OperatorError =>
  new OperatorError(code, message, { suggestions, exitCode: EXIT.usage })

/** A fact found by asking that forbids going on: exit 3, nothing has changed. */
export const refusal = (
  code: string,
  message: string,
  suggestions: readonly string[] = [],
  cause?: unknown,
): OperatorError => new OperatorError(code, message, { suggestions, exitCode: EXIT.refused, cause })
