import { fromNodeProviderChain, fromTemporaryCredentials } from '@aws-sdk/credential-providers'
import type { Place } from '../../domain/ports.js'

/** Keys as the SDK hands them over; never printed, never stored. */
export interface Credentials {
  readonly accessKeyId: string
  readonly secretAccessKey: string
  readonly sessionToken?: string
  readonly expiration?: Date
}

export type CredentialsProvider = () => Promise<Credentials>

/** Asked for again this long before they expire. */
const RENEW_BEFORE_MS = 5 * 60_000

/** A failure is kept this long: it spares the other Regions the same wait, and a later call may find a new login. */
const KEEP_FAILURE_MS = 2_000

/**
 * Credentials of one identity, from the SDK's own provider chain. STS goes to `endpointUrl` as well, unless
 * `AWS_ENDPOINT_URL_STS` names another.
 */
export const providerFor = (place: Place, endpointUrl: string | undefined): CredentialsProvider => {
  const own = fromNodeProviderChain(place.profile === null ? {} : { profile: place.profile })
  if (place.roleArn === undefined) return shared(own)
  const endpoint = process.env['AWS_ENDPOINT_URL_STS'] || endpointUrl
  return shared(
    fromTemporaryCredentials({
      masterCredentials: own,
      params: {
        RoleArn: place.roleArn,
        RoleSessionName: 'lockstep',
        ...(place.externalId !== undefined && { ExternalId: place.externalId }),
      },
      clientConfig: { region: place.region, ...(endpoint && { endpoint }) },
    }),
  )
}

/** One answer for all who ask at the same time, kept until it is about to expire. */
export const shared = (load: CredentialsProvider): CredentialsProvider => {
  let current: { readonly answer: Promise<Credentials>; validUntil: number } | undefined
  return () => {
    if (current !== undefined && Date.now() < current.validUntil) return current.answer
    const entry = { answer: load(), validUntil: Number.POSITIVE_INFINITY }
    entry.answer.then(
      ({ expiration }) => {
        if (expiration) entry.validUntil = expiration.getTime() - RENEW_BEFORE_MS
      },
      () => {
        entry.validUntil = Date.now() + KEEP_FAILURE_MS
      },
    )
    current = entry
    return entry.answer
  }
}
