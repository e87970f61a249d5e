/** What every answered command prints. */
export interface Answer {
  readonly error_code: 0 | 1
  readonly data: unknown
}

export const done = (data: unknown): Answer => ({ error_code: 0, data })
export const failed = (text: string): Answer => ({ error_code: 1, data: text })

/** Pretty-printed with two blanks, `error_code` first. */
export const shownAnswer = (answer: Answer): string => `${JSON.stringify(answer, null, 2)}\n`

/** Ends a command with a failure that is answered. */
export class CommandFailed extends Error {
  override readonly name = 'CommandFailed'
}

/** A failure before a command is answered: printed as `Error: "…"` on standard error, without JSON. */
export class PlainError extends Error {
  override readonly name = 'PlainError'

  get shown(): string {
    return `Error: "${this.message}"\n`
  }
}

/** The words typed are no command of the program: the text of its argument parser. */
export class UsageError extends Error {
  override readonly name = 'UsageError'
}

/** `--help` or `--version`: a text for standard output, and success. */
export class Shown extends Error {
  override readonly name = 'Shown'
}
