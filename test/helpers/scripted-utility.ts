import { chmod, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { UtilityName } from '../../src/domain/utility/utility.js'
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
export const scriptedUtility = async (folder: string, utility: UtilityName = 'cmu'): Promise<string> => {
  const path = join(folder, 'utility.sh')
  const script = `exec ${process.execPath} ${projectPath('fixtures/utilities/scripted.mjs')} "$@"`
  const lines =
    utility === 'cmu'
      ? [script]
      : [
          'case "$*" in',
          '--version) echo "cloudhsm-cli 5.17.1";;',
          '*--help) echo "  --config <CONFIG>";;',
          `*) ${script};;`,
          'esac',
        ]
  await writeFile(path, `${['#!/bin/sh', ...lines].join('\n')}\n`)
  await chmod(path, 0o755)
  return path
}

/** An HSM that a scripted utility speaks of. */
export interface ScriptedHsm {
  readonly hsmId: string
  readonly eniIp: string
}

/** How a utility says what tests want it to say. */
export interface UtilityScript {
  readonly prompt: string
  /** It connects to this one HSM and says which it is. */
  opening(server: ScriptedHsm): ScriptStep[]
  /** It lists these crypto users. */
  listing(server: ScriptedHsm, names: readonly string[]): ScriptStep[]
  /** A login of a crypto user, up to the question for the password. */
  login(name: string): ScriptStep[]
  /** A login that failed for a reason that says nothing about the password; what comes between its lines is kept. */
  failedLogin(words: string): string
}

const CMU_PROMPT = 'aws-cloudhsm>'
const CLI_PROMPT = 'aws-cloudhsm > '

const cliAnswer = (data: unknown, code = 0): string =>
  `${JSON.stringify({ error_code: code, data }, null, 2)}\n${CLI_PROMPT}`

export const SCRIPTS: Readonly<Record<UtilityName, UtilityScript>> = {
  cmu: {
    prompt: CMU_PROMPT,
    opening: ({ hsmId, eniIp }) => [
      { say: `Connected to server '${eniIp}': hostname '${eniIp}', port 2225.\n${CMU_PROMPT}` },
      { hear: '^info server 0$' },
      { say: `0\t${eniIp}\t${eniIp}  2225 Connected  ${hsmId} Not logged in\n${CMU_PROMPT}` },
    ],
    listing: ({ eniIp }, names) => [
      { hear: '^listUsers$' },
      {
        say: `${[
          `Users on server 0(${eniIp}):`,
          `Number of users found:${names.length}`,
          ...names.map((name, index) => `  ${index + 1}   CU   ${name}   NO   0   NO`),
        ].join('\r\n')}\r\n\r\n${CMU_PROMPT}`,
      },
    ],
    login: (name) => [{ hear: `^loginHSM CU ${name} -hpswd$` }, { say: 'Enter password:' }],
    failedLogin: (words) => `\nloginHSM failed: ${words}\n${CMU_PROMPT}`,
  },
  'cloudhsm-cli': {
    prompt: CLI_PROMPT,
    opening: ({ hsmId }) => [
      { say: CLI_PROMPT },
      { hear: '^cluster hsm-info --cluster-id cluster-' },
      { say: cliAnswer({ hsms: [{ 'serial-number': `serial of ${hsmId}` }] }) },
    ],
    listing: (_server, names) => [
      { hear: '^user list' },
      {
        say: cliAnswer({
          users: names.map((username) => ({
            username,
            role: 'crypto-user',
            locked: 'false',
            mfa: [],
            quorum: [],
            'cluster-coverage': 'full',
          })),
        }),
      },
    ],
    login: (name) => [{ hear: `^login --username ${name} --role crypto-user` }, { say: 'Enter password:' }],
    failedLogin: (words) => `\n${cliAnswer(`Login failed on 1 of 1 connections: ${words}`, 1)}`,
  },
}
