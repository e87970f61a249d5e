import { readFileSync } from 'node:fs'

/** How this build of the utility looks and behaves where transcripts differ or are silent: part of the fleet's `behaviour`. */
export interface UtilitySettings {
  readonly unreachableEndsUtility: boolean
  /** How long a connection attempt may take, in milliseconds. */
  readonly connectTimeoutMs: number
  readonly promptStyle: 'compact' | 'spaced' | 'wide'
  readonly successLines: boolean
  readonly e2eLines: boolean
  readonly ignoringE2eLine: boolean
  readonly modeText: 'E2' | 'E2E'
  readonly cautionWording: 'aws' | 'cav'
  readonly cautionBlankLine: boolean
  readonly createUserWording: 'command' | 'sentence'
  readonly syncUserWording: 'aws' | 'sibling'
  readonly syncRefusalLine: boolean
  /** Whether the officer at the destination has to be the one at the source. */
  readonly syncUserOfficers: 'any' | 'same'
  readonly ownerCertificateChecked: boolean
}

/** Reads what the simulator wrote beside the wrapper that starts this program. */
export const readSettings = (path: string): UtilitySettings => JSON.parse(readFileSync(path, 'utf8')) as UtilitySettings
