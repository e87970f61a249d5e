import { usageError } from './errors.js'

/** What `--lock` names: a lock that other machines see as well. */
export interface LockForm {
  readonly kind: 'dynamodb'
  /** Name or ARN of the table. */
  readonly table: string
}

/**
 * Reads `dynamodb:TABLE`.
 * @throws {OperatorError} `LOCK_MALFORMED` (exit 2)
 */
export const parseLockForm = (text: string): LockForm => {
  const [, table] = /^dynamodb:(\S+)$/.exec(text) ?? []
  if (table !== undefined) return { kind: 'dynamodb', table }
  throw usageError('LOCK_MALFORMED', `--lock "${text}" names no lock`, ['--lock dynamodb:TABLE'])
}
