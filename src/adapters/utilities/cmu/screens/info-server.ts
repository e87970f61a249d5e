import type { HsmId } from '../../../../domain/ids.js'
import { NotUnderstood } from '../../process/not-understood.js'

/** Which HSM answers behind a server ID. */
export interface ServerInfo {
  readonly hostname: string
  readonly hsmId: HsmId
  /** `Connected` is the only state known. */
  readonly state: string
}

/** Id, name, host name, port, state, partition (the HSM ID), login state; blanks and TABs mixed. */
const ROW = /^\s*\d+\s+(\S+)\s+(\S+)\s+\d+\s+(\S+)\s+(hsm-[2-7a-zA-Z]+)\b/m

/**
 * Reads the reply of `info server N`. The number in its first column is not used: a documented sample shows 0 there
 * for server 1.
 * Source: AWS CloudHSM User Guide, `info`.
 * @throws {NotUnderstood} when no row with an HSM ID is there
 */
export const parseInfoServer = (text: string): ServerInfo => {
  const row = ROW.exec(text)
  if (row === null) throw new NotUnderstood('"info server" did not show which HSM answers')
  return { hostname: row[2] ?? '', state: row[3] ?? '', hsmId: (row[4] ?? '') as HsmId }
}
