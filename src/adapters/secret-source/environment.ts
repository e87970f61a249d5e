import { usageError } from '../../domain/errors.js'
import type { Secret } from '../../domain/secret.js'
import type { SecretUse } from '../../domain/secret-source.js'
import { secretIn } from './secret-text.js'

/** @throws {OperatorError} `SECRET_VARIABLE` (exit 2) when the variable is not set or empty */
export const fromEnvironment = (name: string, use: SecretUse, text: string | undefined): Secret => {
  const secret = secretIn(text ?? '', use)
  if (secret !== null) return secret
  throw usageError(
    'SECRET_VARIABLE',
    `${use.flag} takes the ${use.what} from the environment variable ${name}, which is ${text === undefined ? 'not set' : 'empty'}`,
    [`export ${name}, so that programs started from this shell see it`, `${use.flag} prompt`],
  )
}
