import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager'
import { AwsFaults } from '../../src/simulator/aws/aws-faults.js'
import { awsEndpoint } from '../../src/simulator/aws/endpoint.js'
import { Secrets } from '../../src/simulator/aws/secrets-manager/secrets.js'

/** The simulator's AWS endpoint without HSMs, for one file of tests. */
export interface SecretsServer {
  /** What the product reads; the credentials of the one account. */
  readonly env: Readonly<Record<string, string>>
  /** Names of the calls so far, in order. */
  readonly calls: string[]
  /** Refuses one call of this name, after letting so many pass. */
  refuse(call: string, after: number): void
  /** Carries one call of this name out, after letting so many pass, and answers with an error. */
  lose(call: string, after: number): void
  /** Whether the last of these happened; if it did not, it does not any more. */
  struck(): boolean
  /** AWS's own client. */
  client(region?: string): SecretsManagerClient
  stop(): Promise<void>
}

export const REGION = 'eu-west-1'
const KEY = 'AKIATESTTESTTESTTEST'

export const startSecretsServer = async (): Promise<SecretsServer> => {
  const calls: string[] = []
  let fault: { call: string; after: number; carryOut: boolean } | null = null
  const endpoint = awsEndpoint({
    clusters: () => [],
    backups: () => [],
    accountOf: (key) => (key === KEY ? '111122223333' : null),
    sessionKeyFor: () => null,
    faults: new AwsFaults(),
    secrets: new Secrets(),
  })
  const server = createServer((request, response) => {
    const call = String(request.headers['x-amz-target']).split('.')[1] ?? ''
    calls.push(call)
    if (fault?.call !== call || fault.after-- > 0) return void endpoint.emit('request', request, response)
    const { carryOut } = fault
    fault = null
    const end = response.end.bind(response)
    const refuse = () => end(JSON.stringify({ __type: 'AccessDeniedException', message: 'so the test wants it' }))
    response.writeHead(400, { 'content-type': 'application/x-amz-json-1.1' })
    if (!carryOut) return void request.resume().on('end', refuse)
    Object.assign(response, { writeHead: () => response, end: refuse })
    endpoint.emit('request', request, response)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const clients: SecretsManagerClient[] = []
  return {
    env: { AWS_ENDPOINT_URL: url, AWS_REGION: REGION, AWS_ACCESS_KEY_ID: KEY, AWS_SECRET_ACCESS_KEY: 'simulated' },
    calls,
    refuse: (call, after) => {
      fault = { call, after, carryOut: false }
    },
    lose: (call, after) => {
      fault = { call, after, carryOut: true }
    },
    struck: () => {
      const struck = fault === null
      fault = null
      return struck
    },
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
