import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager'

/** A client for one secret, and the Region it asks, where that is known beforehand. */
export interface SecretClient {
  readonly client: SecretsManagerClient
  readonly region: string | undefined
}

/**
 * An ARN names its own Region; for a name the SDK's usual ways decide (`AWS_REGION`, then the profile). The endpoint is
 * `AWS_ENDPOINT_URL`'s where that is set.
 * @param id name or ARN of the secret
 */
export const secretClient = (id: string, env: NodeJS.ProcessEnv): SecretClient => {
  const region = regionOf(id) ?? (env['AWS_REGION'] || env['AWS_DEFAULT_REGION'] || undefined)
  const endpoint = env['AWS_ENDPOINT_URL_SECRETS_MANAGER'] || env['AWS_ENDPOINT_URL'] || undefined
  // Which Node the SDK will want some day is no news for an operator in the middle of a rotation.
  process.env['AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED'] ??= 'true'
  const client = new SecretsManagerClient({
    ...(region === undefined ? {} : { region }),
    ...(endpoint === undefined ? {} : { endpoint }),
    maxAttempts: 3,
    requestHandler: { connectionTimeout: 5_000, requestTimeout: 10_000 },
  })
  return { client, region }
}

/** `arn:PARTITION:secretsmanager:REGION:ACCOUNT:secret:NAME` */
const regionOf = (id: string): string | undefined => (id.startsWith('arn:') ? id.split(':')[3] || undefined : undefined)
