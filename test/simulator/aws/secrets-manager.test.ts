import {
  CreateSecretCommand,
  DescribeSecretCommand,
  GetSecretValueCommand,
  PutSecretValueCommand,
  type SecretsManagerClient,
  UpdateSecretVersionStageCommand,
} from '@aws-sdk/client-secrets-manager'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { type SecretsServer, startSecretsServer } from '../../helpers/secrets-server.js'

const ID = 'hsm/payments'
const [T1, T2, T3] = ['1', '2', '3'].map((digit) => digit.repeat(32)) as [string, string, string]

describe('the Secrets Manager of the simulator, asked by the client of AWS', () => {
  let server: SecretsServer
  let region = 0
  /** A Region of its own, so that tests do not see each other's secrets. */
  const fresh = (): SecretsManagerClient => {
    region += 1
    return server.client(`eu-west-${region}`)
  }
  beforeAll(async () => {
    server = await startSecretsServer()
  })
  afterAll(() => server.stop())

  const put = (client: SecretsManagerClient, token: string, text: string, ...VersionStages: string[]) =>
    client.send(
      new PutSecretValueCommand({ SecretId: ID, ClientRequestToken: token, SecretString: text, VersionStages }),
    )
  const labels = async (client: SecretsManagerClient) =>
    (await client.send(new DescribeSecretCommand({ SecretId: ID }))).VersionIdsToStages ?? {}
  const move = (client: SecretsManagerClient, VersionStage: string, from?: string, to?: string) =>
    client.send(
      new UpdateSecretVersionStageCommand({
        SecretId: ID,
        VersionStage,
        ...(from !== undefined && { RemoveFromVersionId: from }),
        ...(to !== undefined && { MoveToVersionId: to }),
      }),
    )

  test('a secret is found by name, by ARN and by the ARN without its ending, in its own Region alone', async () => {
    const client = fresh()
    const { ARN } = await client.send(new CreateSecretCommand({ Name: ID, SecretString: 'one' }))
    for (const SecretId of [ID, ARN, ARN?.slice(0, -7)]) {
      expect((await client.send(new GetSecretValueCommand({ SecretId }))).SecretString).toBe('one')
    }
    await expect(fresh().send(new DescribeSecretCommand({ SecretId: ID }))).rejects.toMatchObject({
      name: 'ResourceNotFoundException',
    })
    await expect(client.send(new CreateSecretCommand({ Name: ID }))).rejects.toMatchObject({
      name: 'ResourceExistsException',
    })
  })

  test('the first version of an empty secret becomes current whatever label was asked', async () => {
    const client = fresh()
    await client.send(new CreateSecretCommand({ Name: ID }))
    expect(await labels(client)).toEqual({})
    await expect(client.send(new GetSecretValueCommand({ SecretId: ID }))).rejects.toMatchObject({
      name: 'ResourceNotFoundException',
    })
    await put(client, T1, 'one', 'AWSPENDING')
    expect(await labels(client)).toEqual({ [T1]: ['AWSPENDING', 'AWSCURRENT'] })
  })

  test('a token repeated with the same value does nothing, with another one it is refused', async () => {
    const client = fresh()
    await client.send(new CreateSecretCommand({ Name: ID, SecretString: 'zero', ClientRequestToken: T1 }))
    await put(client, T2, 'one', 'AWSPENDING')
    await put(client, T2, 'one', 'OTHER')
    expect(await labels(client)).toEqual({ [T1]: ['AWSCURRENT'], [T2]: ['AWSPENDING'] })
    await expect(put(client, T2, 'two', 'AWSPENDING')).rejects.toMatchObject({ name: 'ResourceExistsException' })
  })

  test('AWSCURRENT is moved by naming where it stands, and AWSPREVIOUS follows it', async () => {
    const client = fresh()
    await client.send(new CreateSecretCommand({ Name: ID, SecretString: 'one', ClientRequestToken: T1 }))
    await put(client, T2, 'two', 'AWSPENDING')
    for (const [from, to] of [
      [undefined, T2],
      [T2, T2],
      [T1, undefined],
    ] as const) {
      await expect(move(client, 'AWSCURRENT', from, to)).rejects.toMatchObject({ name: 'InvalidParameterException' })
    }
    await expect(move(client, 'AWSCURRENT', T1, T3)).rejects.toMatchObject({ name: 'ResourceNotFoundException' })
    await move(client, 'AWSCURRENT', T1, T2)
    await move(client, 'AWSPENDING', T2)
    expect(await labels(client)).toEqual({ [T1]: ['AWSPREVIOUS'], [T2]: ['AWSCURRENT'] })
    const previous = new GetSecretValueCommand({ SecretId: ID, VersionStage: 'AWSPREVIOUS' })
    expect((await client.send(previous)).SecretString).toBe('one')
    const both = new GetSecretValueCommand({ SecretId: ID, VersionStage: 'AWSPREVIOUS', VersionId: T2 })
    await expect(client.send(both)).rejects.toMatchObject({ name: 'ResourceNotFoundException' })
  })

  test('a value longer than AWS takes is refused', async () => {
    const client = fresh()
    await client.send(new CreateSecretCommand({ Name: ID }))
    await expect(put(client, T1, 'x'.repeat(65_537), 'AWSPENDING')).rejects.toMatchObject({
      name: 'ValidationException',
    })
  })
})
