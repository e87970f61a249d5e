import { ASSUMED } from '../assumed-texts.js'
import type { Command } from '../command.js'

interface ListedUser {
  readonly id: number
  readonly type: string
  readonly name: string
  readonly mofnPubKey: boolean
  readonly failures: number
  readonly twoFactor: boolean
}

const HEADER =
  '    User Id             User Type       User Name                          MofnPubKey    LoginFailureCnt         2FA'
const yesNo = (value: boolean): string => (value ? 'YES' : 'NO')

const row = (user: ListedUser): string =>
  [
    `${user.id}`.padStart(10).padEnd(25),
    user.type.padEnd(16),
    user.name.padEnd(41),
    yesNo(user.mofnPubKey).padEnd(17),
    `${user.failures}`.padEnd(17),
    yesNo(user.twoFactor),
  ].join('')

/** `listUsers`: a table per server; needs no login. */
export const listUsers: Command = {
  name: 'listUsers',
  mode: 'any',
  syntax: 'listUsers',
  arguments: [0, 0],
  run: async (session) => {
    for (const server of session.targets) {
      const reply = await server.ask<{ users: readonly ListedUser[] }>({ op: 'list' })
      if (!reply.ok) {
        session.print(ASSUMED.listFailed(server.id, server.label, reply.status.text))
        continue
      }
      const { users } = reply
      session.print(
        `Users on server ${server.named}:\nNumber of users found:${users.length}\n\n${HEADER}\n${users.map(row).join('\n')}\n\n`,
      )
    }
  },
}
