/** Control characters, those that change the direction or stay invisible, and halves of characters. */
const STEERING = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Co}\p{Cs}]/gu
const SHORT: Readonly<Record<string, string>> = { '\n': '\\n', '\r': '\\r', '\t': '\\t' }

/**
 * `text` as one line in which nothing steers the terminal: what AWS, an HSM or a file says is shown, not obeyed. An
 * escape becomes `\x1b`, a right-to-left override `\u202e`.
 */
export const printable = (text: string): string =>
  text.replace(STEERING, (character) => SHORT[character] ?? escaped(character.codePointAt(0) ?? 0))

/** The same line by line; line ends stay. */
export const printableLines = (text: string): string => text.split('\n').map(printable).join('\n')

/**
 * JSON for a terminal: JSON escapes what stands below the blank by itself, and leaves the rest to whoever prints it.
 * @param json as `JSON.stringify` returns it
 */
export const printableJson = (json: string): string =>
  json.replace(STEERING, (character) => (character < ' ' ? character : utf16(character)))

const escaped = (code: number): string => {
  if (code <= 0xff) return `\\x${code.toString(16).padStart(2, '0')}`
  return code <= 0xffff ? `\\u${code.toString(16).padStart(4, '0')}` : `\\u{${code.toString(16)}}`
}

const utf16 = (character: string): string =>
  character
    .split('')
    .map((unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`)
    .join('')
