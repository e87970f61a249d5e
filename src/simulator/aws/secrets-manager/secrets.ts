import { deriveId } from '../../fleet/identifiers.js'
import { AwsError } from '../aws-error.js'
import type { AwsCall } from '../describe-clusters.js'
import { Secret } from './secret.js'

type Owner = Pick<AwsCall, 'account' | 'region'>

/** Every secret of every account and Region; gone with the process. */
export class Secrets {
  readonly #secrets: Secret[] = []

  /** Makes an empty secret. */
  create(owner: Owner, name: string): Secret {
    if (this.#find(owner, name) !== undefined) {
      throw new AwsError('ResourceExistsException', `The operation failed because the secret ${name} already exists.`)
    }
    const suffix = deriveId('secret', owner.account, owner.region, name).slice(-6)
    const secret = new Secret(name, `${prefix(owner)}${name}-${suffix}`)
    this.#secrets.push(secret)
    return secret
  }

  /** @param id its name, its ARN, or the ARN without the six characters at the end */
  get(owner: Owner, id: string): Secret {
    const secret = this.#find(owner, id)
    if (secret !== undefined) return secret
    throw new AwsError('ResourceNotFoundException', "Secrets Manager can't find the specified secret.")
  }

  #find(owner: Owner, id: string): Secret | undefined {
    return this.#secrets.find(
      ({ arn, name }) => arn.startsWith(prefix(owner)) && (name === id || arn === id || arn.slice(0, -7) === id),
    )
  }
}

const prefix = ({ account, region }: Owner): string => `arn:aws:secretsmanager:${region}:${account}:secret:`
