import type { HsmRequest } from '../../wire/messages.js'
import type { Command } from '../command.js'
import { choose, confirmed, newPassword } from '../questions.js'
import type { Server } from '../server.js'
import type { UtilitySession } from '../session.js'
import { RETRY_IGNORE_ABORT } from '../texts.js'

/** What a change prints around the request. */
interface ChangeWords {
  readonly announce: (servers: number) => string
  readonly succeed: (server: Server) => void
  readonly fail: (server: Server, reason: string) => string
}

/**
 * Sends a change to one server after the other. After a failure in global mode: R asks the same server again, I goes on
 * with the next, A stops and leaves those before as they are.
 */
const changeEverywhere = async (session: UtilitySession, request: HsmRequest, words: ChangeWords): Promise<void> => {
  const { targets } = session
  session.print(words.announce(targets.length))
  for (const server of targets) {
    for (;;) {
      const reply = await server.ask(request)
      if (reply.ok) {
        words.succeed(server)
        break
      }
      session.print(words.fail(server, reply.status.text))
      if (session.only) return
      const choice = await choose(session, RETRY_IGNORE_ABORT, ['R', 'I', 'A'])
      if (choice === 'A' || choice === null) return
      if (choice === 'I') break
    }
  }
}

/** `changePswd`. */
export const changePassword: Command = {
  name: 'changePswd',
  mode: 'any',
  syntax: 'changePswd <user-type> <user-name> <new-password | -hpswd> [-2fa </path/to/authdata>]',
  arguments: [3, 5],
  run: async (session, [type = '', name = '', argument = '']) => {
    const password = await newPassword(session, argument)
    if (password === null || !(await confirmed(session))) return
    await changeEverywhere(
      session,
      { op: 'change', type, name, password },
      {
        announce: (servers) => `Changing password for ${name}(${type}) on ${servers} nodes\n`,
        succeed: (server) => session.settings.successLines && session.printSuccess('changePswd', server),
        fail: ({ named }, reason) => `changePswd failed: ${reason}\nChanging password on node ${named} failed\n`,
      },
    )
  },
}

/** `createUser`. */
export const createUser: Command = {
  name: 'createUser',
  mode: 'any',
  syntax: 'createUser <user-type> <user-name> <password | -hpswd> [-2fa </path/to/authdata>]',
  arguments: [3, 5],
  run: async (session, [type = '', name = '', argument = '']) => {
    const password = await newPassword(session, argument)
    if (password === null || !(await confirmed(session))) return
    await changeEverywhere(
      session,
      { op: 'create', type, name, password },
      {
        announce: (servers) => `Creating User ${name}(${type}) on ${servers} nodes\n`,
        succeed: (server) => {
          if (!session.settings.successLines) return
          if (session.settings.createUserWording === 'command') session.printSuccess('createUser', server)
          else session.print(`creating user on server ${server.named} success\n`)
        },
        fail: ({ named }, reason) => `createUser failed: ${reason}\ncreating user on server ${named} failed\n`,
      },
    )
  },
}
