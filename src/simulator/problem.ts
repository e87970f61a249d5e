/** What a command of the simulator ends with when it cannot do what was asked. */
export class Problem extends Error {
  override readonly name = 'Problem'

  /**
   * @param code upper-case words scripts can test
   * @param exitCode 2 for what was typed, 3 for a fact found by asking
   */
  constructor(
    readonly code: string,
    message: string,
    readonly suggestions: readonly string[] = [],
    readonly exitCode: 1 | 2 | 3 = 3,
  ) {
    super(message)
  }
}

/** Something typed wrongly. */
export const usage = (message: string, ...suggestions: readonly string[]): Problem =>
  new Problem('USAGE', message, suggestions, 2)
