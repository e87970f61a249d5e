import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { HsmConsole, HsmSession } from '../../../domain/hsm-console.js'
import type { RosterEntry } from '../../../domain/roster.js'
import { utilityEnvironment } from '../process/environment.js'
import { outlivingTerminal } from '../process/outliving.js'
import { type SessionFolder, sessionFolder } from '../process/session-folder.js'
import type { SilenceLimits } from '../process/silence-limits.js'
import { startInTerminal } from '../process/terminal.js'
import { TerminalTalk } from '../process/terminal-talk.js'
import { type AskAlone, notAnswering, shownAlone } from './answering.js'
import { DEFAULT_CLI_CONFIG } from './cli-path.js'
import { Conversation } from './conversation.js'
import { requireFixedConfig } from './fixed-config.js'
import { type CliProgram, inspectProgram, requireSince } from './program.js'
import { findCliPrompt } from './prompts.js'
import { type ClusterPart, clusterParts, SerialNumbers } from './roster-proof.js'
import { CloudHsmCliSession } from './session.js'

/**
 * How long this program may be silent. It tries again inside, and an operation that was blocked was measured to answer
 * after 87 s.
 */
export const CLI_SILENCE_MS = { startupMs: 180_000, commandMs: 180_000 } as const

export interface CloudHsmCliOptions {
  /** The program; the place where AWS installs it when absent. */
  readonly path: string | undefined
  /** What the program reads if it cannot be told another file; the place AWS documents when absent. */
  readonly fixedConfig: string | undefined
  /** The configuration document that lists only these HSMs. */
  readonly configFor: (servers: readonly RosterEntry[]) => unknown
  /** Every HSM of every cluster. */
  readonly roster: readonly RosterEntry[]
  readonly limits: SilenceLimits
  /** Where each session keeps its configuration while it lasts; the system's folder for such things when absent. */
  readonly workFolder?: string
  readonly environment: Readonly<Record<string, string | undefined>>
  readonly now: () => Date
}

/**
 * Runs `cloudhsm-cli` in its interactive mode, one process per session, each on a configuration of its own where the
 * program takes one. A session opened on one HSM reaches the whole cluster where the program finds the others.
 * A process outlives this one until the command it was given is over; then it reads the end of its input and ends.
 */
export const cloudHsmCli = (options: CloudHsmCliOptions): HsmConsole => {
  const env = utilityEnvironment(options.environment)
  const inspected = inspectProgram(options.path, env)
  // Awaited by the first session; without this a missing program would be an unhandled rejection until then.
  inspected.catch(() => undefined)
  const serialNumbers = new SerialNumbers()
  // HSMs that AWS reported since are asked for before anybody is alone with one of them.
  const known = new Map(options.roster.map((server) => [server.hsmId, server]))
  return {
    utility: 'cloudhsm-cli',
    async checkCopying() {
      requireSince(await inspected, 'user replicate')
    },
    async open(servers: readonly RosterEntry[]): Promise<HsmSession> {
      const program = await inspected
      requireSince(program, 'the choice of a cluster')
      for (const server of servers) {
        // An address is one HSM's: the one that had it before is gone.
        for (const [hsmId, { eniIp }] of known) {
          if (eniIp === server.eniIp && hsmId !== server.hsmId) known.delete(hsmId)
        }
        known.set(server.hsmId, server)
      }
      const clusters = await partsFor(program, { ...options, roster: [...known.values()] }, servers)
      const start = { program, options, env }
      const askAlone = program.configOption === null ? null : askingAlone(start)
      const { terminal, conversation } = await startTalk(start, servers)
      try {
        const parts = { terminal, conversation, program, clusters, serialNumbers, notAnswering, askAlone }
        const session = new CloudHsmCliSession(parts)
        await session.start()
        return session
      } catch (error) {
        await conversation.close()
        throw error
      }
    },
  }
}

interface Start {
  readonly program: CliProgram
  readonly options: CloudHsmCliOptions
  readonly env: Readonly<Record<string, string>>
}

/** Starts the program on these HSMs. Closing the conversation removes what it was given. */
const startTalk = async ({ program, options, env }: Start, servers: readonly RosterEntry[]) => {
  const folder = sessionFolder(options.workFolder)
  try {
    const config = await sessionConfig(folder, program, options.configFor(servers))
    const { file, args } = outlivingTerminal(program.path, interactive(program, config, servers))
    const started = startInTerminal(file, args, { cwd: folder.path, env })
    const terminal = new TerminalTalk(started, { now: options.now(), findPrompt: findCliPrompt })
    return { terminal, conversation: new Conversation(terminal, servers, options.limits, folder.remove) }
  } catch (error) {
    await folder.remove()
    throw error
  }
}

/** A program of its own for the question, that is told no other address. */
const askingAlone =
  (start: Start): AskAlone =>
  async (server) => {
    const { conversation } = await startTalk(start, [server])
    return shownAlone(conversation, server)
  }

/** What the session is about. A file that is fixed leads to all HSMs of a cluster, whichever were asked for. */
const partsFor = async (
  { configOption }: CliProgram,
  { fixedConfig = DEFAULT_CLI_CONFIG, roster }: CloudHsmCliOptions,
  servers: readonly RosterEntry[],
): Promise<readonly ClusterPart[]> => {
  const parts = clusterParts(servers, roster)
  if (configOption !== null) return parts
  await requireFixedConfig(fixedConfig, parts)
  return parts.map((part) => ({ ...part, listed: part.whole }))
}

/** Writes the session's own configuration, where the program takes one. */
const sessionConfig = async (folder: SessionFolder, program: CliProgram, document: unknown): Promise<string | null> => {
  if (program.configOption === null) return null
  const path = join(folder.path, 'session.cfg')
  await writeFile(path, JSON.stringify(document, null, 2), { mode: 0o600 })
  return path
}

/** Arguments of the interactive mode. No password is among them: they are typed at prompts. */
const interactive = (
  { configOption }: CliProgram,
  config: string | null,
  [first]: readonly RosterEntry[],
): readonly string[] => {
  const own = config === null ? [] : ['--config', config]
  const words = ['interactive', '--cluster-id', first?.clusterId ?? '']
  return configOption === 'before-interactive' ? [...own, ...words] : [...words, ...own]
}
