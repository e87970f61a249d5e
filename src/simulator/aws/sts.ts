import { deriveId } from '../fleet/identifiers.js'
import { AwsError } from './aws-error.js'
import type { AwsWorld } from './world.js'

const NAMESPACE = 'https://sts.amazonaws.com/doc/2011-06-15/'
const ROLE_ARN = /^arn:(aws[a-z-]*):iam::(\d{12}):role\/([\w+=,.@/-]+)$/
const HOUR_SECONDS = 3600

/** The Security Token Service as far as assuming a role goes: form in, XML out. */
export const answerSts = (
  world: AwsWorld,
  caller: { readonly account: string; readonly accessKeyId: string },
  form: URLSearchParams,
  requestId: string,
): string => {
  const action = form.get('Action') ?? ''
  if (action === 'GetCallerIdentity') {
    const { account, accessKeyId } = caller
    const arn = `arn:aws:iam::${account}:user/simulated`
    return document(action, requestId, { Arn: arn, UserId: accessKeyId, Account: account })
  }
  if (action === 'AssumeRole') return document(action, requestId, assumeRole(world, form))
  throw new AwsError('InvalidAction', `Could not find operation ${action}`)
}

const assumeRole = (world: AwsWorld, form: URLSearchParams): XmlTree => {
  const arn = form.get('RoleArn') ?? ''
  const session = form.get('RoleSessionName') ?? ''
  const [, partition, account, role] = ROLE_ARN.exec(arn) ?? []
  if (!partition || !account || !role) throw new AwsError('ValidationError', `${arn} is invalid`)
  if (!/^[\w+=,.@-]{2,64}$/.test(session)) throw new AwsError('ValidationError', 'RoleSessionName is invalid')
  const accessKeyId = world.sessionKeyFor(account)
  if (accessKeyId === null) {
    throw new AwsError('AccessDenied', `User is not authorized to perform: sts:AssumeRole on resource: ${arn}`, 403)
  }
  const seconds = Number(form.get('DurationSeconds') ?? HOUR_SECONDS)
  return {
    Credentials: {
      AccessKeyId: accessKeyId,
      SecretAccessKey: `simulated-${deriveId('secret', account)}`,
      SessionToken: `simulated-${deriveId('token', account, role)}`,
      Expiration: new Date(Date.now() + seconds * 1000).toISOString(),
    },
    AssumedRoleUser: {
      AssumedRoleId: `${accessKeyId}:${session}`,
      Arn: `arn:${partition}:sts::${account}:assumed-role/${role.split('/').at(-1)}/${session}`,
    },
  }
}

interface XmlTree {
  readonly [name: string]: string | XmlTree
}

const document = (action: string, requestId: string, result: XmlTree): string =>
  `<${action}Response xmlns="${NAMESPACE}">${xml({
    [`${action}Result`]: result,
    ResponseMetadata: { RequestId: requestId },
  })}</${action}Response>`

/** An error as the Query protocol writes it. */
export const stsError = (error: AwsError, requestId: string): string =>
  `<ErrorResponse xmlns="${NAMESPACE}">${xml({
    Error: { Type: 'Sender', Code: error.code, Message: error.message },
    RequestId: requestId,
  })}</ErrorResponse>`

const xml = (tree: XmlTree): string =>
  Object.entries(tree)
    .map(([name, value]) => `<${name}>${typeof value === 'string' ? escapeXml(value) : xml(value)}</${name}>`)
    .join('')

const escapeXml = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;')
