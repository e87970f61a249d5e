import type { IncomingHttpHeaders } from 'node:http'
import { AwsError } from './aws-error.js'

/** Who signed a request, for which Region and service. Source: AWS Signature Version 4, `Credential`. */
export interface Signer {
  readonly accessKeyId: string
  readonly region: string
  readonly service: string
}

const CREDENTIAL = /^AWS4-HMAC-SHA256 .*Credential=([^/,\s]+)\/(\d{8})\/([a-z0-9-]+)\/([a-z0-9-]+)\/aws4_request/

/**
 * Reads the credential scope. The signature itself is not recomputed: the simulator keeps no secret keys.
 * @throws {AwsError} unsigned, or signed in another way
 */
export const signerOf = (headers: IncomingHttpHeaders): Signer => {
  const { authorization } = headers
  if (!authorization)
    throw new AwsError('MissingAuthenticationTokenException', 'Request is missing Authentication Token')
  const [, accessKeyId, , region, service] = CREDENTIAL.exec(authorization) ?? []
  if (!accessKeyId || !region || !service || !/Signature=[0-9a-f]{64}/.test(authorization)) {
    throw new AwsError(
      'IncompleteSignatureException',
      'Authorization header is not a complete AWS4-HMAC-SHA256 signature',
    )
  }
  return { accessKeyId, region, service }
}
