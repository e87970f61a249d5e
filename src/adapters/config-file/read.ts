import { readFile } from 'node:fs/promises'
import type { StoredConfig } from '../../domain/config-files.js'
import { refusal, usageError } from '../../domain/errors.js'
import type { ConfigDocument } from '../../domain/merged-config.js'
import type { RosterMap } from '../../domain/roster-map.js'
import { fileTrouble } from '../files/trouble.js'
import { parseDocument } from './parse.js'
import { mapPath, sha256Of } from './render.js'
import { baseSchema, configSchema, mapSchema } from './schema.js'

/** @throws {OperatorError} `CONFIG_UNREADABLE`, `CONFIG_MALFORMED` (exit 2) */
export const readBase = async (path: string): Promise<ConfigDocument> => {
  const parsed = parseDocument((await bytesOf(path)).toString('utf8'), baseSchema)
  if ('fault' in parsed) throw malformed(path, parsed.fault)
  return parsed.value
}

/** @throws {OperatorError} `CONFIG_UNREADABLE`, `CONFIG_MALFORMED`, `MAP_MALFORMED` (exit 2), `MAP_MISSING` (exit 3) */
export const readConfig = async (path: string): Promise<StoredConfig> => {
  const bytes = await bytesOf(path)
  const parsed = parseDocument(bytes.toString('utf8'), configSchema)
  if ('fault' in parsed) throw malformed(path, parsed.fault)
  return { document: parsed.value, sha256: sha256Of(bytes), map: await readMap(path) }
}

const readMap = async (configPath: string): Promise<RosterMap> => {
  const path = mapPath(configPath)
  const text = await readFile(path, 'utf8').catch((error) => {
    throw refusal('MAP_MISSING', `${path}, which says which HSM stands where in ${configPath}, ${fileTrouble(error)}`, [
      `lockstep config generate --source CLUSTER --destination CLUSTER --out ${configPath} --base ${configPath}`,
    ])
  })
  const parsed = parseDocument(text, mapSchema)
  if ('fault' in parsed) {
    throw usageError('MAP_MALFORMED', `${path} ${parsed.fault}`, ['generate the configuration again'])
  }
  const { format: _, ...map } = parsed.value
  for (const [place, { serverId, clusterId, role }] of map.servers.entries()) {
    const at = `servers[${place}]`
    // The server ID is the place in the file; a map that counts otherwise would name the wrong HSM.
    if (serverId !== place) throw malformedMap(path, `${at}.serverId: expected ${place}, found ${serverId}`)
    if (map.clusters.some((cluster) => cluster.clusterId === clusterId && cluster.role === role)) continue
    throw malformedMap(path, `${at}.clusterId: ${clusterId} does not stand under clusters as ${role}`)
  }
  return map as unknown as RosterMap
}

const malformedMap = (path: string, fault: string) =>
  usageError('MAP_MALFORMED', `${path} is malformed: ${fault}`, ['generate the configuration again'])

const bytesOf = async (path: string): Promise<Buffer> =>
  readFile(path).catch((error) => {
    throw usageError('CONFIG_UNREADABLE', `the configuration ${path} ${fileTrouble(error)}`, [
      'lockstep config generate writes one',
    ])
  })

const malformed = (path: string, fault: string) =>
  usageError('CONFIG_MALFORMED', `the configuration ${path} ${fault}`, ['lockstep config generate writes a new one'])
