import { CommandFailed, done } from '../answer.js'
import { ASSUMED } from '../assumed-texts.js'
import type { CliCommand } from '../command.js'
import { logIn } from '../log-in.js'
import type { Role } from '../roles.js'
import { TEXTS } from '../texts.js'
import { CLUSTER_ID, PASSWORD, ROLE, USERNAME } from './options.js'

/** `login`: on every HSM of the cluster. */
export const login: CliCommand = {
  path: ['login'],
  about: 'Login to your cluster',
  options: [CLUSTER_ID, USERNAME, ROLE, PASSWORD],
  run: async (program, values) => {
    const cluster = await program.connect(values.get('cluster-id') ?? null)
    const role = values.get('role') as Role
    const username = values.get('username') ?? ''
    const password = values.get('password') ?? (await program.passwords.enter())
    await logIn(cluster, { role, username, password }, program.settings)
    return done({ username: username.toLowerCase(), role })
  },
}

/** `logout`. */
export const logout: CliCommand = {
  path: ['logout'],
  about: 'Logout of your cluster',
  options: [CLUSTER_ID],
  run: async (program, values) => {
    const cluster = await program.connect(values.get('cluster-id') ?? null)
    if (!cluster.user) throw new CommandFailed(ASSUMED.notLoggedIn)
    await cluster.ask({ op: 'logout' })
    cluster.user = null
    return done(TEXTS.logoutSuccessful)
  },
}

/** `quit`: interactive mode only. */
export const quit: CliCommand = {
  path: ['quit'],
  about: 'Quit',
  options: [],
  run: async (program) => {
    program.ended = true
    return done(null)
  },
}
