import { editedProofs } from '../../domain/cli-config-difference.js'
import { handEdits } from '../../domain/config-difference.js'
import { type LoadedConfig, onlyConfig } from '../../domain/config-files.js'
import { refusal, usageError } from '../../domain/errors.js'
import { proofPath } from '../utilities/cloudhsm-cli/proof-configs.js'
import { readConfig } from './read.js'
import { mapPath } from './render.js'

/**
 * A configuration to work with, for either utility: its bytes and those of its configurations of single HSMs are those
 * that were generated, so the map beside it tells the truth.
 * @throws {OperatorError} `CONFIG_UNREADABLE`, `CONFIG_MALFORMED`, `MAP_MALFORMED` (exit 2), `MAP_MISSING`,
 *   `CONFIG_EDITED` (exit 3)
 */
export const loadConfig = async (path: string): Promise<LoadedConfig> => {
  const stored = await readConfig(path)
  const { sha256, map } = stored
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
  const [edited] = handEdits(stored, map)
  if (edited !== undefined) {
    throw usageError('MAP_MALFORMED', `${mapPath(path)} does not say what it was generated with: ${edited.message}`, [
      'generate the configuration again',
    ])
  }
  // Strangers beside them stop nothing: they are used by nobody.
  const [proof] = editedProofs({ ...stored, strayProofs: [] })
  if (proof !== undefined) {
    throw refusal('CONFIG_EDITED', `what ${path} was generated with is not as it was: ${proof.message}`, [
      `lockstep config check ${path}   shows what differs`,
      'generate the configuration again',
    ])
  }
  const proofConfigs = map.proofConfigs.map(({ hsmId, sha256 }) => ({ hsmId, path: proofPath(path, hsmId), sha256 }))
  return { ...onlyConfig(stored), roster: map.servers, sha256, clusters: map.clusters, proofConfigs }
}
