import { usageError } from './errors.js'

/** Where credentials are kept, as `--store` names it. */
export interface StoreForm {
  readonly kind: 'file'
  readonly path: string
}

/**
 * Reads `file:PATH`.
 * @throws {OperatorError} `STORE_MALFORMED_NAME`, `STORE_NOT_SUPPORTED` (exit 2)
 */
export const parseStoreForm = (text: string): StoreForm => {
  const at = text.indexOf(':')
  const kind = at < 0 ? '' : text.slice(0, at)
  const rest = text.slice(at + 1)
  if (kind === 'file' && rest !== '') return { kind, path: rest }
  if (kind === 'secretsmanager' || kind === 'command') {
    throw usageError(
      'STORE_NOT_SUPPORTED',
      `--store ${kind}: is not supported: this version keeps credentials in "file:" stores only`,
      ['--store file:/path/to/credentials.age'],
    )
  }
  throw usageError('STORE_MALFORMED_NAME', `--store "${text}" names no credential store`, [
    '--store file:/path/to/credentials.age',
  ])
}
