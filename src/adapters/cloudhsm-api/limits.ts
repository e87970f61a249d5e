/** How long AWS is waited for. All in milliseconds. */
export interface CallLimits {
  /** One request and its answer. */
  readonly callMs: number
  /** Everything asked of one place, retries and pages included. */
  readonly placeMs: number
  /** Loading credentials, an assumed role or a credential process included. */
  readonly credentialsMs: number
  /** Requests per call, the first one included. */
  readonly attempts: number
  /** Pause before the second attempt; doubled before each further one, tripled where AWS asked for fewer requests. */
  readonly pauseMs: number
}

export const DEFAULT_LIMITS: CallLimits = {
  callMs: 10_000,
  placeMs: 30_000,
  credentialsMs: 60_000,
  attempts: 4,
  pauseMs: 150,
}
