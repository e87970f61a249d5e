import { readFileSync } from 'node:fs'

/** One entry of `servers` that is switched on. */
export interface ConfiguredServer {
  readonly hostname: string
  /** Printed in the connection lines and in `server N(<label>)`. */
  readonly label: string
  readonly port: number
  readonly ownerCertificate: string
}

/** The configuration file cannot be used; the text is what the program prints. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError'

  constructor(
    message: string,
    readonly missing: boolean,
  ) {
    super(message)
  }
}

/**
 * Reads the utility's configuration file. Entries with `enable: "no"` are passed over and take no number.
 * @throws {ConfigError} it cannot be read, is no JSON, or has an entry without the fields needed to connect
 */
export const readConfig = (path: string): ConfiguredServer[] => {
  let text: string
  try {
    text = readFileSync(path, 'utf8')
  } catch {
    throw new ConfigError('', true)
  }
  let document: { servers?: unknown }
  try {
    document = JSON.parse(text) as { servers?: unknown }
  } catch (error) {
    throw new ConfigError((error as Error).message, false)
  }
  const { servers } = document ?? {}
  if (!Array.isArray(servers) || servers.length === 0) throw new ConfigError('no servers', false)
  return servers.flatMap((entry: Record<string, unknown>, index) => {
    const { e2e_encryption: e2e, enable, hostname, name, port } = entry ?? {}
    if (enable === 'no') return []
    if (typeof hostname !== 'string' || hostname === '') throw new ConfigError(`servers[${index}]: no hostname`, false)
    if (typeof port !== 'number') throw new ConfigError(`servers[${index}]: no port`, false)
    const owner = (e2e as { owner_cert_path?: unknown } | undefined)?.owner_cert_path
    return [
      {
        hostname,
        label: typeof name === 'string' && name !== '' ? name : hostname,
        port,
        ownerCertificate: typeof owner === 'string' ? owner : '',
      },
    ]
  })
}
