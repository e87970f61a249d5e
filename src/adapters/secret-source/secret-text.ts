import { Secret } from '../../domain/secret.js'
import type { SecretUse } from '../../domain/secret-source.js'

/** The secret in a text: its first line without the line end, or all of it; null where that is empty. */
export const secretIn = (text: string, use: SecretUse): Secret | null => {
  const secret = use.wholeText ? text : text.replace(/\r?\n.*$/s, '')
  return secret === '' ? null : new Secret(secret)
}
