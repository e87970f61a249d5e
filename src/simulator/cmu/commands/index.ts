import { ASSUMED } from '../assumed-texts.js'
import type { Command } from '../command.js'
import { changePassword, createUser } from './change-password.js'
import { deleteUser } from './delete-user.js'
import { enableE2e, getHsmInfo, getMValue, info } from './information.js'
import { listUsers } from './list-users.js'
import { loginHsm, logoutHsm } from './login.js'
import { enterServer, exitServer, quit } from './modes.js'
import { syncUser } from './sync-user.js'

/** `help [command]`; the real text is not known. */
const help: Command = {
  name: 'help',
  mode: 'any',
  syntax: 'help [command]',
  arguments: [0, 1],
  run: (session, [word]) => {
    const shown = word === undefined ? COMMANDS.filter(({ run }) => run) : findCommand(word)
    if (shown.length === 0) return session.print(ASSUMED.unknownCommand(word ?? ''))
    session.print(`${shown.map(({ name, syntax }) => (word === undefined ? `  ${name}` : syntax)).join('\n')}\n`)
  },
}

/** Commands of the real utility that have no part in managing users here. They count when a name is abbreviated. */
const OTHERS: readonly Command[] = [
  'approveToken',
  'findAllKeys',
  'getAttribute',
  'getCert',
  'getKeyInfo',
  'getToken',
  'listAttributes',
  'listTokens',
  'registerQuorumPubKey',
  'setAttribute',
  'setMValue',
  'shareKey',
  'syncKey',
].map((name) => ({ name, mode: 'any', syntax: name, arguments: [0, 10] }))

const COMMANDS: readonly Command[] = [
  changePassword,
  createUser,
  deleteUser,
  enableE2e,
  exitServer,
  getHsmInfo,
  getMValue,
  help,
  info,
  listUsers,
  loginHsm,
  logoutHsm,
  quit,
  enterServer,
  syncUser,
  ...OTHERS,
]

/** Commands `word` can mean: the one of that name, or all it is a beginning of. */
export const findCommand = (word: string): readonly Command[] => {
  const exact = COMMANDS.filter(({ name }) => name === word)
  return exact.length > 0 ? exact : COMMANDS.filter(({ name }) => name.startsWith(word))
}
