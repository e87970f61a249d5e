import { type HsmReply, STATUS } from '../../hsm/status.js'
import { CommandFailed, done } from '../answer.js'
import { ASSUMED, COMMAND_NAMES } from '../assumed-texts.js'
import type { CliCommand, Values } from '../command.js'
import { expectAll } from '../outcome.js'
import type { Program } from '../program.js'
import type { Role } from '../roles.js'
import { APPROVAL, CLUSTER_ID, PASSWORD, ROLE, USERNAME } from './options.js'

const subject = (values: Values): { role: Role; name: string } => ({
  role: values.get('role') as Role,
  name: values.get('username') ?? '',
})
const answered = ({ name, role }: ReturnType<typeof subject>) => done({ username: name.toLowerCase(), role })

/** The password of the option, or asked for twice. @throws {CommandFailed} it breaks a rule */
const newPassword = async (program: Program, values: Values): Promise<string> => {
  const password = values.get('password') ?? (await program.passwords.choose())
  if (password.length < 8 || password.length > 32) throw new CommandFailed(ASSUMED.passwordLength)
  if (password.includes(':')) throw new CommandFailed(ASSUMED.passwordColon)
  return password
}

const counted =
  (what: keyof typeof COMMAND_NAMES) =>
  (failures: number, connections: number): string =>
    ASSUMED.changeFailed(COMMAND_NAMES[what], failures, connections)

/** Passes over refusals of a kind where at least one HSM did what was asked: the command completes what was half done. */
const passingOver = (replies: readonly HsmReply<object>[], code: number): readonly HsmReply<object>[] =>
  replies.some(({ ok }) => ok)
    ? replies.map((reply) => (reply.ok || reply.status.code !== code ? reply : { ok: true }))
    : replies

/** `user change-password`: an admin for anybody, others for themselves. Never asks for the old one. */
export const changePassword: CliCommand = {
  path: ['user', 'change-password'],
  about: 'Change a user’s password',
  options: [
    CLUSTER_ID,
    USERNAME,
    ROLE,
    PASSWORD,
    APPROVAL,
    { name: 'deregister-mfa', about: 'Deregister the MFA public key, if present' },
    { name: 'deregister-quorum', about: 'Deregister the quorum public key, if present' },
  ],
  run: async (program, values) => {
    const cluster = await program.loggedIn(values.get('cluster-id') ?? null)
    const password = await newPassword(program, values)
    const { name, role } = subject(values)
    expectAll(await cluster.askAs(role, (type) => ({ op: 'change', type, name, password })), counted('change'))
    return answered({ name, role })
  },
}

/** `user create`: completes a user that only some of the HSMs have. */
export const createUser: CliCommand = {
  path: ['user', 'create'],
  about: 'Create a new user',
  options: [CLUSTER_ID, USERNAME, ROLE, PASSWORD, APPROVAL],
  run: async (program, values) => {
    const { name, role } = subject(values)
    const [strange] = /[^A-Za-z0-9_]/.exec(name) ?? []
    if (strange !== undefined) throw new CommandFailed(ASSUMED.invalidUsername(strange))
    if (name.length < 1 || name.length > 31) throw new CommandFailed(ASSUMED.usernameLength)
    const cluster = await program.loggedIn(values.get('cluster-id') ?? null)
    const password = await newPassword(program, values)
    const type = role === 'admin' ? 'CO' : 'CU'
    const replies = await cluster.ask({ op: 'create', type, name, password })
    expectAll(passingOver(replies, STATUS.nameTaken.code), counted('create'))
    return answered({ name, role })
  },
}

/** `user delete`: also of a user that only some of the HSMs have. */
export const deleteUser: CliCommand = {
  path: ['user', 'delete'],
  about: 'Delete a user',
  options: [CLUSTER_ID, USERNAME, ROLE, APPROVAL],
  run: async (program, values) => {
    const cluster = await program.loggedIn(values.get('cluster-id') ?? null)
    const { name, role } = subject(values)
    const replies = await cluster.askAs(role, (type) => ({ op: 'delete', type, name }))
    expectAll(passingOver(replies, STATUS.noSuchUser.code), counted('delete'))
    return answered({ name, role })
  },
}
