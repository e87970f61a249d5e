/** Where the text begins, behind its label. */
const INDENT = 15

/**
 * Lines of a label and a text each, the text broken at the width of the terminal and set in behind its label. Elsewhere it
 * stays in one line, for whoever reads it by line.
 * @param width how many characters a line may have
 */
export const labelled = (
  entries: readonly (readonly [label: string, text: string])[],
  width = process.stderr.columns ?? Number.POSITIVE_INFINITY,
): string =>
  entries
    .flatMap(([label, text]) =>
      broken(text, width - INDENT).map((line, index) => `${(index === 0 ? label : '').padEnd(INDENT)}${line}`),
    )
    .join('\n')

/** A text in lines that are no longer than that, but for single words. */
const broken = (text: string, width: number): readonly string[] => {
  const lines: string[] = []
  for (const word of text.split(' ')) {
    const last = lines.at(-1)
    if (last === undefined || last.length + 1 + word.length > Math.max(width, INDENT)) lines.push(word)
    else lines[lines.length - 1] = `${last} ${word}`
  }
  return lines
}
