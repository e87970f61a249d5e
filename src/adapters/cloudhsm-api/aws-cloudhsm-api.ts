import { ApiFailure } from '../../domain/api-failure.js'
import type { RegionName } from '../../domain/ids.js'
import type { CloudHsmApi, Place } from '../../domain/ports.js'
import { AwsPlace } from './aws-place.js'
import { within } from './call.js'
import { type CredentialsProvider, providerFor } from './credentials.js'
import { toFailure } from './failure.js'
import { type CallLimits, DEFAULT_LIMITS } from './limits.js'

/** The CloudHSM v2 API through AWS SDK v3. One credentials provider per identity serves all its Regions. */
export class AwsCloudHsmApi implements CloudHsmApi {
  readonly regions: readonly RegionName[]
  readonly #limits: CallLimits
  readonly #providers = new Map<string, CredentialsProvider>()

  constructor({ regions, limits = {} }: { regions: readonly RegionName[]; limits?: Partial<CallLimits> }) {
    this.regions = regions
    this.#limits = { ...DEFAULT_LIMITS, ...limits }
    // a notice about future Node versions has no place between an operator and a problem
    process.env['AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED'] ??= 'true'
  }

  async open(place: Place, endpointUrl?: string): Promise<AwsPlace> {
    const credentials = this.#provider(place, endpointUrl)
    try {
      // loaded first: a slow login must not eat up the time of the Regions
      await within(this.#limits.credentialsMs, credentials)
    } catch (error) {
      throw credentialsFailure(place, error)
    }
    return new AwsPlace(place, credentials, this.#limits, endpointUrl)
  }

  #provider(place: Place, endpointUrl: string | undefined): CredentialsProvider {
    const key = JSON.stringify([place.profile, place.roleArn, place.externalId, endpointUrl])
    const known = this.#providers.get(key)
    if (known !== undefined) return known
    const provider = providerFor(place, endpointUrl)
    this.#providers.set(key, provider)
    return provider
  }
}

const credentialsFailure = ({ profile, roleArn }: Place, error: unknown): ApiFailure => {
  const { kind, message } = toFailure(error)
  const who = profile === null ? 'default credentials' : `profile "${profile}"`
  const what = roleArn === undefined ? `${who}: ${message}` : `${who}, assuming ${roleArn}: ${message}`
  // STS does not know "not enabled": what it does not recognise are the keys
  return new ApiFailure(kind === 'not-enabled' ? 'denied' : kind, what, error)
}
