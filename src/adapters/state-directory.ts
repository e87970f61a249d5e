import { homedir } from 'node:os'
import { isAbsolute, join, resolve } from 'node:path'

/**
 * Folder for everything that outlives one invocation: `LOCKSTEP_STATE_DIR`, else `lockstep` below the XDG state
 * directory. It is not created here. A relative `XDG_STATE_HOME` is ignored, as the XDG specification demands.
 */
export const stateDirectory = (env: NodeJS.ProcessEnv = process.env): string => {
  const own = env['LOCKSTEP_STATE_DIR']
  if (own) return resolve(own)
  const xdg = env['XDG_STATE_HOME']
  return join(xdg && isAbsolute(xdg) ? xdg : join(homedir(), '.local', 'state'), 'lockstep')
}
