import type { ConfiguredServer } from './config.js'
import { ConnectionFailed, HsmLine } from './hsm-line.js'
import { Server } from './server.js'
import type { UtilitySettings } from './settings.js'
import type { Terminal } from './terminal.js'
import { BANNER, IGNORING_E2E, limitedMode, ONE_SERVER_FAILED } from './texts.js'

/**
 * Connects to every server in the order of the file, telling about each.
 * @returns the servers, or null when one could not be reached and that ends the utility
 */
export const connectServers = async (
  terminal: Terminal,
  settings: UtilitySettings,
  configured: readonly ConfiguredServer[],
): Promise<readonly Server[] | null> => {
  terminal.print(`${settings.ignoringE2eLine ? IGNORING_E2E : ''}${BANNER}`)
  const servers = configured.map((config, id) => new Server(id, config))
  for (const server of servers) {
    const { hostname, label, port } = server.config
    terminal.print(`Connecting to server '${label}': hostname '${hostname}', port ${port}...\n`)
    try {
      server.line = await HsmLine.connect(hostname, port, settings.connectTimeoutMs)
    } catch (error) {
      if (!(error instanceof ConnectionFailed)) throw error
      terminal.print(`Connection to server ${hostname}(${hostname}) on port ${port} failed:${error.message}\n`)
      if (!settings.unreachableEndsUtility) continue
      terminal.print(ONE_SERVER_FAILED)
      return null
    }
    terminal.print(`Connected to server '${label}': hostname '${hostname}', port ${port}.\n`)
    server.limited = server.line.hello.limited || server.ownerCertificateMissing(settings)
    terminal.print(server.limited ? limitedMode(server.id, label, server.config.ownerCertificate) : '\n')
  }
  if (settings.e2eLines) {
    for (const server of servers) {
      if (server.connected && !server.limited) terminal.print(`E2E enabled on server ${server.named}\n`)
    }
  }
  return servers
}
