import type { CloudHsmCliOptions } from '../../src/adapters/utilities/cloudhsm-cli/console.js'
import { cloudHsmCli } from '../../src/adapters/utilities/cloudhsm-cli/console.js'
import { CLI_DEFAULTS, type CliConfigDocument, deriveCliSessionConfig } from '../../src/domain/cli-config.js'
import { ConsoleFailure, type HsmConsole } from '../../src/domain/hsm-console.js'
import type { ClusterId, EniIp, HsmId, RegionName, ServerId } from '../../src/domain/ids.js'
import type { Roster, RosterEntry } from '../../src/domain/roster.js'
import type { RunningFleet } from './simulator.js'

/** The HSMs of a simulator as a roster; its first cluster is the source. */
export const rosterOfFleet = async (sim: RunningFleet): Promise<Roster> => {
  const { hsms } = await sim.state()
  return hsms.map(({ hsmId, eniIp, clusterId, region }, index) => ({
    serverId: index as ServerId,
    hsmId: hsmId as HsmId,
    eniIp: eniIp as EniIp,
    clusterId: clusterId as ClusterId,
    region: region as RegionName,
    role: clusterId === hsms[0]?.clusterId ? 'source' : 'destination',
  }))
}

/** A configuration that lists all of a roster. */
export const cliDocument = (roster: Roster): CliConfigDocument =>
  deriveCliSessionConfig({ clusters: [], logging: CLI_DEFAULTS.logging }, roster)

/** The real adapter on a program. */
export const consoleOn = (path: string, roster: Roster, more: Partial<CloudHsmCliOptions> = {}): HsmConsole =>
  cloudHsmCli({
    path,
    fixedConfig: undefined,
    configFor: (servers: readonly RosterEntry[]) => deriveCliSessionConfig(cliDocument(roster), servers),
    roster,
    limits: { startupMs: 20_000, commandMs: 20_000, goodbyeMs: 5_000 },
    environment: { PATH: process.env['PATH'], CLOUDHSM_PIN: 'admin:TEST-SECRET-environment' },
    now: () => new Date(),
    ...more,
  })

/** The `ConsoleFailure` that `work` ends with; fails the test when it ends otherwise. */
export const consoleFailureOf = async (work: Promise<unknown>): Promise<ConsoleFailure> => {
  const error = await work.then(
    () => new Error('a ConsoleFailure was expected'),
    (thrown: unknown) => thrown,
  )
  if (error instanceof ConsoleFailure) return error
  throw error
}

/** Waits until a process of this machine is gone. */
export const gone = async (pid: number): Promise<void> => {
  for (;;) {
    try {
      process.kill(pid, 0)
    } catch {
      return
    }
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}
