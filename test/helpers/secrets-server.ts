import type { AddressInfo } from 'node:net'
import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager'
import { AwsFaults } from '../../src/simulator/aws/aws-faults.js'
import { awsEndpoint } from '../../src/simulator/aws/endpoint.js'
import { Secrets } from '../../src/simulator/aws/secrets-manager/secrets.js'

/** The simulator's AWS endpoint without HSMs, for one file of tests. */
export interface SecretsServer {
  /** What the product reads; the credentials of the one account. */
  readonly env: Readonly<Record<string, string>>
  readonly faults: AwsFaults
  /** Names of the calls so far, in order. */
  readonly calls: string[]
  /** AWS's own client. */
  client(region?: string): SecretsManagerClient
  stop(): Promise<void>
}

export const REGION = 'eu-west-1'
const KEY = 'AKIATESTTESTTESTTEST'

export const startSecretsServer = async (): Promise<SecretsServer> => {
  const faults = new AwsFaults()
  const calls: string[] = []
  const server = awsEndpoint({
    clusters: () => [],
    backups: () => [],
    accountOf: (key) => (key === KEY ? '111122223333' : null),
    sessionKeyFor: () => null,
    faults,
    secrets: new Secrets(),
  })
  server.on('request', (request) => calls.push(String(request.headers['x-amz-target']).split('.')[1] ?? ''))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const clients: SecretsManagerClient[] = []
  return {
    env: { AWS_ENDPOINT_URL: url, AWS_REGION: REGION, AWS_ACCESS_KEY_ID: KEY, AWS_SECRET_ACCESS_KEY: 'simulated' },
    faults,
    calls,
    client: (region = REGION) => {
      const credentials = { accessKeyId: KEY, secretAccessKey: 'simulated' }
      const client = new SecretsManagerClient({ region, endpoint: url, credentials, maxAttempts: 1 })
      clients.push(client)
      return client
    },
    stop: async () => {
      for (const client of clients) client.destroy()
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}
