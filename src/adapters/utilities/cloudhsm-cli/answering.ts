import { connect } from 'node:net'
import type { RosterEntry } from '../../../domain/roster.js'

/** The port the program connects to. Source: AWS CloudHSM User Guide, `choose-client-sdk`. */
const PORT = 2223
const PATIENCE_MS = 3_000

/** Those of `servers` that take no connection within three seconds; asked all at once. */
export const notAnswering = async (servers: readonly RosterEntry[]): Promise<readonly RosterEntry[]> => {
  const answers = await Promise.all(servers.map(({ eniIp }) => takesConnection(eniIp)))
  return servers.filter((_, index) => answers[index] === false)
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
