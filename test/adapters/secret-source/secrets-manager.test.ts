import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { secretSource } from '../../../src/adapters/secret-source/secret-source.js'
import { parseSecretForm } from '../../../src/domain/secret-form.js'
import { operatorErrorOf, shownParts } from '../../helpers/errors.js'

const CANARY = 'TEST-SECRET-manager'
const use = { flag: '--officer-password', what: 'password of CO:admin' }
const secrets: Readonly<Record<string, object>> = {
  plain: { SecretString: CANARY },
  json: { SecretString: JSON.stringify({ password: CANARY, port: 2225, empty: '' }) },
  binary: { SecretBinary: Buffer.from(CANARY).toString('base64') },
  'arn:aws:secretsmanager:eu-west-1:111122223333:secret:hsm-AbCdEf': { SecretString: CANARY },
}
const asked: { region: string; target: string; secretId: string }[] = []
let server: Server
const saved = { ...process.env }

beforeAll(async () => {
  // The SDK's own chain reads these; nothing else in this process does.
  Object.assign(process.env, {
    AWS_ACCESS_KEY_ID: 'TESTKEY',
    AWS_SECRET_ACCESS_KEY: 'TESTKEY',
    AWS_EC2_METADATA_DISABLED: 'true',
  })
  server = createServer(async (request, response) => {
    let body = ''
    for await (const chunk of request) body += chunk
    const { SecretId: secretId } = JSON.parse(body)
    const region = /Credential=[^/]+\/\d+\/([^/]+)\/secretsmanager/.exec(request.headers.authorization ?? '')?.[1] ?? ''
    asked.push({ region, target: String(request.headers['x-amz-target']), secretId })
    const found = secrets[secretId]
    const denied = secretId === 'denied'
    response.writeHead(found === undefined ? 400 : 200, { 'content-type': 'application/x-amz-json-1.1' })
    response.end(
      JSON.stringify(
        found ?? { __type: denied ? 'AccessDeniedException' : 'ResourceNotFoundException', message: 'no' },
      ),
    )
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
})

afterAll(async () => {
  process.env = saved
  await new Promise((resolve) => server.close(resolve))
})

const resolve = (text: string) =>
  secretSource({
    env: { AWS_REGION: 'us-east-1', AWS_ENDPOINT_URL: `http://127.0.0.1:${(server.address() as AddressInfo).port}` },
  }).resolve(parseSecretForm(`secretsmanager:${text}`, use.flag), use)

describe('a secret from AWS Secrets Manager', () => {
  test('is its value, or one key of it', async () => {
    expect((await resolve('plain')).reveal()).toBe(CANARY)
    expect((await resolve('json#password')).reveal()).toBe(CANARY)
  })

  test('is asked for in the Region of its ARN, otherwise in AWS_REGION', async () => {
    asked.splice(0)
    const arn = 'arn:aws:secretsmanager:eu-west-1:111122223333:secret:hsm-AbCdEf'
    await resolve('plain')
    expect((await resolve(arn)).reveal()).toBe(CANARY)
    expect(asked).toEqual([
      { region: 'us-east-1', target: 'secretsmanager.GetSecretValue', secretId: 'plain' },
      { region: 'eu-west-1', target: 'secretsmanager.GetSecretValue', secretId: arn },
    ])
  })

  test.each([
    ['missing', 'does not exist (Region us-east-1)'],
    ['denied', 'may not be read with these AWS credentials (Region us-east-1)'],
    ['binary', 'is binary, not text'],
    ['json', 'is a JSON object'],
    ['json#other', 'has no key "other"'],
    ['json#toString', 'has no key "toString"'],
    ['json#port', 'has something else than text under the key "port"'],
    ['json#empty', 'has nothing under the key "empty"'],
    ['plain#password', 'is no JSON object, so it has no key "password"'],
  ])('%s is refused with the reason and without the value', async (text, what) => {
    const error = await operatorErrorOf(() => resolve(text))
    expect([error.code, error.exitCode]).toEqual(['SECRETS_MANAGER', 3])
    const id = text.replace(/#.*/, '')
    expect(error.message).toBe(
      `--officer-password takes the password of CO:admin from the secret ${id} in AWS Secrets Manager, which ${what}`,
    )
    expect(shownParts(error)).not.toContain('TEST-SECRET')
  })
})
