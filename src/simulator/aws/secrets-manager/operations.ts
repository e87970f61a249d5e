import { AwsError } from '../aws-error.js'
import type { AwsCall } from '../describe-clusters.js'
import type { AwsWorld } from '../world.js'
import { CURRENT, invalid, newToken } from './secret.js'

/** In characters. Source: AWS Secrets Manager API, `PutSecretValue`, `SecretString`. */
const LONGEST_VALUE = 65_536
const NAME = /^[A-Za-z0-9/_+=.@-]{1,512}$/
const TOKEN = /^.{32,64}$/

const createSecret = ({ secrets }: AwsWorld, call: AwsCall): object => {
  const name = text(call, 'Name') ?? ''
  if (!NAME.test(name)) throw validation('name', 'letters, digits and /_+=.@-')
  const value = secretString(call)
  const secret = secrets.create(call, name)
  const versionId = value === null ? null : secret.put(tokenOf(call), value, [CURRENT])
  return { ARN: secret.arn, Name: secret.name, ...(versionId !== null && { VersionId: versionId }) }
}

const describeSecret = ({ secrets }: AwsWorld, call: AwsCall): object => {
  const { arn, labelled, name } = secrets.get(call, required(call, 'SecretId'))
  const some = Object.keys(labelled).length > 0
  return { ARN: arn, Name: name, RotationEnabled: false, ...(some && { VersionIdsToStages: labelled }) }
}

const getSecretValue = ({ secrets }: AwsWorld, call: AwsCall): object => {
  const secret = secrets.get(call, required(call, 'SecretId'))
  const { value, versionId } = secret.get(text(call, 'VersionId'), text(call, 'VersionStage'))
  const stages = secret.labelsOf(versionId)
  return { ARN: secret.arn, Name: secret.name, VersionId: versionId, SecretString: value, VersionStages: stages }
}

const putSecretValue = ({ secrets }: AwsWorld, call: AwsCall): object => {
  const secret = secrets.get(call, required(call, 'SecretId'))
  const value = secretString(call)
  if (value === null) throw invalid('You must provide either SecretString or SecretBinary.')
  const labels = call.input['VersionStages'] ?? [CURRENT]
  if (
    !Array.isArray(labels) ||
    labels.length === 0 ||
    labels.length > 20 ||
    labels.some((l) => typeof l !== 'string')
  ) {
    throw validation('versionStages', '1 to 20 labels')
  }
  const versionId = secret.put(tokenOf(call), value, labels)
  return { ARN: secret.arn, Name: secret.name, VersionId: versionId, VersionStages: secret.labelsOf(versionId) }
}

const updateSecretVersionStage = ({ secrets }: AwsWorld, call: AwsCall): object => {
  const secret = secrets.get(call, required(call, 'SecretId'))
  secret.move(required(call, 'VersionStage'), text(call, 'RemoveFromVersionId'), text(call, 'MoveToVersionId'))
  return { ARN: secret.arn, Name: secret.name }
}

/** The calls of Secrets Manager that are answered. */
export const SECRETS_MANAGER: Readonly<Record<string, (world: AwsWorld, call: AwsCall) => object>> = {
  CreateSecret: createSecret,
  DescribeSecret: describeSecret,
  GetSecretValue: getSecretValue,
  PutSecretValue: putSecretValue,
  UpdateSecretVersionStage: updateSecretVersionStage,
}

const text = ({ input }: AwsCall, key: string): string | null => {
  const value = input[key] ?? null
  if (value === null || typeof value === 'string') return value
  throw new AwsError('SerializationException', `${key} is not a string`)
}

const required = (call: AwsCall, key: string): string => {
  const value = text(call, key)
  if (value === null || value === '') throw validation(key, 'something: it must not be null')
  return value
}

const secretString = (call: AwsCall): string | null => {
  const value = text(call, 'SecretString')
  if (value !== null && value.length > LONGEST_VALUE)
    throw validation('secretString', `at most ${LONGEST_VALUE} characters`)
  return value
}

const tokenOf = (call: AwsCall): string => {
  const token = text(call, 'ClientRequestToken') ?? newToken()
  if (!TOKEN.test(token)) throw validation('clientRequestToken', '32 to 64 characters')
  return token
}

const validation = (member: string, what: string): AwsError =>
  new AwsError('ValidationException', `1 validation error detected: Value at '${member}' must be ${what}`)
