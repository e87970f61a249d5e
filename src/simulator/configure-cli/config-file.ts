import { readFileSync, renameSync, writeFileSync } from 'node:fs'

/** Address in the configuration of a package that nobody has configured yet. */
const UNCONFIGURED = '%%HSM_IP_ADDRESS%%'
const TRUST_ANCHOR = '/opt/cloudhsm/etc/customerCA.crt'

/** One element of `clusters`; keys that are not named here are kept as they are. */
export interface ClusterEntry {
  type: string
  cluster: {
    cluster_id?: string
    hsm_ca_file?: string
    servers: { hostname: string; port: number; enable: boolean }[]
    options?: Record<string, unknown>
    client_cert_hsm_tls_path?: string
    client_key_hsm_tls_path?: string
  }
}

/** The configuration of CloudHSM CLI as a document. */
export interface CliConfig {
  clusters: ClusterEntry[]
  logging: Record<string, unknown>
}

/** An entry for these addresses. The type is `hsm1` whatever the HSMs are: the real program writes no other. */
export const entryFor = (addresses: readonly string[], clusterId?: string): ClusterEntry => ({
  type: 'hsm1',
  cluster: {
    ...(clusterId !== undefined && { cluster_id: clusterId }),
    hsm_ca_file: TRUST_ANCHOR,
    servers: addresses.map((hostname) => ({ hostname, port: 2223, enable: true })),
  },
})

const packaged = (): CliConfig => ({
  clusters: [entryFor([UNCONFIGURED])],
  logging: {
    log_type: 'file',
    log_file: '/opt/cloudhsm/run/cloudhsm-cli.log',
    log_level: 'info',
    log_interval: 'daily',
  },
})

/** The text of the configuration as it comes with the package. */
export const packagedConfig = (): string => textOf(packaged())

/**
 * Reads the configuration; one that is not there counts as freshly installed.
 * @throws {Error} it is no JSON, or has no `clusters`
 */
export const readCliConfig = (path: string): CliConfig => {
  let text: string
  try {
    text = readFileSync(path, 'utf8')
  } catch {
    return packaged()
  }
  const document = JSON.parse(text) as CliConfig | null
  if (!Array.isArray(document?.clusters)) throw new Error('no clusters')
  return { ...document, logging: document.logging ?? {} }
}

/** Replaces the file as a whole. */
export const writeCliConfig = (path: string, config: CliConfig): void => {
  const fresh = `${path}.new`
  writeFileSync(fresh, textOf(config))
  renameSync(fresh, path)
}

/** Whether the entry still has the package's placeholder. */
export const isUnconfigured = ({ cluster }: ClusterEntry): boolean =>
  cluster.servers.some(({ hostname }) => hostname === UNCONFIGURED)

const textOf = (config: CliConfig): string => `${JSON.stringify(config, null, 2)}\n`
