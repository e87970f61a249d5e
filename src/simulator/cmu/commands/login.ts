import { ASSUMED } from '../assumed-texts.js'
import type { Command } from '../command.js'
import { HIDDEN } from '../questions.js'
import { ENTER_PASSWORD } from '../texts.js'

/** `loginHSM`: on every server, whatever the others answer; a refusal opens no menu. */
export const loginHsm: Command = {
  name: 'loginHSM',
  mode: 'any',
  syntax: 'loginHSM <user-type> <user-name> <password | -hpswd> [-2fa </path/to/authdata>]',
  arguments: [3, 5],
  run: async (session, [type = '', name = '', argument = '']) => {
    const password = argument === HIDDEN ? await session.terminal.askHidden(ENTER_PASSWORD) : argument
    if (password === null) return
    for (const server of session.targets) {
      const reply = await server.ask({ op: 'login', type, name, password })
      if (reply.ok) {
        server.loggedIn = `${name}(${type})`
        session.printSuccess('loginHSM', server)
        continue
      }
      session.print(`loginHSM failed: ${reply.status.text}\n`)
      if (!session.only) session.print(ASSUMED.loginFailed(server.id, server.label))
    }
  },
}

/** `logoutHSM`. */
export const logoutHsm: Command = {
  name: 'logoutHSM',
  mode: 'any',
  syntax: 'logoutHSM',
  arguments: [0, 0],
  run: async (session) => {
    session.print('\n')
    for (const server of session.targets) {
      const reply = await server.ask({ op: 'logout' })
      server.loggedIn = null
      if (reply.ok) session.printSuccess('logoutHSM', server)
      else {
        session.print(`logoutHSM failed: ${reply.status.text}\n`)
        if (!session.only) session.print(ASSUMED.logoutFailed(server.id, server.label))
      }
    }
  },
}
