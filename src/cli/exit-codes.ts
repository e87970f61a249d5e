/** The end of a command's description: what its exit codes mean, one line each. */
export const exitCodes = (meanings: Readonly<Record<number, string>>): string =>
  ['Exit codes:', ...Object.entries(meanings).map(([code, meaning]) => `  ${code}  ${meaning}`)].join('\n')

/** One paragraph out of the lines it is written in; oclif breaks it to the width of the terminal. */
export const paragraph = (...lines: readonly string[]): string => lines.join(' ')
