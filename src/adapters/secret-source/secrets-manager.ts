import { GetSecretValueCommand } from '@aws-sdk/client-secrets-manager'
import { OperatorError, refusal } from '../../domain/errors.js'
import type { Secret } from '../../domain/secret.js'
import type { SecretUse } from '../../domain/secret-source.js'
import { secretClient } from '../secrets-manager/client.js'
import { secretIn } from './secret-text.js'

/**
 * The current value of a secret, or one key of it where the value is a JSON object. An ARN names its own Region; for
 * a name the SDK's usual ways decide (`AWS_REGION`, then the profile).
 * @throws {OperatorError} `SECRETS_MANAGER` (exit 3); never with the value
 */
export const fromSecretsManager = async (
  id: string,
  key: string | null,
  use: SecretUse,
  env: NodeJS.ProcessEnv,
): Promise<Secret> => {
  const value = await fetchValue(id, use, env)
  const text = key === null ? plainText(value, id, use) : member(value, id, key, use)
  const secret = secretIn(text, use)
  if (secret === null) throw unusable(id, use, key === null ? 'is empty' : `has nothing under the key "${key}"`)
  return secret
}

const fetchValue = async (id: string, use: SecretUse, env: NodeJS.ProcessEnv): Promise<string> => {
  const { client, region } = secretClient(id, env)
  try {
    const { SecretString: text } = await client.send(new GetSecretValueCommand({ SecretId: id }))
    if (text === undefined) throw unusable(id, use, 'is binary, not text')
    return text
  } catch (error) {
    if (error instanceof OperatorError) throw error
    const { name, message } = error as Error
    const { why, advice } = REASONS[name] ?? { why: `could not be read: ${name}: ${message}`, advice: undefined }
    throw unusable(id, use, region === undefined ? why : `${why} (Region ${region})`, advice)
  } finally {
    client.destroy()
  }
}

const REASONS: Readonly<Record<string, { why: string; advice: string }>> = {
  ResourceNotFoundException: { why: 'does not exist', advice: 'compare name and Region; an ARN names both' },
  AccessDeniedException: {
    why: 'may not be read with these AWS credentials',
    advice: 'allow secretsmanager:GetSecretValue, and kms:Decrypt for a key of your own',
  },
  CredentialsProviderError: {
    why: 'could not be asked for: no AWS credentials were found',
    advice: 'sign in, or set AWS_PROFILE',
  },
}

const plainText = (value: string, id: string, use: SecretUse): string => {
  if (objectIn(value) === null) return value
  throw unusable(id, use, 'is a JSON object', `name one of its keys: ${use.flag} secretsmanager:${id}#KEY`)
}

const member = (value: string, id: string, key: string, use: SecretUse): string => {
  const found = objectIn(value)
  if (found === null) throw unusable(id, use, `is no JSON object, so it has no key "${key}"`)
  const text = Object.hasOwn(found, key) ? found[key] : undefined
  if (typeof text === 'string') return text
  throw unusable(
    id,
    use,
    text === undefined ? `has no key "${key}"` : `has something else than text under the key "${key}"`,
  )
}

const objectIn = (value: string): Record<string, unknown> | null => {
  try {
    const parsed: unknown = JSON.parse(value)
    return typeof parsed === 'object' && parsed !== null && !Array.isArray(parsed)
      ? (parsed as Record<string, unknown>)
      : null
  } catch {
    return null
  }
}

const unusable = (id: string, use: SecretUse, why: string, advice?: string): OperatorError =>
  refusal(
    'SECRETS_MANAGER',
    `${use.flag} takes the ${use.what} from the secret ${id} in AWS Secrets Manager, which ${why}`,
    advice === undefined ? [] : [advice],
  )
