/** Splits a typed line into words like a shell: blanks part them, `'` and `"` keep them together. Null: a quote is open. */
export const wordsOf = (line: string): readonly string[] | null => {
  const words: string[] = []
  let word: string | null = null
  let quote: string | null = null
  for (let at = 0; at < line.length; at += 1) {
    const character = line[at] ?? ''
    if (quote !== null) {
      if (character === quote) quote = null
      else if (character === '\\' && quote === '"' && at + 1 < line.length) word += line[++at] ?? ''
      else word += character
    } else if (character === '"' || character === "'") {
      quote = character
      word ??= ''
    } else if (/\s/.test(character)) {
      if (word !== null) words.push(word)
      word = null
    } else if (character === '\\' && at + 1 < line.length) word = (word ?? '') + (line[++at] ?? '')
    else word = (word ?? '') + character
  }
  if (word !== null) words.push(word)
  return quote === null ? words : null
}
