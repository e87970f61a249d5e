import type { Terminal } from '../terminal.js'
import { ASSUMED } from './assumed-texts.js'
import type { Command } from './command.js'
import { findCommand } from './commands/index.js'
import type { Server } from './server.js'
import type { UtilitySettings } from './settings.js'
import { prompt } from './texts.js'

/** Everything a command works with. */
export class UtilitySession {
  /** The server of server mode; null in global mode. */
  only: Server | null = null
  ended = false

  constructor(
    readonly terminal: Terminal,
    readonly settings: UtilitySettings,
    readonly servers: readonly Server[],
  ) {}

  /** Servers a command runs on: all, one after the other, or the one of server mode. */
  get targets(): readonly Server[] {
    return this.only ? [this.only] : this.servers
  }

  print(text: string): void {
    this.terminal.print(text)
  }

  /** `<what> success`, with the server in global mode. */
  printSuccess(what: string, server: Server): void {
    this.print(this.only ? `${what} success\n` : `${what} success on server ${server.named}\n`)
  }

  server(text: string): Server | undefined {
    return /^\d+$/.test(text) ? this.servers[Number(text)] : undefined
  }
}

/** Prompts, reads and runs commands until `quit` or the end of the input. */
export const runSession = async (session: UtilitySession): Promise<void> => {
  while (!session.ended) {
    const line = await session.terminal.ask(prompt(session.settings, session.only?.id ?? null))
    if (line === null) return
    const [word, ...args] = line.trim().split(/\s+/)
    if (word) await runCommand(session, word, args)
  }
}

const runCommand = async (session: UtilitySession, word: string, args: readonly string[]): Promise<void> => {
  const found = findCommand(word)
  if (found.length === 0) return session.print(ASSUMED.unknownCommand(word))
  const [command] = found
  if (!command || found.length > 1)
    return session.print(
      ASSUMED.ambiguousCommand(
        word,
        found.map(({ name }) => name),
      ),
    )
  if (!command.run) return session.print(ASSUMED.notImitated(command.name))
  const mode = session.only ? 'server' : 'global'
  if (command.mode !== 'any' && command.mode !== mode) {
    return session.print(ASSUMED.wrongMode(command.name, command.mode))
  }
  if (!fits(command, args)) return session.print(ASSUMED.commandSyntax(command.syntax))
  if (args.includes('-2fa')) return session.print(ASSUMED.twoFactorNotImitated)
  await command.run(session, args)
}

const fits = ({ arguments: [least, most] }: Command, args: readonly string[]): boolean =>
  args.length >= least && args.length <= most
