import { existsSync, readFileSync } from 'node:fs'
import { PlainError } from './answer.js'
import { ASSUMED } from './assumed-texts.js'
import { atLeast, type CliSettings, SINCE } from './settings.js'
import { TEXTS, UNCONFIGURED } from './texts.js'

/** One element of `clusters`. Keys that nobody knows here are passed over. */
export interface ConfiguredCluster {
  /** Absent where the file was written from an address. */
  readonly clusterId: string | null
  /** Only those that are switched on. */
  readonly servers: readonly { readonly hostname: string; readonly port: number }[]
}

/**
 * Reads the program's configuration: JSON with `clusters[].cluster.{cluster_id,hsm_ca_file,servers[]}`.
 * @throws {PlainError} it cannot be read, is malformed, or is that of a package never configured
 */
export const readConfig = (path: string, settings: CliSettings): readonly ConfiguredCluster[] => {
  let text: string
  try {
    text = readFileSync(path, 'utf8')
  } catch {
    throw new PlainError(ASSUMED.configMissing(path))
  }
  let document: { clusters?: unknown } | null
  try {
    document = JSON.parse(text) as { clusters?: unknown } | null
  } catch (error) {
    throw new PlainError(ASSUMED.configMalformed((error as Error).message))
  }
  const clusters = document?.clusters
  if (!Array.isArray(clusters) || clusters.length === 0) throw malformed('no clusters')
  if (clusters.length > 1 && !atLeast(settings, SINCE.multiCluster)) throw new PlainError(ASSUMED.multiClusterTooOld)
  return clusters.map((entry: unknown, index) => clusterAt(entry, index, settings))
}

const clusterAt = (entry: unknown, index: number, settings: CliSettings): ConfiguredCluster => {
  const { cluster, type } = (entry ?? {}) as { cluster?: Record<string, unknown>; type?: unknown }
  if (type !== 'hsm1' && type !== 'hsm2m') throw malformed(`clusters[${index}].type`)
  const { cluster_id: id, hsm_ca_file: anchor, servers } = cluster ?? {}
  if (id !== undefined && typeof id !== 'string') throw malformed(`clusters[${index}].cluster.cluster_id`)
  if (!Array.isArray(servers) || servers.length === 0) throw malformed(`clusters[${index}].cluster.servers`)
  if (settings.ownerCertificateChecked && !(typeof anchor === 'string' && existsSync(anchor))) {
    throw new PlainError(TEXTS.fileMissing('hsm_ca_file'))
  }
  return {
    clusterId: id ?? null,
    servers: servers.flatMap((server: Record<string, unknown> | null) => {
      const { enable, hostname, port = 2223 } = server ?? {}
      if (typeof hostname !== 'string' || hostname === '' || hostname === UNCONFIGURED) {
        throw new PlainError(TEXTS.hostnameInvalid)
      }
      if (typeof port !== 'number') throw malformed(`clusters[${index}].cluster.servers: port`)
      return enable === false ? [] : [{ hostname, port }]
    }),
  }
}

const malformed = (problem: string): PlainError => new PlainError(ASSUMED.configMalformed(problem))
