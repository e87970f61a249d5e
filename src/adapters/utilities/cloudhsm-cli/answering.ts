import { connect } from 'node:net'
import pLimit from 'p-limit'
import { ConsoleFailure } from '../../../domain/hsm-console.js'
import type { ClusterId } from '../../../domain/ids.js'
import type { RosterEntry } from '../../../domain/roster.js'
import type { SerialObservation } from '../../../domain/serial-numbers.js'
import { TalkBroken } from '../process/terminal-talk.js'
import type { CliCommand, Conversation } from './conversation.js'
import { parseHsmInfo } from './screens/hsm-info.js'

/** The port the program connects to. Source: AWS CloudHSM User Guide, `choose-client-sdk`. */
const PORT = 2223
const PATIENCE_MS = 3_000

/** Those of `servers` that take no connection within three seconds; asked all at once. */
export const notAnswering = async (servers: readonly RosterEntry[]): Promise<readonly RosterEntry[]> => {
  const answers = await Promise.all(servers.map(({ eniIp }) => takesConnection(eniIp)))
  return servers.filter((_, index) => answers[index] === false)
}

/** The serial numbers that the program shows which knows the address of one HSM alone; null where it shows none. */
export type AskAlone = (server: RosterEntry) => Promise<readonly string[] | null>

/** Shows the HSMs of a cluster that the program is connected to. */
export const infoCommand = (clusterId: ClusterId): CliCommand => ({
  words: ['cluster', 'hsm-info', '--cluster-id', clusterId],
})

/** Asks a program that was started on one HSM alone, and ends it. */
export const shownAlone = async (
  conversation: Conversation,
  { clusterId }: RosterEntry,
): Promise<readonly string[] | null> => {
  try {
    await conversation.begin()
    return await conversation.read(infoCommand(clusterId).words, parseHsmInfo)
  } catch (error) {
    if (error instanceof TalkBroken || error instanceof ConsoleFailure) return null
    throw error
  } finally {
    await conversation.close()
  }
}

/** An HSM that was asked alone, and what the program showed then. */
export interface AnsweredAlone {
  readonly server: RosterEntry
  readonly serials: readonly string[]
}

/** So many programs at once: each of them takes connections of the cluster, of which its applications need some. */
const PROGRAMS = 6

/** Those of `servers` through which the program shows any HSM. Another one is found through it alone, so it answers. */
export const answeringAlone = async (
  servers: readonly RosterEntry[],
  askAlone: AskAlone,
): Promise<readonly AnsweredAlone[]> => {
  const limit = pLimit(PROGRAMS)
  const asked = await Promise.all(
    servers.map((server) => limit(async () => ({ server, serials: (await askAlone(server)) ?? [] }))),
  )
  return asked.filter(({ serials }) => serials.length > 0)
}

/**
 * What they showed is what they are where there are as many numbers as there are HSMs that answer: each of them is among
 * those shown.
 */
export const observedAlone = (clusterId: ClusterId, answered: readonly AnsweredAlone[]): SerialObservation | null => {
  const serials = [...new Set(answered.flatMap((one) => one.serials))].sort()
  if (answered.length === 0 || serials.length !== answered.length) return null
  return { clusterId, hsmIds: answered.map(({ server }) => server.hsmId), serials }
}

const takesConnection = (host: string): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect({ host, port: PORT, timeout: PATIENCE_MS })
    const settle = (answer: boolean) => (): void => {
      socket.destroy()
      resolve(answer)
    }
    socket.once('connect', settle(true)).once('timeout', settle(false)).on('error', settle(false))
  })
