import { OperatorError, refusal } from '../../../domain/errors.js'

/** Which secret, for errors. */
export interface SecretPlace {
  readonly id: string
  /** Where known beforehand. */
  readonly region: string | undefined
}

/** What AWS was asked for. */
export type Doing = 'read' | 'written'

/** The refusal for a call that failed. What AWS says about a write is not repeated: it may quote the value. */
export const secretTrouble = (error: unknown, doing: Doing, place: SecretPlace): OperatorError => {
  if (error instanceof OperatorError) return error
  const { name, message } = error as Error
  const where = `the secret ${place.id} in AWS Secrets Manager${place.region === undefined ? '' : ` (Region ${place.region})`}`
  const code = doing === 'read' ? 'STORE_UNREADABLE' : 'STORE_UNWRITABLE'
  const region = place.region === undefined ? '' : ` --region ${place.region}`
  switch (name) {
    case 'ResourceNotFoundException':
      return refusal('STORE_MISSING', `${where} does not exist, and is not made by this program`, [
        place.id.startsWith('arn:')
          ? 'compare the ARN with: aws secretsmanager list-secrets'
          : `aws secretsmanager create-secret${region} --name ${place.id} --kms-key-id KEY`,
        'leave it empty; its key and its policy decide who may read HSM credentials',
      ])
    case 'AccessDeniedException':
      return refusal(code, `${where} may not be ${doing} with these AWS credentials`, [
        'allow secretsmanager:DescribeSecret, GetSecretValue, PutSecretValue and UpdateSecretVersionStage on it',
        'and kms:Decrypt and kms:GenerateDataKey for a key of your own',
      ])
    case 'CredentialsProviderError':
      return refusal(code, `${where} could not be asked for: no AWS credentials were found`, [
        'sign in, or set AWS_PROFILE',
      ])
    default:
  }
  if (/region is missing/i.test(message)) {
    return refusal(code, `the Region of the secret ${place.id} is not known`, ['set AWS_REGION', 'or give its ARN'])
  }
  return refusal(code, `${where} could not be ${doing}: ${doing === 'read' ? `${name}: ${message}` : name}`, [
    'repeat the command; what was done is not done twice',
  ])
}
