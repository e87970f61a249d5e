import { stripVTControlCharacters } from 'node:util'

/** Any piece of a canary of this length counts: an echo may be cut, a line wrapped. */
const PIECE = 8

/** A secret as it may be written. Encodings whose ends depend on their neighbours are looked for without those. */
const formsOf = (secret: string): string[] => {
  const bytes = Buffer.from(secret)
  const hex = bytes.toString('hex')
  const encoded = (each: (code: number) => string) => [...bytes].map(each).join('')
  const twoDigits = (code: number) => code.toString(16).padStart(2, '0')
  const base64 = [0, 1, 2].map((offset) =>
    Buffer.concat([Buffer.alloc(offset), bytes])
      .toString('base64')
      .replace(/=+$/, '')
      .slice(Math.ceil((offset * 4) / 3), -1),
  )
  return [
    secret,
    [...secret].reverse().join(''),
    ...base64,
    ...base64.map((text) => text.replaceAll('+', '-').replaceAll('/', '_')),
    hex,
    hex.toUpperCase(),
    encoded((code) => `${twoDigits(code)} `).trimEnd(),
    encodeURIComponent(secret),
    encoded((code) => `%${twoDigits(code)}`),
    encoded((code) => `%${twoDigits(code).toUpperCase()}`),
    encoded((code) => `\\u00${twoDigits(code)}`),
    JSON.stringify(secret).slice(1, -1),
    [...secret].join('\0'),
  ]
}

/**
 * Finds secrets in any text: as they are, in other encodings, split by line ends, terminal sequences and control
 * characters, and in pieces.
 * @returns the forms that were found; empty where all is well
 */
export const canaryWatch = (secrets: readonly string[]): ((text: string) => string[]) => {
  const forms = [...new Set(secrets.flatMap(formsOf))]
  const pieces = secrets.flatMap((secret) =>
    Array.from({ length: secret.length - PIECE + 1 }, (_, at) => secret.slice(at, at + PIECE)),
  )
  return (text) => {
    // biome-ignore lint/suspicious/noControlCharactersInRegex: what splits a secret is taken away
    const joined = stripVTControlCharacters(text).replace(/[\u0000-\u001f\u007f]/g, '')
    return [
      ...forms.filter((form) => text.includes(form) || joined.includes(form)),
      ...pieces.filter((piece) => joined.includes(piece)),
    ]
  }
}
