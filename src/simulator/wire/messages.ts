import type { HsmRequest } from '../hsm/requests.js'

/** First line an HSM sends. */
export interface Hello {
  readonly hsmId: string
  /** The end-to-end channel could not be set up. */
  readonly limited: boolean
  /** As the API writes it. */
  readonly hsmType: string
  /** `FIPS` or `NON_FIPS`; null on old clusters. */
  readonly mode: string | null
  /** Addresses of the HSMs that are up in its cluster, its own among them. */
  readonly peers: readonly string[]
}

/** Ports of an HSM: the management utility's, and that of Client SDK 5. */
export const MANAGEMENT_PORT = 2225
export const CLIENT_PORT = 2223

export type { HsmRequest }
