import { failed } from '../answer.js'
import { ASSUMED } from '../assumed-texts.js'
import type { CliCommand } from '../command.js'
import { SINCE } from '../settings.js'
import { hsmInfo, listQuorumValues } from './hsm-info.js'
import { login, logout, quit } from './login.js'
import { changePassword, createUser, deleteUser } from './user-change.js'
import { userList } from './user-list.js'
import { replicateUser } from './user-replicate.js'

/** Commands of the real program that are known by name alone. */
const notImitated = (...path: readonly string[]): CliCommand => ({
  path,
  about: 'Not available in the simulator',
  options: [],
  run: async () => failed(ASSUMED.notImitated),
})

/** What can be typed in either mode. */
export const COMMANDS: readonly CliCommand[] = [
  login,
  logout,
  userList,
  createUser,
  changePassword,
  deleteUser,
  replicateUser,
  notImitated('user', 'change-mfa'),
  notImitated('user', 'change-quorum'),
  hsmInfo,
  notImitated('cluster', 'activate'),
  notImitated('cluster', 'mtls'),
  listQuorumValues,
  notImitated('quorum', 'token-sign', 'list'),
  notImitated('quorum', 'token-sign', 'list-timeouts'),
  notImitated('quorum', 'token-sign', 'generate'),
  notImitated('quorum', 'token-sign', 'delete'),
  notImitated('quorum', 'token-sign', 'set-quorum-value'),
  notImitated('quorum', 'token-sign', 'set-timeout'),
  { ...notImitated('key', 'replicate'), since: SINCE.multiCluster },
  notImitated('key', 'list'),
]

/** What can be typed at the prompt. */
export const TYPED_COMMANDS: readonly CliCommand[] = [...COMMANDS, quit]
