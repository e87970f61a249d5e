import type { ClusterId, EniIp } from './ids.js'
import { type MergedClusters, type MergedRoster, mergedRoster } from './merged-roster.js'
import type { Roster, RosterEntry } from './roster.js'

/** One HSM in the configuration of cloudhsm-cli. Keys beside these are kept as they are. */
export interface CliServer {
  /** The address dialled. */
  readonly hostname: string
  readonly port: number
  /** Servers that are not enabled are not dialled. Absent means enabled. */
  readonly enable?: boolean | undefined
  readonly [key: string]: unknown
}

/** What cloudhsm-cli needs to know of one cluster. Keys beside these are kept as they are. */
export interface CliClusterSettings {
  /** What `--cluster-id` selects; absent where the configure tool was given addresses alone. */
  readonly cluster_id?: string | undefined
  /** The certificate that issued those of the cluster. */
  readonly hsm_ca_file?: string | undefined
  readonly servers: readonly CliServer[]
  readonly [key: string]: unknown
}

/** One cluster in the configuration of cloudhsm-cli. Keys beside these are kept as they are. */
export interface CliCluster {
  readonly type: string
  readonly cluster: CliClusterSettings
  readonly [key: string]: unknown
}

/** The configuration of cloudhsm-cli (`cloudhsm-cli.cfg`). Keys beside these are kept as they are. */
export interface CliConfigDocument {
  readonly clusters: readonly CliCluster[]
  readonly [key: string]: unknown
}

/** A configuration of cloudhsm-cli for several clusters, and the HSMs in it. */
export interface MergedCliConfig extends MergedRoster {
  readonly document: CliConfigDocument
}

/** Where cloudhsm-cli finds the certificates that issued those of the clusters (`--hsm-ca-cert`). */
export interface CaFiles {
  /** For every cluster that is not named in `byCluster`. */
  readonly common: string | null
  readonly byCluster: ReadonlyMap<ClusterId, string>
}

/** The port cloudhsm-cli connects to on every HSM. Source: AWS CloudHSM User Guide, `choose-client-sdk`. */
export const CLI_PORT = 2223

/**
 * What AWS's own configure tool writes on Linux: `hsm1` for every HSM type, hsm2m.medium too, as people who ran it
 * report. Paths: AWS CloudHSM User Guide, `configure-tool-params5`; AWS publishes no schema.
 */
export const CLI_DEFAULTS = {
  type: 'hsm1',
  hsmCaFile: '/opt/cloudhsm/etc/customerCA.crt',
  logging: {
    log_type: 'file',
    log_file: '/opt/cloudhsm/run/cloudhsm-cli.log',
    log_level: 'info',
    log_interval: 'daily',
  },
} as const

/**
 * Merges clusters into one configuration of cloudhsm-cli, in the order of `mergedRoster`. Every server is enabled and
 * dialled on port 2223.
 * @param base keeps its keys. A cluster takes its settings from the element with its ID, or else from one without an
 *   ID that lists one of its addresses; a cluster that is not in the base takes the options, the certificate and the
 *   unknown keys of the first element, because clones share their certificate, but not its type
 * @param caFiles goes before what the base says
 * @throws {OperatorError} exit 3: `DUPLICATE_ADDRESS` of `mergedRoster`
 */
export const mergedCliConfig = (
  clusters: MergedClusters,
  base: CliConfigDocument | undefined,
  caFiles: CaFiles,
): MergedCliConfig => {
  const merged = mergedRoster(clusters)
  const elements = [clusters.source, ...clusters.destinations].map(({ clusterId }) => {
    const entries = merged.roster.filter((entry) => entry.clusterId === clusterId)
    const caFile = caFiles.byCluster.get(clusterId) ?? caFiles.common
    return clusterElement(clusterId, entries, base, caFile)
  })
  const document =
    base === undefined ? { clusters: elements, logging: CLI_DEFAULTS.logging } : { ...base, clusters: elements }
  return { ...merged, document }
}

/**
 * The configuration that lists these HSMs and their clusters alone, in this order. An HSM or a cluster that `document`
 * does not list takes its first server, or its first cluster's settings, for a pattern.
 */
export const deriveCliSessionConfig = (
  document: CliConfigDocument,
  entries: readonly RosterEntry[],
): CliConfigDocument => ({
  ...document,
  clusters: [...new Set(entries.map(({ clusterId }) => clusterId))].map((clusterId) =>
    clusterElement(
      clusterId,
      entries.filter((entry) => entry.clusterId === clusterId),
      document,
      null,
    ),
  ),
})

/**
 * The configuration that lists one HSM alone, for a proof that this very HSM knows a password. Whether cloudhsm-cli
 * then finds its siblings by itself is not documented.
 */
export const singleHsmConfig = (document: CliConfigDocument, entry: RosterEntry): CliConfigDocument =>
  deriveCliSessionConfig(document, [entry])

const clusterElement = (
  clusterId: ClusterId,
  entries: Roster,
  base: CliConfigDocument | undefined,
  caFile: string | null,
): CliCluster => {
  const own = base === undefined ? undefined : elementOf(base, clusterId, entries)
  const pattern = own ?? base?.clusters[0]
  const { cluster_id: _, servers, ...settings }: CliClusterSettings = pattern?.cluster ?? { servers: [] }
  return {
    ...pattern,
    type: own?.type ?? CLI_DEFAULTS.type,
    cluster: {
      cluster_id: clusterId,
      ...settings,
      hsm_ca_file: caFile ?? settings.hsm_ca_file ?? CLI_DEFAULTS.hsmCaFile,
      servers: entries.map(({ eniIp }) => serverElement(eniIp, servers)),
    },
  }
}

const elementOf = (base: CliConfigDocument, clusterId: ClusterId, entries: Roster): CliCluster | undefined =>
  base.clusters.find(({ cluster }) => cluster.cluster_id === clusterId) ??
  base.clusters.find(
    ({ cluster }) =>
      cluster.cluster_id === undefined &&
      cluster.servers.some(({ hostname }) => entries.some(({ eniIp }) => eniIp === hostname)),
  )

const serverElement = (eniIp: EniIp, known: readonly CliServer[]): CliServer => ({
  ...(known.find(({ hostname }) => hostname === eniIp) ?? known[0]),
  hostname: eniIp,
  port: CLI_PORT,
  enable: true,
})
