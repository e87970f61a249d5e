import type { Secret } from './secret.js'
import type { SecretForm } from './secret-form.js'

/** What a secret is wanted for; named in questions and errors. */
export interface SecretUse {
  /** The flag that asked for it, as it is typed. */
  readonly flag: string
  /** For the question at the prompt, e.g. `new password of CU:app_crypto`. */
  readonly what: string
  /** Whether it is asked twice at a prompt, because nothing else would notice a slip of the finger. */
  readonly confirm?: boolean
  /** Whether all lines count, as in an age identity file; otherwise the first line is the secret. */
  readonly wholeText?: boolean
}

/** Fetches secrets from where the operator keeps them. */
export interface SecretSource {
  /**
   * Asked at most once per form and use: a prompt is shown, a command is run.
   * @throws {OperatorError} `NO_TERMINAL`, `PASSWORDS_DIFFER`, `SECRET_VARIABLE`, `SECRET_FILE` (exit 2),
   *   `SECRET_COMMAND`, `SECRETS_MANAGER` (exit 3), `INTERRUPTED` (exit 130); never with the secret in it
   */
  resolve(form: SecretForm, use: SecretUse): Promise<Secret>
}
