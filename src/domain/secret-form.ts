import { type ClusterRef, readClusterRef } from './cluster.js'
import { usageError } from './errors.js'
import type { HsmUserRef } from './hsm-user.js'
import { isUserText, parseUserRef } from './hsm-user-text.js'

/** Where a password comes from. A password itself is never an argument: arguments are visible to every process. */
export type SecretForm =
  | { readonly kind: 'prompt' }
  | { readonly kind: 'env'; readonly name: string }
  | { readonly kind: 'file'; readonly path: string }
  | { readonly kind: 'command'; readonly command: string }
  | { readonly kind: 'secretsmanager'; readonly id: string; readonly key: string | null }

/** What a flag that takes `[USER=]SECRET` says about one user, or about every user where `user` is null. */
export interface UserSecretForm {
  readonly user: HsmUserRef | null
  readonly form: SecretForm | { readonly kind: 'generate' }
}

/** What a flag that takes `[CLUSTER=]SECRET` says about one cluster, or about every one where `cluster` is null. */
export interface ClusterSecretForm {
  readonly cluster: ClusterRef | null
  readonly value: SecretForm
}

const FORMS = 'prompt, env:NAME, file:PATH, command:CMD, secretsmanager:ID[#KEY]'
const VARIABLE = /^[A-Za-z_][A-Za-z0-9_]*$/

/**
 * Reads where a password comes from. The text is not repeated in the error: it may be the password.
 * @param flag as it is typed, e.g. `--officer-password`
 * @throws {OperatorError} `LITERAL_SECRET` (exit 2)
 */
export const parseSecretForm = (text: string, flag: string): SecretForm => {
  const form = formOf(text)
  if (form === null) throw literal(flag, FORMS)
  return form
}

/**
 * Reads `[USER=]SECRET`. A user is looked for only where the text is no SECRET by itself, because paths and commands
 * may hold `=` too.
 * @param generate whether the word `generate` is allowed, which stands for a password made by this program
 * @throws {OperatorError} `LITERAL_SECRET` (exit 2)
 */
export const parseUserSecret = (text: string, flag: string, { generate = false } = {}): UserSecretForm => {
  const read = (secret: string) =>
    generate && secret === 'generate' ? ({ kind: 'generate' } as const) : formOf(secret)
  const whole = read(text)
  if (whole !== null) return { user: null, form: whole }
  const at = text.indexOf('=')
  const user = text.slice(0, Math.max(at, 0))
  const form = isUserText(user) ? read(text.slice(at + 1)) : null
  if (form === null)
    throw literal(flag, generate ? `${FORMS}, generate` : FORMS, `for one user alone: ${flag} CU:app_crypto=env:NAME`)
  return { user: parseUserRef(user), form }
}

/**
 * Reads `[CLUSTER=]SECRET`. What stands before the first `=` names a cluster only where it has the form of one and a
 * SECRET follows, because paths and commands may hold `=` too.
 * @throws {OperatorError} `LITERAL_SECRET` (exit 2)
 */
export const parseClusterSecret = (text: string, flag: string): ClusterSecretForm => {
  const at = text.indexOf('=')
  const cluster = at < 0 ? null : readClusterRef(text.slice(0, at))
  const own = cluster === null ? null : formOf(text.slice(at + 1))
  if (own !== null) return { cluster, value: own }
  const value = formOf(text)
  if (value === null)
    throw literal(flag, FORMS, `for one cluster alone: ${flag} eu-west-1/cluster-abcdefghijk=env:NAME`)
  return { cluster: null, value }
}

const formOf = (text: string): SecretForm | null => {
  if (text === 'prompt') return { kind: 'prompt' }
  const at = text.indexOf(':')
  const rest = text.slice(at + 1)
  if (at < 0 || rest.trim() === '') return null
  switch (text.slice(0, at)) {
    case 'env':
      return VARIABLE.test(rest) ? { kind: 'env', name: rest } : null
    case 'file':
      return { kind: 'file', path: rest }
    case 'command':
      return { kind: 'command', command: rest }
    case 'secretsmanager':
      return secretsManagerForm(rest)
    default:
      return null
  }
}

/** Neither a secret's name nor its ARN may hold `#`. Source: AWS Secrets Manager API, `CreateSecret`. */
const secretsManagerForm = (text: string): SecretForm | null => {
  const at = text.indexOf('#')
  if (at < 0) return { kind: 'secretsmanager', id: text, key: null }
  const [id, key] = [text.slice(0, at), text.slice(at + 1)]
  return id === '' || key === '' ? null : { kind: 'secretsmanager', id, key }
}

const literal = (flag: string, forms: string, narrower?: string) =>
  usageError('LITERAL_SECRET', `${flag} names where a password comes from; a password itself is not accepted there`, [
    `accepted forms: ${forms}`,
    `${flag} prompt`,
    ...(narrower === undefined ? [] : [narrower]),
  ])
