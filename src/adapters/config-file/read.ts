import { readFile } from 'node:fs/promises'
import type { z } from 'zod'
import type { StoredConfig, UtilityConfig } from '../../domain/config-files.js'
import { refusal, usageError } from '../../domain/errors.js'
import type { RosterMap } from '../../domain/roster-map.js'
import { parseDocument } from '../files/parse-document.js'
import { sha256Of } from '../files/sha256.js'
import { fileTrouble } from '../files/trouble.js'
import { cliBaseSchema, cliSchema } from '../utilities/cloudhsm-cli/config-format.js'
import { readProofs } from '../utilities/cloudhsm-cli/proof-configs.js'
import { cmuBaseSchema, cmuSchema } from '../utilities/cmu/config-format.js'
import { mapPath } from './render.js'
import { anySchema, mapSchema } from './schema.js'

/** @throws {OperatorError} `CONFIG_UNREADABLE`, `CONFIG_MALFORMED` (exit 2) */
export const readBase = async (path: string): Promise<UtilityConfig> =>
  parseConfig(path, await bytesOf(path), { cmu: cmuBaseSchema, cli: cliBaseSchema })

/** @throws {OperatorError} `CONFIG_UNREADABLE`, `CONFIG_MALFORMED`, `MAP_MALFORMED` (exit 2), `MAP_MISSING` (exit 3) */
export const readConfig = async (path: string): Promise<StoredConfig> => {
  const bytes = await bytesOf(path)
  const config = parseConfig(path, bytes, { cmu: cmuSchema, cli: cliSchema })
  const map = await readMap(path)
  if (map.utility !== config.utility) {
    const fault = `it was generated for ${map.utility}, and ${path} has the format of ${config.utility}`
    throw usageError('MAP_MALFORMED', `${mapPath(path)} belongs to another file: ${fault}`, [
      'generate the configuration again',
    ])
  }
  return { ...config, sha256: sha256Of(bytes), map, ...(await readProofs(path, map)) }
}

/** Which utility a configuration is for shows in its content: one lists servers, the other clusters. */
const parseConfig = (
  path: string,
  bytes: Buffer,
  schemas: {
    readonly cmu: typeof cmuBaseSchema | typeof cmuSchema
    readonly cli: typeof cliBaseSchema | typeof cliSchema
  },
): UtilityConfig => {
  const text = bytes.toString('utf8')
  const keys = keysOf(text)
  if (keys.includes('servers')) return { utility: 'cmu', document: parsed(path, text, schemas.cmu) }
  if (!keys.includes('clusters')) parsed(path, text, anySchema)
  return { utility: 'cloudhsm-cli', document: parsed(path, text, schemas.cli) }
}

const keysOf = (text: string): readonly string[] => {
  try {
    return Object.keys((JSON.parse(text) as object | null) ?? {})
  } catch {
    return []
  }
}

const parsed = <T extends z.ZodType>(path: string, text: string, schema: T): z.infer<T> => {
  const result = parseDocument(text, schema)
  if ('value' in result) return result.value
  throw usageError('CONFIG_MALFORMED', `the configuration ${path} ${result.fault}`, [
    `lockstep config generate --source CLUSTER --destination CLUSTER --out ${path}   writes a new one`,
  ])
}

/** @throws {OperatorError} `MAP_MALFORMED` (exit 2), `MAP_MISSING` (exit 3) */
export const readMap = async (configPath: string): Promise<RosterMap> => {
  const path = mapPath(configPath)
  const text = await readFile(path, 'utf8').catch((error) => {
    throw refusal('MAP_MISSING', `${path}, which says which HSM stands where in ${configPath}, ${fileTrouble(error)}`, [
      `lockstep config generate --source CLUSTER --destination CLUSTER --out ${configPath} --base ${configPath}`,
    ])
  })
  const read = parseDocument(text, mapSchema)
  if ('fault' in read) {
    throw usageError('MAP_MALFORMED', `${path} ${read.fault}`, ['generate the configuration again'])
  }
  const { format: _, utility = 'cmu', proofConfigs = [], ...map } = read.value
  for (const [place, { serverId, clusterId, role }] of map.servers.entries()) {
    const at = `servers[${place}]`
    // The server ID is the place in the file; a map that counts otherwise would name the wrong HSM.
    if (serverId !== place) throw malformedMap(path, `${at}.serverId: expected ${place}, found ${serverId}`)
    if (map.clusters.some((cluster) => cluster.clusterId === clusterId && cluster.role === role)) continue
    throw malformedMap(path, `${at}.clusterId: ${clusterId} does not stand under clusters as ${role}`)
  }
  const proofs = utility === 'cmu' ? [] : map.servers
  for (const place of Array(Math.max(proofs.length, proofConfigs.length)).keys()) {
    const [expected, found] = [proofs[place]?.hsmId ?? 'nothing', proofConfigs[place]?.hsmId ?? 'nothing']
    if (expected === found) continue
    throw malformedMap(path, `proofConfigs[${place}].hsmId: expected ${expected}, found ${found}`)
  }
  return { ...map, utility, proofConfigs } as unknown as RosterMap
}

const malformedMap = (path: string, fault: string) =>
  usageError('MAP_MALFORMED', `${path} is malformed: ${fault}`, ['generate the configuration again'])

const bytesOf = async (path: string): Promise<Buffer> =>
  readFile(path).catch((error) => {
    throw usageError('CONFIG_UNREADABLE', `the configuration ${path} ${fileTrouble(error)}`, [
      `lockstep config generate --source CLUSTER --destination CLUSTER --out ${path}   writes one`,
    ])
  })
