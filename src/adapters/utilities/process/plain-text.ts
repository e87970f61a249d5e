import { stripVTControlCharacters } from 'node:util'

/** Terminal sequences and carriage returns removed; other control characters too, but for TAB and line feed. */
export const plainText = (text: string): string => {
  const plain = text.includes('\u001b') || text.includes('\u009b') ? stripVTControlCharacters(text) : text
  // biome-ignore lint/suspicious/noControlCharactersInRegex: removing them is the point
  return plain.replace(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/g, '')
}

/** Lines end with a line feed alone; nothing else is touched. */
export const withPlainLineEnds = (text: string): string => text.replace(/\r+\n/g, '\n')
