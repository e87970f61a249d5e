import { createHash } from 'node:crypto'
import type { HsmId } from '../../src/domain/ids.js'

const SERIALS = new Map<HsmId, string>()

/** The serial number that the simulator gives an HSM. */
export const serialOf = (hsmId: HsmId): string => {
  const known = SERIALS.get(hsmId)
  if (known !== undefined) return known
  const serial = `SIM-${createHash('sha256').update(hsmId).digest('hex').slice(0, 12).toUpperCase()}`
  SERIALS.set(hsmId, serial)
  return serial
}
