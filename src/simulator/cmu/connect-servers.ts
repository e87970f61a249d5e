import type { Terminal } from '../terminal.js'
import { ConnectionFailed, HsmLine } from '../wire/hsm-line.js'
import { ASSUMED } from './assumed-texts.js'
import type { ConfiguredServer } from './config.js'
import { Server } from './server.js'
import type { UtilitySettings } from './settings.js'
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
      server.line = await connectedLine(server.config, settings)
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

/** @throws {ConnectionFailed} also by an HSM of the generation that this utility does not work with, whatever the port */
const connectedLine = async ({ hostname, port }: ConfiguredServer, settings: UtilitySettings): Promise<HsmLine> => {
  const line = await HsmLine.connect(hostname, port, settings.connectTimeoutMs)
  if (line.hello.hsmType !== 'hsm2m.medium') return line
  line.close()
  throw new ConnectionFailed(ASSUMED.otherGeneration)
}
