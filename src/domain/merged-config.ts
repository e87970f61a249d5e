import { type MergedClusters, type MergedRoster, mergedRoster } from './merged-roster.js'
import type { RosterEntry } from './roster.js'
import { refuseCmu, worksWithCmu } from './utility/utility.js'

/** One HSM in the utility's configuration. Keys beside these are kept as they are. */
export interface ConfigServer {
  /** The address dialled. */
  readonly hostname: string
  /** The label the utility prints. */
  readonly name: string
  readonly [key: string]: unknown
}

/** The utility's configuration; the place in `servers` is the server ID. Keys beside these are kept as they are. */
export interface ConfigDocument {
  readonly servers: readonly ConfigServer[]
  readonly [key: string]: unknown
}

/** A configuration for several clusters, and which HSM stands where in it. */
export interface MergedConfig extends MergedRoster {
  readonly document: ConfigDocument
}

/**
 * What AWS's own configure tool writes on Linux, for one server. Paths: AWS CloudHSM User Guide,
 * `cloudhsm_mgmt_util-getting-started`; AWS publishes no schema, the other keys are those of files it wrote.
 */
export const AWS_DEFAULTS: ConfigDocument = {
  scard: { certificate: 'cert-sc', enable: 'no', pkey: 'pkey-sc', port: 2225 },
  servers: [
    {
      CAfile: '',
      CApath: '/opt/cloudhsm/etc/certs',
      certificate: '/opt/cloudhsm/etc/client.crt',
      e2e_encryption: { enable: 'yes', owner_cert_path: '/opt/cloudhsm/etc/customerCA.crt' },
      enable: 'yes',
      hostname: '',
      name: '',
      pkey: '/opt/cloudhsm/etc/client.key',
      port: 2225,
      server_ssl: 'yes',
      ssl_ciphers: '',
    },
  ],
}

/**
 * Merges clusters into one configuration, in the order of `mergedRoster`.
 * @param base its first server is the pattern of every server; its other keys are kept
 * @throws {OperatorError} exit 3: `HSM_TYPE_NOT_SUPPORTED`, and `DUPLICATE_ADDRESS` of `mergedRoster`
 */
export const mergedConfig = (clusters: MergedClusters, base: ConfigDocument = AWS_DEFAULTS): MergedConfig => {
  const stranger = [clusters.source, ...clusters.destinations].find((cluster) => !worksWithCmu(cluster))
  if (stranger !== undefined) {
    throw refuseCmu(stranger, ['other types are driven by the CloudHSM CLI, which this version does not do yet'])
  }
  const merged = mergedRoster(clusters)
  return { ...merged, document: deriveSessionConfig(base, merged.roster) }
}

/**
 * The configuration that lists these HSMs alone, in this order; server IDs count anew. An HSM that `document` does
 * not list takes its first server for a pattern.
 */
export const deriveSessionConfig = (document: ConfigDocument, entries: readonly RosterEntry[]): ConfigDocument => {
  const listed = new Map(document.servers.map((server) => [server.hostname, server]))
  const [pattern] = document.servers
  return {
    ...document,
    servers: entries.map(
      ({ eniIp }) => listed.get(eniIp) ?? { ...(pattern as ConfigServer), hostname: eniIp, name: eniIp },
    ),
  }
}
