import { done } from '../answer.js'
import type { CliCommand } from '../command.js'
import { mergedUsers } from '../merged-users.js'
import { CLUSTER_ID } from './options.js'

/** `user list`: needs no login. */
export const userList: CliCommand = {
  path: ['user', 'list'],
  about: 'List the users in your cluster',
  options: [CLUSTER_ID],
  run: async (program, values) => done({ users: await mergedUsers(await program.reader(values), program.settings) }),
}
