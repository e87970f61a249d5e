import { STATUS } from '../hsm/status.js'
import { CommandFailed, PlainError } from './answer.js'
import { ASSUMED } from './assumed-texts.js'
import { type ClusterConnection, isLost } from './connection.js'
import { refusalsIn } from './outcome.js'
import { ROLES, type Role } from './roles.js'
import type { CliSettings } from './settings.js'
import { TEXTS } from './texts.js'

export interface Credentials {
  readonly role: Role
  readonly username: string
  readonly password: string
}

/** Logs in to every HSM of the cluster at once. @throws {CommandFailed} refused; then no HSM keeps the login */
export const logIn = async (
  cluster: ClusterConnection,
  { password, role, username }: Credentials,
  { cliLoginRefusedByOne }: CliSettings,
): Promise<void> => {
  if (cluster.user) throw new CommandFailed(ASSUMED.alreadyLoggedIn)
  const replies = await cluster.askAs(role, (type) => ({ op: 'login', type, name: username, password }))
  const refusals = refusalsIn(replies)
  const accepted = replies.length - refusals.length
  if (refusals.length > 0 && !(accepted > 0 && cliLoginRefusedByOne === 'success')) {
    if (accepted > 0) await cluster.ask({ op: 'logout' })
    else if (refusals.every(isLost)) throw new PlainError(TEXTS.disconnected)
    const needsToken = refusals.every(({ code }) => code === STATUS.secondFactorMissing.code)
    throw new CommandFailed(needsToken ? ASSUMED.secondFactorMissing : ASSUMED.loginFailed)
  }
  cluster.user = { username: username.toLowerCase(), role }
}

/**
 * Credentials from `<prefix>CLOUDHSM_ROLE` and `<prefix>CLOUDHSM_PIN`; null where neither is set.
 * @throws {CommandFailed} one is missing or malformed
 */
export const credentialsFrom = (env: NodeJS.ProcessEnv, prefix: '' | 'DESTINATION_'): Credentials | null => {
  const [roleName, pinName] = [`${prefix}CLOUDHSM_ROLE`, `${prefix}CLOUDHSM_PIN`]
  const [given, pin] = [env[roleName], env[pinName]]
  if (given === undefined && pin === undefined) return null
  const role = ROLES.find((known) => known === given)
  if (!role) throw new CommandFailed(ASSUMED.wrongRoleVariable(roleName))
  const [, username, password] = /^([^:]+):([^:]*)$/.exec(pin ?? '') ?? []
  if (username === undefined || password === undefined) throw new CommandFailed(ASSUMED.wrongPinVariable(pinName))
  return { role, username, password }
}
