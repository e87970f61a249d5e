import { chmod, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { projectPath } from './lockstep.js'

/** What the scripted utility does next; see `fixtures/utilities/scripted.mjs`. */
export type ScriptStep = {
  say?: string
  bytes?: string
  split?: string
  hear?: string
  echo?: boolean
  exit?: number
  stuck?: boolean
}

/** Makes an executable in `folder` that runs the scripted utility. @returns its path */
export const scriptedUtility = async (folder: string): Promise<string> => {
  const path = join(folder, 'utility.sh')
  const script = projectPath('fixtures/utilities/scripted.mjs')
  await writeFile(path, `#!/bin/sh\nexec ${process.execPath} ${script} "$@"\n`)
  await chmod(path, 0o755)
  return path
}

export const PROMPT = 'aws-cloudhsm>'

/** It connects to this one HSM and says which it is. */
export const openingOf = ({ hsmId, eniIp }: { hsmId: string; eniIp: string }): ScriptStep[] => [
  { say: `Connected to server '${eniIp}': hostname '${eniIp}', port 2225.\n${PROMPT}` },
  { hear: '^info server 0$' },
  { say: `0\t${eniIp}\t${eniIp}  2225 Connected  ${hsmId} Not logged in\n${PROMPT}` },
]

/** It lists these crypto users. */
export const listingOf = ({ eniIp }: { eniIp: string }, names: readonly string[]): ScriptStep[] => [
  { hear: '^listUsers$' },
  {
    say: `${[
      `Users on server 0(${eniIp}):`,
      `Number of users found:${names.length}`,
      ...names.map((name, index) => `  ${index + 1}   CU   ${name}   NO   0   NO`),
    ].join('\r\n')}\r\n\r\n${PROMPT}`,
  },
]
