import { usageError } from './errors.js'

/** Where a credential is handed to. Never the screen: scroll-back and logs outlive it. */
export type HandOverForm =
  | { readonly kind: 'file'; readonly path: string }
  /** For `/bin/sh -c`; it gets the credential on standard input. */
  | { readonly kind: 'command'; readonly command: string }

/**
 * Reads `file:PATH` or `command:CMD`.
 * @throws {OperatorError} `TO_MALFORMED` (exit 2)
 */
export const parseHandOverForm = (text: string): HandOverForm => {
  const at = text.indexOf(':')
  const [kind, rest] = [text.slice(0, Math.max(at, 0)), text.slice(at + 1)]
  if (kind === 'file' && rest !== '') return { kind, path: rest }
  if (kind === 'command' && rest.trim() !== '') return { kind, command: rest }
  throw usageError('TO_MALFORMED', `--to "${text}" names neither a file nor a command`, [
    '--to file:/run/secrets/hsm-password',
    "--to 'command:systemd-creds encrypt - /etc/credstore/hsm'",
    'a credential is never written to the screen',
  ])
}
