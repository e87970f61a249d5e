import { ApiFailure } from '../../domain/api-failure.js'
import type { DiscoveryProblem } from '../../domain/clone-family.js'

/**
 * What the SDK throws. Errors outside the old client's model carry no class of their own, so names are compared; an
 * answer that is no JSON leaves the status on `$response` alone.
 */
interface SdkError extends Error {
  readonly code?: unknown
  readonly $metadata?: { readonly httpStatusCode?: number; readonly requestId?: string }
  readonly $response?: { readonly statusCode?: number }
}

const KINDS: Record<string, DiscoveryProblem['kind']> = {
  AccessDenied: 'denied',
  AccessDeniedException: 'denied',
  CloudHsmAccessDeniedException: 'denied',
  UnauthorizedOperation: 'denied',
  InvalidSignatureException: 'denied',
  SignatureDoesNotMatch: 'denied',
  MissingAuthenticationToken: 'denied',
  MissingAuthenticationTokenException: 'denied',
  IncompleteSignatureException: 'denied',
  UnrecognizedClientException: 'not-enabled',
  InvalidClientTokenId: 'not-enabled',
  AuthFailure: 'not-enabled',
  OptInRequired: 'not-enabled',
  CredentialsProviderError: 'no-credentials',
  TokenProviderError: 'no-credentials',
  ExpiredToken: 'no-credentials',
  ExpiredTokenException: 'no-credentials',
  RequestExpired: 'no-credentials',
}

const NETWORK =
  /^(E(CONNREFUSED|CONNRESET|CONNABORTED|TIMEDOUT|HOSTUNREACH|NETUNREACH|NOTFOUND|AI_AGAIN|PIPE|PROTO)|CERT_|DEPTH_ZERO|SELF_SIGNED|UNABLE_TO|ERR_TLS)/

const THROTTLED = /Throttl|TooManyRequests|RequestLimitExceeded|SlowDown|PriorRequestNotComplete/

/** Time ran out; says what was waited for. */
export class TimedOut extends Error {
  override readonly name = 'TimedOut'
}

/** HTTP status of the answer, where there was one. */
export const statusOf = (error: unknown): number | undefined => {
  const { $metadata, $response } = error as SdkError
  return $metadata?.httpStatusCode ?? $response?.statusCode
}

const codeOf = (error: unknown): string => {
  const { code, message } = error as SdkError
  if (typeof code === 'string') return code
  // the SDK wraps an error it does not take for one, and keeps its text alone
  return /^AWS SDK error wrapper for .*?\b(E[A-Z_]{3,})\b/.exec(message)?.[1] ?? ''
}

/** Whether AWS asked for fewer requests. */
export const isThrottled = (error: unknown): boolean => THROTTLED.test((error as Error).name) || statusOf(error) === 429

/** Whether the same request may succeed a moment later. A read does no harm twice. */
export const isPassing = (error: unknown): boolean =>
  isThrottled(error) ||
  (statusOf(error) ?? 0) >= 500 ||
  ['TimedOut', 'TimeoutError', 'CloudHsmServiceException', 'CloudHsmInternalFailureException'].includes(
    (error as Error).name,
  ) ||
  (NETWORK.test(codeOf(error)) && !/ENOTFOUND|CERT|SIGNED|UNABLE|TLS/.test(codeOf(error)))

/** The error as discovery reports it. */
export const toFailure = (error: unknown): ApiFailure => {
  if (error instanceof ApiFailure) return error
  const { name, message } = error as Error
  const status = statusOf(error)
  const kind = KINDS[name] ?? (name === 'TimedOut' || NETWORK.test(codeOf(error)) ? 'unreachable' : undefined)
  if (kind === undefined && name === 'SyntaxError') {
    return new ApiFailure('failed', `the answer is no JSON${status === undefined ? '' : ` (HTTP ${status})`}`, error)
  }
  const text =
    oneLine(message.replace(/^AWS SDK error wrapper for (\w*Error: )?/, '')) || codeOf(error) || 'no reason given'
  const what = ['Error', 'TimedOut', 'CredentialsProviderError', 'BadAnswer'].includes(name) ? text : `${name}: ${text}`
  return new ApiFailure(kind ?? 'failed', what, error)
}

/** AWS and what stands between may answer anything: no line breaks, no novels. Whoever shows it escapes the rest. */
const oneLine = (text: string): string => {
  const flat = text.replace(/\s+/g, ' ').trim()
  return flat.length > 300 ? `${flat.slice(0, 300)}…` : flat
}
