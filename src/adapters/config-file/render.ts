import type { UtilityConfig } from '../../domain/config-files.js'
import type { RosterMap } from '../../domain/roster-map.js'
import { renderCliConfig } from '../utilities/cloudhsm-cli/config-format.js'
import { renderCmuConfig } from '../utilities/cmu/config-format.js'

/** Told apart from other JSON by this. */
export const MAP_FORMAT = 'lockstep-roster/1'

/** Where the map of a configuration stands. */
export const mapPath = (path: string): string => `${path}.map.json`

/** A configuration as it is written. */
export const renderConfig = (config: UtilityConfig): string =>
  config.utility === 'cmu' ? renderCmuConfig(config.document) : renderCliConfig(config.document)

/** A map as it is written. */
export const renderMap = (map: RosterMap): string => `${JSON.stringify({ format: MAP_FORMAT, ...map }, null, 2)}\n`
