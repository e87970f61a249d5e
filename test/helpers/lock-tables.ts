import type { AddressInfo } from 'node:net'
import { CreateTableCommand, DynamoDBClient } from '@aws-sdk/client-dynamodb'
import dynalite from 'dynalite'

/** A DynamoDB on loopback for one file of tests. */
export interface LockTables {
  /** What the product reads. */
  readonly env: Readonly<Record<string, string>>
  /** Makes a table and returns its name. @param key name of its key, `clusterId` as the product wants it */
  create(key?: string): Promise<string>
  stop(): Promise<void>
}

export const startLockTables = async (): Promise<LockTables> => {
  const server = dynalite({ createTableMs: 0, deleteTableMs: 0 })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const env = {
    AWS_ENDPOINT_URL_DYNAMODB: endpoint,
    AWS_REGION: 'eu-west-1',
    AWS_ACCESS_KEY_ID: 'TESTKEY',
    AWS_SECRET_ACCESS_KEY: 'TESTKEY',
  }
  const client = new DynamoDBClient({
    region: env.AWS_REGION,
    endpoint,
    credentials: { accessKeyId: 'TESTKEY', secretAccessKey: 'TESTKEY' },
  })
  let made = 0
  return {
    env,
    create: async (key = 'clusterId') => {
      made += 1
      const TableName = `locks-${made}`
      await client.send(
        new CreateTableCommand({
          TableName,
          AttributeDefinitions: [{ AttributeName: key, AttributeType: 'S' }],
          KeySchema: [{ AttributeName: key, KeyType: 'HASH' }],
          BillingMode: 'PAY_PER_REQUEST',
        }),
      )
      return TableName
    },
    stop: async () => {
      client.destroy()
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}
