import { STATUS } from '../../hsm/status.js'
import { CommandFailed, done } from '../answer.js'
import { ASSUMED } from '../assumed-texts.js'
import type { CliCommand } from '../command.js'
import type { ClusterConnection } from '../connection.js'
import { type HsmUser, isInconsistent, mergedUsers } from '../merged-users.js'
import { reasonFor, refusalsIn } from '../outcome.js'
import { SINCE } from '../settings.js'
import { TEXTS } from '../texts.js'
import { ROLE, USERNAME } from './options.js'

/** `user replicate`: one user, credentials included, from a cluster to every HSM of a clone. */
export const replicateUser: CliCommand = {
  path: ['user', 'replicate'],
  about: 'Replicate a user from a source to a destination cluster',
  since: SINCE.userReplicate,
  options: [
    USERNAME,
    ROLE,
    { name: 'source-cluster-id', value: 'SOURCE_CLUSTER_ID', required: true, about: 'Source cluster ID' },
    {
      name: 'destination-cluster-id',
      value: 'DESTINATION_CLUSTER_ID',
      required: true,
      about: 'Destination cluster ID',
    },
  ],
  run: async (program, values) => {
    const [sourceId, destinationId] = [values.get('source-cluster-id'), values.get('destination-cluster-id')]
    if (sourceId === destinationId) throw new CommandFailed(ASSUMED.sameCluster)
    const source = await program.loggedIn(sourceId ?? '')
    const destination = await program.loggedIn(destinationId ?? '', 'destination')
    for (const { user } of [source, destination]) {
      if (user?.role !== 'admin') throw new CommandFailed(ASSUMED.adminNeeded)
    }
    const name = (values.get('username') ?? '').toLowerCase()
    const user = (await mergedUsers(source, program.settings)).find(({ username }) => username === name)
    if (!user) throw new CommandFailed(TEXTS.noSuchUser)
    if (isInconsistent(user)) throw new CommandFailed(TEXTS.userInconsistent)
    if (user.role !== values.get('role')) throw new CommandFailed(TEXTS.noSuchUser)
    await insert(destination, await extracted(source, name), user.locked === 'true')
    const created = (await mergedUsers(destination, program.settings)).find(({ username }) => username === name)
    return done({ user: created, message: TEXTS.userReplicated })
  },
}

const extracted = async (source: ClusterConnection, name: string): Promise<string> => {
  const list = await source.askFirst<{ users: readonly HsmUser[] }>({ op: 'list' })
  if (!list.ok) throw new CommandFailed(reasonFor(list.status))
  const userId = list.users.find((user) => user.name.toLowerCase() === name)?.id ?? 0
  const reply = await source.askFirst<{ object: string }>({ op: 'extract', userId })
  if (!reply.ok) throw new CommandFailed(reasonFor(reply.status))
  return reply.object
}

/** Counts the connections that failed, whatever the reason, but for a quorum on all of them. */
const insert = async (destination: ClusterConnection, object: string, locked: boolean): Promise<void> => {
  const replies = await destination.ask({ op: 'replicate', object, locked })
  const refusals = refusalsIn(replies)
  if (refusals.length === 0) return
  const quorum = refusals.length === replies.length && refusals.every(({ code }) => code === STATUS.quorumRequired.code)
  throw new CommandFailed(quorum ? TEXTS.quorumRequired : TEXTS.replicateFailed(refusals.length, replies.length))
}
