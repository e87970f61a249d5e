import type { DiscoveryProblem } from './clone-family.js'

/** AWS did not answer, and why. `message` is one line for people and holds no credential. */
export class ApiFailure extends Error {
  override readonly name = 'ApiFailure'
  readonly kind: DiscoveryProblem['kind']

  constructor(kind: DiscoveryProblem['kind'], message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause })
    this.kind = kind
  }
}
