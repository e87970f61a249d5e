import { createHash } from 'node:crypto'
import type { UtilityConfig } from '../../domain/config-files.js'
import type { Sha256 } from '../../domain/ids.js'
import type { RosterMap } from '../../domain/roster-map.js'

/** Told apart from other JSON by this. */
export const MAP_FORMAT = 'lockstep-roster/1'

/** Where the map of a configuration stands. */
export const mapPath = (path: string): string => `${path}.map.json`

/** A configuration as it is written; that of cloudhsm_mgmt_util is laid out as AWS's configure tool does. */
export const renderConfig = ({ utility, document }: UtilityConfig): string =>
  `${JSON.stringify(document, null, utility === 'cmu' ? 4 : 2)}\n`

/** A map as it is written. */
export const renderMap = (map: RosterMap): string => `${JSON.stringify({ format: MAP_FORMAT, ...map }, null, 2)}\n`

export const sha256Of = (bytes: string | Uint8Array): Sha256 =>
  createHash('sha256').update(bytes).digest('hex') as Sha256
