import { Terminal } from '../terminal.js'
import { ASSUMED, EXIT_CODE } from './assumed-texts.js'
import { ConfigError, type ConfiguredServer, readConfig } from './config.js'
import { connectServers } from './connect-servers.js'
import { runSession, UtilitySession } from './session.js'
import { readSettings } from './settings.js'

/**
 * The program `cloudhsm_mgmt_util`. Its wrapper passes the simulator's settings first; what follows is the real
 * program's one argument, the configuration file. Uses nothing but Node's own modules, so that it starts at once.
 */
const main = async ([settingsPath = '', configPath, ...others]: readonly string[]): Promise<number> => {
  const terminal = new Terminal()
  const settings = readSettings(settingsPath)
  if (configPath === undefined || others.length > 0) {
    terminal.print(ASSUMED.syntax('cloudhsm_mgmt_util'))
    return finish(terminal, EXIT_CODE.failed)
  }
  const configured = configuredServers(terminal, configPath)
  if (!configured) return finish(terminal, EXIT_CODE.failed)
  const servers = await connectServers(terminal, settings, configured)
  if (!servers) return finish(terminal, EXIT_CODE.failed)
  await runSession(new UtilitySession(terminal, settings, servers))
  return finish(terminal, EXIT_CODE.done)
}

const configuredServers = (terminal: Terminal, path: string): readonly ConfiguredServer[] | null => {
  try {
    return readConfig(path)
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    terminal.print(error.missing ? ASSUMED.configMissing(path) : ASSUMED.configMalformed(path, error.message))
    return null
  }
}

const finish = (terminal: Terminal, code: number): number => {
  terminal.exit(code)
  return code
}

await main(process.argv.slice(2))
