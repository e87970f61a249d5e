import type { HsmRequest } from '../hsm/requests.js'

/** First line an HSM sends. */
export interface Hello {
  readonly hsmId: string
  /** The end-to-end channel could not be set up. */
  readonly limited: boolean
}

/** Ports of an HSM: the management utility's, and that of Client SDK 5. */
export const MANAGEMENT_PORT = 2225
export const CLIENT_PORT = 2223

export type { HsmRequest }
