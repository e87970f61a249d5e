import { type AskAlone, shownAlone } from '../../src/adapters/utilities/cloudhsm-cli/answering.js'
import { Conversation } from '../../src/adapters/utilities/cloudhsm-cli/conversation.js'
import { type CliProgram, requireSince, versionIn } from '../../src/adapters/utilities/cloudhsm-cli/program.js'
import {
  type ClusterPart,
  clusterParts,
  SerialNumbers,
} from '../../src/adapters/utilities/cloudhsm-cli/roster-proof.js'
import { CloudHsmCliSession } from '../../src/adapters/utilities/cloudhsm-cli/session.js'
import type { HsmConsole, HsmSession } from '../../src/domain/hsm-console.js'
import type { EniIp } from '../../src/domain/ids.js'
import type { Roster, RosterEntry } from '../../src/domain/roster.js'
import type { CliSettings } from '../../src/simulator/cloudhsm-cli/settings.js'
import { DirectProgram } from './cloudhsm-cli-program.js'
import { DirectTerminal } from './cloudhsm-cli-terminal.js'
import { isAway } from './fleet.js'
import type { CliReadings } from './fleet-arbitrary.js'
import { COMMAND_MS, type Invocation } from './invocation.js'

const LIMITS = { startupMs: COMMAND_MS, commandMs: COMMAND_MS, goodbyeMs: 1_000 }
const PORT = 2223

/**
 * cloudhsm-cli: the real adapter above a terminal that is none, and the simulated program below it, whose lines lead
 * straight to the HSMs.
 * @param roster every HSM that may be spoken to
 */
export const cloudHsmCliOf = (invocation: Invocation, roster: Roster): HsmConsole => {
  const { cli, fleet, witness } = invocation.world
  const program: CliProgram = {
    path: 'cloudhsm-cli',
    version: versionIn(cli.cliVersion),
    configOption: cli.cliConfigOption ? 'after-interactive' : null,
  }
  const serialNumbers = new SerialNumbers()
  const known = new Map(roster.map((server) => [server.hsmId, server]))
  return {
    utility: 'cloudhsm-cli',
    checkCopying: async () => requireSince(program, 'user replicate'),
    open: async (servers): Promise<HsmSession> => {
      witness.isInRoster(servers)
      for (const server of servers) {
        // An address is one HSM's: the one that had it before is gone.
        for (const [hsmId, { eniIp }] of known) if (eniIp === server.eniIp) known.delete(hsmId)
        known.set(server.hsmId, server)
      }
      const clusters = partsOf(servers, [...known.values()], cli)
      const struck = invocation.struckBy('no-connection')
      const unlucky = struck === null ? undefined : servers[struck.hsm % servers.length]
      const deaf = unlucky === undefined ? [] : [unlucky.eniIp]
      const start = (parts: readonly Pick<ClusterPart, 'clusterId' | 'listed'>[]) => {
        const configured = parts.map(({ clusterId, listed }) => ({
          clusterId,
          servers: listed.map(({ eniIp }) => ({ hostname: eniIp, port: PORT })),
        }))
        return new DirectProgram(invocation, { clusters: configured, settings: settingsOf(cli), deaf })
      }
      const direct = start(clusters)
      const terminal = await invocation.call(() => new DirectTerminal(invocation, direct), { looks: true })
      const conversation = new Conversation(terminal, servers, LIMITS, async () => undefined)
      const notAnswering = async (asked: readonly RosterEntry[]) =>
        asked.filter(({ eniIp }) => deaf.includes(eniIp) || isGone(eniIp))
      const askAlone: AskAlone = async (server) => {
        const alone = new DirectTerminal(invocation, start([{ clusterId: server.clusterId, listed: [server] }]))
        return shownAlone(new Conversation(alone, [server], LIMITS, async () => undefined), server)
      }
      const session = new CloudHsmCliSession({
        terminal,
        conversation,
        program,
        clusters,
        serialNumbers,
        notAnswering,
        askAlone: cli.cliConfigOption ? askAlone : null,
      })
      try {
        await session.start()
        direct.proved = session.hsmIds
        return session
      } catch (error) {
        await conversation.close()
        throw error
      }
    },
  }

  function isGone(eniIp: EniIp): boolean {
    const appliance = fleet.at(eniIp)
    return appliance === undefined || isAway(appliance)
  }
}

/** A file that is fixed leads to all HSMs of a cluster, whichever were asked for. */
const partsOf = (servers: readonly RosterEntry[], roster: Roster, cli: CliReadings): readonly ClusterPart[] => {
  const parts = clusterParts(servers, roster)
  return cli.cliConfigOption ? parts : parts.map((part) => ({ ...part, listed: part.whole }))
}

const settingsOf = (cli: CliReadings): CliSettings => ({
  ...cli,
  cliConfigPath: '',
  cliExitStatus: 'error-code',
  cliPromptStream: 'terminal',
  cliReadingLogsIn: false,
  cliTimeoutMs: 87_200,
  ownerCertificateChecked: false,
})
