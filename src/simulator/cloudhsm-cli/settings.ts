import { readFileSync } from 'node:fs'

/** How this build of CloudHSM CLI behaves where no page says: part of the fleet's `behaviour`; and its fixed path. */
export interface CliSettings {
  /** Where the program looks for its configuration: what `/opt/cloudhsm/etc/cloudhsm-cli.cfg` is on a real machine. */
  readonly cliConfigPath: string
  readonly cliVersion: string
  readonly cliExitStatus: 'error-code' | 'zero'
  readonly cliPromptStream: 'terminal' | 'stdout' | 'stderr'
  /** Whether `--config` is an option. */
  readonly cliConfigOption: boolean
  /** Whether one HSM of the file leads to the others of its cluster. */
  readonly cliDiscovery: boolean
  /** An HSM that does not answer at the start: it is left out, or the program cannot begin. */
  readonly cliUnreachable: 'skip' | 'fail'
  /** What a login comes to that some HSMs accept and others refuse. */
  readonly cliLoginRefusedByOne: 'failure' | 'success'
  /** Whether `cluster hsm-info` leaves out an HSM whose connection was lost after the program had begun. */
  readonly cliLostInHsmInfo: 'left-out' | 'listed'
  /** Whether commands that need no login log in first where CLOUDHSM_PIN is set. */
  readonly cliReadingLogsIn: boolean
  /** How long an HSM may be silent, in milliseconds. */
  readonly cliTimeoutMs: number
  readonly ownerCertificateChecked: boolean
}

/** Variable that moves the fixed path of the configuration. */
export const CONFIG_VARIABLE = 'LOCKSTEP_SIM_CLOUDHSM_CLI_CONFIG'

/** Reads what the simulator wrote beside the wrapper that starts this program; the environment may move the fixed path. */
export const readSettings = (path: string, env: NodeJS.ProcessEnv): CliSettings => {
  const settings = JSON.parse(readFileSync(path, 'utf8')) as CliSettings
  return { ...settings, cliConfigPath: env[CONFIG_VARIABLE] || settings.cliConfigPath }
}

/** Versions in which something appeared. Source: AWS CloudHSM User Guide, client version history. */
export const SINCE = { quorum: '5.8.0', multiCluster: '5.12.0', userReplicate: '5.15.0' } as const

/** Whether the program is at least of that version. */
export const atLeast = ({ cliVersion }: Pick<CliSettings, 'cliVersion'>, version: string): boolean => {
  const [own, wanted] = [cliVersion, version].map((text) => text.split('.').map(Number))
  for (let at = 0; at < 3; at += 1) {
    const difference = (own?.[at] ?? 0) - (wanted?.[at] ?? 0)
    if (difference !== 0) return difference > 0
  }
  return true
}
