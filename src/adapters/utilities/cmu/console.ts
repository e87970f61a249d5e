import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { HsmConsole, HsmSession } from '../../../domain/hsm-console.js'
import type { RosterEntry } from '../../../domain/roster.js'
import { utilityEnvironment } from '../process/environment.js'
import { sessionFolder } from '../process/session-folder.js'
import type { SilenceLimits } from '../process/silence-limits.js'
import { startInTerminal } from '../process/terminal.js'
import { TerminalTalk } from '../process/terminal-talk.js'
import { findPrompt } from './prompts.js'
import { ManagementUtilitySession } from './session.js'
import { utilityPath } from './utility-path.js'

export interface ManagementUtilityOptions {
  /** The program; the place where AWS installs it when absent. */
  readonly path: string | undefined
  /** The configuration document that lists only these HSMs, in this order. */
  readonly configFor: (servers: readonly RosterEntry[]) => unknown
  readonly limits: SilenceLimits
  /** Where each session keeps its configuration while it lasts; the system's folder for such things when absent. */
  readonly workFolder?: string
  readonly environment: Readonly<Record<string, string | undefined>>
  readonly now: () => Date
}

/** Runs `cloudhsm_mgmt_util`, one process per session, each on a configuration of its own. */
export const managementUtility = (options: ManagementUtilityOptions): HsmConsole => {
  const path = utilityPath(options.path)
  // Awaited by the first session; without this a missing utility would be an unhandled rejection until then.
  path.catch(() => undefined)
  const env = utilityEnvironment(options.environment)
  return {
    utility: 'cmu',
    async checkCopying() {
      // Every version can.
    },
    async open(servers: readonly RosterEntry[]): Promise<HsmSession> {
      const program = await path
      const folder = sessionFolder(options.workFolder)
      const config = join(folder.path, 'session.cfg')
      await writeFile(config, JSON.stringify(options.configFor(servers), null, 2), { mode: 0o600 })
      let session: ManagementUtilitySession | null = null
      try {
        const terminal = startInTerminal(program, [config], { cwd: folder.path, env })
        const talk = new TerminalTalk(terminal, { now: options.now(), findPrompt })
        session = new ManagementUtilitySession(talk, servers, options.limits, folder.remove)
        await session.start()
        return session
      } catch (error) {
        if (session === null) await folder.remove()
        else await session.close()
        throw error
      }
    },
  }
}
