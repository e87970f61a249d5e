import { usageError } from './errors.js'

/** Where credentials are kept, as `--store` names it. */
export type StoreForm =
  | { readonly kind: 'file'; readonly path: string }
  /** Name or ARN of a secret. */
  | { readonly kind: 'secretsmanager'; readonly id: string }
  /** For `/bin/sh -c`. */
  | { readonly kind: 'command'; readonly command: string }

const EXAMPLES = [
  '--store file:/path/to/credentials.age',
  '--store secretsmanager:NAME',
  "--store 'command:/path/to/program'",
]

/**
 * Reads `file:PATH`, `secretsmanager:ID` or `command:CMD`.
 * @throws {OperatorError} `STORE_MALFORMED_NAME` (exit 2)
 */
export const parseStoreForm = (text: string): StoreForm => {
  const at = text.indexOf(':')
  const rest = text.slice(at + 1)
  if (at < 0 || rest.trim() === '') throw nameless(text)
  switch (text.slice(0, at)) {
    case 'file':
      return { kind: 'file', path: rest }
    case 'secretsmanager':
      if (rest.includes('#')) {
        throw usageError('STORE_MALFORMED_NAME', `--store "${text}" names one key, and a store is a whole secret`, [
          `--store secretsmanager:${rest.slice(0, rest.indexOf('#'))}`,
        ])
      }
      return { kind: 'secretsmanager', id: rest }
    case 'command':
      return { kind: 'command', command: rest }
    default:
      throw nameless(text)
  }
}

const nameless = (text: string) =>
  usageError('STORE_MALFORMED_NAME', `--store "${text}" names no credential store`, EXAMPLES)
