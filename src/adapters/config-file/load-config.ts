import { editedServers } from '../../domain/config-difference.js'
import type { LoadedConfig } from '../../domain/config-files.js'
import { refusal, usageError } from '../../domain/errors.js'
import { readConfig } from './read.js'
import { mapPath } from './render.js'

/**
 * A configuration to work with: the bytes are those that were generated, so the map beside it tells the truth.
 * @throws {OperatorError} `CONFIG_UNREADABLE`, `CONFIG_MALFORMED`, `MAP_MALFORMED` (exit 2), `MAP_MISSING`,
 *   `CONFIG_EDITED` (exit 3)
 */
export const loadConfig = async (path: string): Promise<LoadedConfig> => {
  const { document, sha256, map } = await readConfig(path)
  if (sha256 !== map.sha256) {
    throw refusal(
      'CONFIG_EDITED',
      `${path} is not the file that was generated at ${map.generatedAt}: it was edited, or generating it was interrupted`,
      [
        `lockstep config check ${path}   shows what differs`,
        `to keep its settings, generate it again with --base ${path}`,
      ],
    )
  }
  const [edited] = editedServers(document, map)
  if (edited !== undefined) {
    throw usageError('MAP_MALFORMED', `${mapPath(path)} does not say what it was generated with: ${edited.message}`, [
      'generate the configuration again',
    ])
  }
  return { roster: map.servers, document, sha256, clusters: map.clusters }
}
