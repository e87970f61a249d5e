import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { HsmConsole, HsmSession } from '../../domain/hsm-console.js'
import type { RosterEntry } from '../../domain/roster.js'
import { Conversation } from './conversation.js'
import { ManagementUtilitySession, type SilenceLimits } from './session.js'
import { sessionFolder } from './session-folder.js'
import { startInTerminal } from './terminal.js'
import { utilityPath } from './utility-path.js'

/** What the utility sees of our environment: enough to run, nothing that could hold a credential. */
const PASSED_ON = ['PATH', 'HOME', 'USER', 'LOGNAME', 'LANG', 'LC_ALL', 'LC_CTYPE', 'TZ', 'LD_LIBRARY_PATH', 'TMPDIR']

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
  const env: Record<string, string> = { TERM: 'dumb' }
  for (const name of PASSED_ON) {
    const value = options.environment[name]
    if (value !== undefined) env[name] = value
  }
  return {
    async open(servers: readonly RosterEntry[]): Promise<HsmSession> {
      const program = await path
      const folder = sessionFolder(options.workFolder)
      const config = join(folder.path, 'session.cfg')
      await writeFile(config, JSON.stringify(options.configFor(servers), null, 2), { mode: 0o600 })
      let session: ManagementUtilitySession | null = null
      try {
        const terminal = startInTerminal(program, [config], { cwd: folder.path, env })
        const talk = new Conversation(terminal, { now: options.now() })
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
