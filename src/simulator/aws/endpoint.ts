import { randomUUID } from 'node:crypto'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { delay } from '../server/delay.js'
import { AwsError } from './aws-error.js'
import type { AwsFault } from './aws-faults.js'
import { describeBackups } from './describe-backups.js'
import { type AwsCall, describeClusters } from './describe-clusters.js'
import { listTags } from './list-tags.js'
import { SECRETS_MANAGER } from './secrets-manager/operations.js'
import { type Signer, signerOf } from './signature.js'
import { answerSts, stsError } from './sts.js'
import type { AwsWorld } from './world.js'

const JSON_TYPE = 'application/x-amz-json-1.1'
const XML_TYPE = 'text/xml'
const TARGET = /^(BaldrApiService|secretsmanager)\.(\w+)$/
const MOST_BYTES = 1024 * 1024

const OPERATIONS: Readonly<Record<string, (world: AwsWorld, call: AwsCall) => object>> = {
  DescribeClusters: describeClusters,
  DescribeBackups: describeBackups,
  ListTags: listTags,
}

/** One HTTP endpoint for all Regions: CloudHSM v2 and Secrets Manager in AWS JSON 1.1, STS in the Query
 * protocol. Not listening yet. */
export const awsEndpoint = (world: AwsWorld): Server =>
  createServer((request, response) => {
    void answer(world, request, response)
  })

const answer = async (world: AwsWorld, request: IncomingMessage, response: ServerResponse): Promise<void> => {
  const requestId = randomUUID()
  const forSts = (request.headers['content-type'] ?? '').startsWith('application/x-www-form-urlencoded')
  const send = (status: number, type: string, text: string): void => {
    response.writeHead(status, {
      'content-type': type,
      'content-length': Buffer.byteLength(text),
      'x-amzn-requestid': requestId,
    })
    response.end(text)
  }
  try {
    const body = await bodyOf(request)
    const signer = signerOf(request.headers)
    const delayMs = world.faults.delayMs(signer.region)
    if (delayMs > 0) await delay(delayMs)
    const fault = forSts ? null : world.faults.strike(signer.region)
    if (fault?.kind === 'aws-reset') return void request.socket.destroy()
    if (fault?.kind === 'aws-html') return send(500, 'text/html', '<html><body>Internal Server Error</body></html>')
    if (fault) refuse(fault, signer)
    if (forSts) {
      const caller = { account: accountFor(world, signer, 'sts'), accessKeyId: signer.accessKeyId }
      return send(200, XML_TYPE, answerSts(world, caller, new URLSearchParams(body), requestId))
    }
    const text = JSON.stringify(answerJson(world, request, signer, body))
    send(200, JSON_TYPE, fault?.kind === 'aws-truncated' ? text.slice(0, text.length / 2) : text)
  } catch (error) {
    if (!(error instanceof AwsError)) return void request.socket.destroy()
    if (forSts) send(error.status, XML_TYPE, stsError(error, requestId))
    else send(error.status, JSON_TYPE, JSON.stringify({ __type: error.code, message: error.message }))
  }
}

const answerJson = (world: AwsWorld, request: IncomingMessage, signer: Signer, body: string): object => {
  const [, service, name] = TARGET.exec(String(request.headers['x-amz-target'] ?? '')) ?? []
  const forSecrets = service === 'secretsmanager'
  const operation = (forSecrets ? SECRETS_MANAGER : OPERATIONS)[name ?? '']
  if (request.method !== 'POST' || !operation) {
    throw new AwsError('UnknownOperationException', `Operation ${name ?? '(none)'} is unknown to this simulator`)
  }
  const account = accountFor(world, signer, forSecrets ? 'secretsmanager' : 'cloudhsm')
  return operation(world, { account, region: signer.region, input: inputOf(body) })
}

const accountFor = (world: AwsWorld, signer: Signer, service: string): string => {
  if (signer.service !== service) {
    throw new AwsError(
      'InvalidSignatureException',
      `Credential should be scoped to correct service: '${service}', not '${signer.service}'`,
    )
  }
  const account = world.accountOf(signer.accessKeyId)
  if (account === null) throw unrecognized()
  return account
}

const unrecognized = (): AwsError =>
  new AwsError('UnrecognizedClientException', 'The security token included in the request is invalid.')

const refuse = (fault: AwsFault, { region }: Signer): void => {
  switch (fault.kind) {
    case 'throttle':
      throw new AwsError('ThrottlingException', 'Rate exceeded')
    case 'aws-error':
      throw new AwsError('CloudHsmInternalFailureException', 'The service is unavailable', 500)
    case 'expired-credentials':
      throw new AwsError('ExpiredTokenException', 'The security token included in the request is expired')
    case 'region-denied':
      throw new AwsError('AccessDeniedException', `An explicit deny in a policy forbids cloudhsm in ${region}`)
    case 'region-not-enabled':
      throw unrecognized()
    default:
  }
}

const inputOf = (body: string): Record<string, unknown> => {
  try {
    const input: unknown = body === '' ? {} : JSON.parse(body)
    if (typeof input === 'object' && input !== null && !Array.isArray(input)) return input as Record<string, unknown>
  } catch {
    // Falls through: whatever it is, it is no JSON object.
  }
  throw new AwsError('SerializationException', 'The request body is not a JSON object')
}

const bodyOf = async (request: IncomingMessage): Promise<string> => {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of request as AsyncIterable<Buffer>) {
    chunks.push(chunk)
    size += chunk.length
    if (size > MOST_BYTES) throw new AwsError('RequestEntityTooLargeException', 'The request is too large', 413)
  }
  return Buffer.concat(chunks).toString()
}
