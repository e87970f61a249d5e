import { ASSUMED } from '../assumed-texts.js'
import type { Command } from '../command.js'
import { DISCONNECTING } from '../texts.js'

/** `server <N>`: from now on commands go to that server alone. */
export const enterServer: Command = {
  name: 'server',
  mode: 'global',
  syntax: 'server <server ID>',
  arguments: [1, 1],
  run: (session, [id = '']) => {
    const server = session.server(id)
    if (!server) return session.print(ASSUMED.unknownServer(id))
    session.only = server
    session.print(`\nServer is in '${session.settings.modeText}' mode...\n`)
  },
}

/** `exit`: back to all servers. */
export const exitServer: Command = {
  name: 'exit',
  mode: 'server',
  syntax: 'exit',
  arguments: [0, 0],
  run: (session) => {
    session.only = null
  },
}

/** `quit`. */
export const quit: Command = {
  name: 'quit',
  mode: 'global',
  syntax: 'quit',
  arguments: [0, 0],
  run: (session) => {
    session.print(DISCONNECTING)
    session.ended = true
  },
}
