import { activeHsms, type Cluster, type Hsm, showCluster } from './cluster.js'
import { refusal } from './errors.js'
import type { ClusterId, EniIp, HsmId, RegionName, ServerId } from './ids.js'
import type { Roster, RosterEntry } from './roster.js'

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

/** An HSM that was left out of a configuration. */
export interface SkippedHsm {
  readonly hsmId: HsmId
  readonly eniIp: EniIp | null
  readonly clusterId: ClusterId
  readonly region: RegionName
  readonly state: string
  /** Ends a sentence that begins with the HSM. */
  readonly reason: string
}

/** A configuration for several clusters, and which HSM stands where in it. */
export interface MergedConfig {
  readonly roster: Roster
  readonly document: ConfigDocument
  readonly skipped: readonly SkippedHsm[]
}

/** The clusters of a configuration. */
export interface MergedClusters {
  readonly source: Cluster
  /** In the order in which they stand in the configuration. */
  readonly destinations: readonly Cluster[]
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
 * Merges clusters into one configuration: the source first, destinations in the order given, one block per cluster.
 * Inside a block HSMs stand in the order of their IDs, which an HSM keeps for life: an HSM that is added or removed
 * moves others, but never reorders them. HSMs that are not ACTIVE are skipped.
 * @param base its first server is the pattern of every server; its other keys are kept
 * @throws {OperatorError} exit 3: `HSM_TYPE_NOT_SUPPORTED`; `DUPLICATE_ADDRESS` when two HSMs have one address, as in
 *   networks with equal ranges
 */
export const mergedConfig = (
  { source, destinations }: MergedClusters,
  base: ConfigDocument = AWS_DEFAULTS,
): MergedConfig => {
  const roster: RosterEntry[] = []
  for (const cluster of [source, ...destinations]) {
    refuseOtherUtility(cluster)
    const { clusterId, region } = cluster
    const role = cluster === source ? 'source' : 'destination'
    for (const { hsmId, eniIp } of inOrder(activeHsms(cluster))) {
      roster.push({ serverId: roster.length as ServerId, hsmId, eniIp, clusterId, region, role })
    }
  }
  refuseEqualAddresses(roster)
  return { roster, document: deriveSessionConfig(base, roster), skipped: [source, ...destinations].flatMap(skippedOf) }
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

/** Source: AWS CloudHSM User Guide, `sdk3-hsm-types`: Client SDK 3, and with it the utility, knows hsm1.medium alone. */
const refuseOtherUtility = (cluster: Cluster): void => {
  if (cluster.hsmType.startsWith('hsm1')) return
  throw refusal(
    'HSM_TYPE_NOT_SUPPORTED',
    `cluster ${showCluster(cluster)} consists of ${cluster.hsmType} HSMs, and the management utility works with hsm1.medium only`,
    ['other types are driven by the CloudHSM CLI, which this version does not do yet'],
  )
}

const inOrder = <T extends Hsm>(hsms: readonly T[]): readonly T[] =>
  [...hsms].sort((a, b) => (a.hsmId < b.hsmId ? -1 : a.hsmId > b.hsmId ? 1 : 0))

const skippedOf = (cluster: Cluster): readonly SkippedHsm[] => {
  const used = new Set<Hsm>(activeHsms(cluster))
  return inOrder(cluster.hsms.filter((hsm) => !used.has(hsm))).map(({ hsmId, eniIp, state }) => ({
    hsmId,
    eniIp,
    clusterId: cluster.clusterId,
    region: cluster.region,
    state,
    reason: state === 'ACTIVE' ? 'is ACTIVE but has no address yet' : `is ${state}, not ACTIVE`,
  }))
}

const refuseEqualAddresses = (roster: Roster): void => {
  const seen = new Map<EniIp, RosterEntry>()
  for (const entry of roster) {
    const other = seen.get(entry.eniIp)
    if (other !== undefined) {
      throw refusal(
        'DUPLICATE_ADDRESS',
        `${other.hsmId} in ${showCluster(other)} and ${entry.hsmId} in ${showCluster(entry)} have the same address ${entry.eniIp}, so one of them cannot be reached from here`,
        ['make a configuration for each of the two clusters, from a host inside its own network'],
      )
    }
    seen.set(entry.eniIp, entry)
  }
}
