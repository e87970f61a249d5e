import { refused, STATUS } from '../../hsm/status.js'
import { ASSUMED } from '../assumed-texts.js'
import type { Command } from '../command.js'
import type { Server } from '../server.js'
import type { UtilitySession } from '../session.js'
import { hex } from '../texts.js'

/** `syncUser`: copies one user, password included, from the server of this mode to another. */
export const syncUser: Command = {
  name: 'syncUser',
  mode: 'server',
  syntax: 'syncUser <user ID> <destination server ID>',
  arguments: [2, 2],
  run: async (session, [userId = '', destinationId = '']) => {
    const source = session.only
    const destination = session.server(destinationId)
    if (!source) return
    if (!destination) return session.print(ASSUMED.unknownServer(destinationId))
    if (!/^\d+$/.test(userId)) return session.print(ASSUMED.invalidUserId)
    const extracted = await source.ask<{ object: string }>({ op: 'extract', userId: Number(userId) })
    session.print(`ExtractMaskedObject: ${hex(extracted.ok ? 0 : extracted.status.code)} !\n`)
    if (!extracted.ok) return session.print(ASSUMED.syncFailed)
    const inserted = othersOfficer(session, source, destination)
      ? refused(STATUS.otherOfficer)
      : await destination.ask({ op: 'insert', object: extracted.object })
    session.print(`InsertMaskedObject: ${hex(inserted.ok ? 0 : inserted.status.code)} !\n`)
    if (inserted.ok) {
      return session.print(session.settings.syncUserWording === 'aws' ? 'syncUser success\n' : 'User sync Success\n')
    }
    if (session.settings.syncRefusalLine) session.print(`${inserted.status.text}\n`)
    session.print(ASSUMED.syncFailed)
  },
}

const othersOfficer = ({ settings }: UtilitySession, source: Server, destination: Server): boolean =>
  settings.syncUserOfficers === 'same' && source.loggedIn?.toLowerCase() !== destination.loggedIn?.toLowerCase()
