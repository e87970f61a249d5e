import { type CliConfig, type ClusterEntry, entryFor, isUnconfigured } from './config-file.js'
import type { OptionName, Options } from './options.js'

/** Text of a refusal that was seen to happen but never quoted. */
const SEVERAL_CLUSTERS =
  'The configuration file has several clusters. Use add-cluster and remove-cluster, or remove the file first'
const lacksId = (clusterId: string): string => `Cluster ${clusterId} is not in the configuration file`

/**
 * The configuration after the command. Without a subcommand the only entry is replaced or amended.
 * @param addresses of the cluster that `--cluster-id` names, when it was asked about
 * @throws {Error} the command does not fit what the file holds
 */
export const changedConfig = (
  config: CliConfig,
  { subcommand, values }: Options,
  addresses: readonly string[],
): CliConfig => {
  const clusterId = values.get('--cluster-id')?.[0]
  if (subcommand === 'remove-cluster') {
    const left = config.clusters.filter(({ cluster }) => cluster.cluster_id !== clusterId)
    if (left.length === config.clusters.length) throw new Error(lacksId(clusterId ?? ''))
    return { ...config, clusters: left }
  }
  if (subcommand === 'add-cluster') {
    const others = config.clusters.filter((entry) => entry.cluster.cluster_id !== clusterId && !isUnconfigured(entry))
    return { ...config, clusters: [...others, amended(entryFor(addresses, clusterId), values)] }
  }
  const [only, ...others] = config.clusters
  if (!only || others.length > 0) throw new Error(SEVERAL_CLUSTERS)
  const given = values.get('-a') ?? addresses
  const cluster = { ...entryFor(given, clusterId).cluster, ...withoutPlace(only) }
  const fresh = given.length > 0 ? { ...only, cluster } : only
  return { ...config, clusters: [amended(fresh, values)], logging: { ...config.logging, ...loggingFrom(values) } }
}

/** What of an entry stays when its addresses are replaced. */
const withoutPlace = ({ cluster: { cluster_id: _id, servers: _servers, ...rest } }: ClusterEntry): object => rest

type Values = ReadonlyMap<OptionName, readonly string[]>

/** Names of the keys for retry mode and for the check at start are not documented. */
const amended = ({ cluster, type }: ClusterEntry, values: Values): ClusterEntry => {
  const text = (name: OptionName): string | undefined => values.get(name)?.[0]
  const options = {
    ...cluster.options,
    ...(values.has('--enable-key-availability-check') && { disable_key_availability_check: false }),
    ...(values.has('--disable-key-availability-check') && { disable_key_availability_check: true }),
    ...(values.has('--enable-validate-key-at-init') && { validate_key_at_init: true }),
    ...(values.has('--disable-validate-key-at-init') && { validate_key_at_init: false }),
    ...(text('--default-retry-mode') !== undefined && { default_retry_mode: text('--default-retry-mode') }),
  }
  const [anchor, certificate, key] = [
    text('--hsm-ca-cert'),
    text('--client-cert-hsm-tls-file'),
    text('--client-key-hsm-tls-file'),
  ]
  return {
    type,
    cluster: {
      ...cluster,
      ...(anchor !== undefined && { hsm_ca_file: anchor }),
      ...(certificate !== undefined && { client_cert_hsm_tls_path: certificate }),
      ...(key !== undefined && { client_key_hsm_tls_path: key }),
      ...(Object.keys(options).length > 0 && { options }),
    },
  }
}

const loggingFrom = (values: Values): Record<string, unknown> => {
  const keys = {
    '--log-type': 'log_type',
    '--log-file': 'log_file',
    '--log-level': 'log_level',
    '--log-rotation': 'log_interval',
  } as const
  return Object.fromEntries(
    Object.entries(keys).flatMap(([name, key]) => {
      const value = values.get(name as OptionName)?.[0]
      return value === undefined ? [] : [[key, value]]
    }),
  )
}
