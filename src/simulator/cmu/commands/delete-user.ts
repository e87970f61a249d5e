import { ASSUMED } from '../assumed-texts.js'
import type { Command } from '../command.js'
import { choose } from '../questions.js'
import type { Server } from '../server.js'
import type { UtilitySession } from '../session.js'
import { RETRY_ROLLBACK_IGNORE } from '../texts.js'

/** A user that was deleted on a server, as the HSM handed it out. */
interface Deleted {
  readonly server: Server
  readonly undo: string
}

/** `deleteUser`: no question first. After a failure B brings the user back where it was deleted already. */
export const deleteUser: Command = {
  name: 'deleteUser',
  mode: 'any',
  syntax: 'deleteUser <user-type> <user-name>',
  arguments: [2, 2],
  run: async (session, [type = '', name = '']) => {
    const { targets } = session
    session.print(`Deleting user ${name}(${type}) on ${targets.length} nodes\n`)
    const deleted: Deleted[] = []
    for (const server of targets) {
      for (;;) {
        const reply = await server.ask<{ undo: string }>({ op: 'delete', type, name })
        if (reply.ok) {
          deleted.push({ server, undo: reply.undo })
          session.printSuccess('deleteUser', server)
          break
        }
        session.print(`deleteUser failed: ${reply.status.text}\ndeleteUser failed on server ${server.named}\n`)
        if (session.only) return
        const choice = await choose(session, RETRY_ROLLBACK_IGNORE, ['R', 'B', 'I'])
        if (choice === 'B') return rollBack(session, deleted)
        if (choice === null) return
        if (choice === 'I') break
      }
    }
  },
}

const rollBack = async (session: UtilitySession, deleted: readonly Deleted[]): Promise<void> => {
  for (const { server, undo } of deleted) {
    const reply = await server.ask({ op: 'restore', object: undo })
    session.print(
      reply.ok
        ? ASSUMED.rolledBack(server.id, server.label)
        : ASSUMED.rollBackFailed(server.id, server.label, reply.status.text),
    )
  }
}
