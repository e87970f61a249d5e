import { createServer, type Server, type Socket } from 'node:net'
import type { Hsm } from '../hsm/hsm.js'
import type { Operation } from '../hsm/requests.js'
import type { User } from '../hsm/user.js'
import { CLIENT_PORT, MANAGEMENT_PORT } from '../wire/messages.js'
import { serveConnection } from './hsm-connection.js'
import { LineFaults } from './line-faults.js'
import { listen } from './listen.js'
import { OperationQueue } from './operation-queue.js'

/** What an appliance is made of. */
export interface ApplianceParts {
  readonly hsmId: string
  readonly clusterId: string
  readonly region: string
  /** `FIPS`, `NON_FIPS`, or null on old clusters. */
  readonly mode: string | null
  readonly eniIp: string
  readonly state: string
  readonly hsm: Hsm
  /** Its users as they were when the simulator started: what a backup of then would bring back. */
  readonly original: readonly Readonly<User>[]
  readonly latencyMs: Readonly<Record<Operation, number>>
  /** Addresses of the HSMs that are up in its cluster. */
  readonly peers: () => readonly string[]
}

/** One HSM as a thing on the network: an address, two ports, connections, and what can be wrong with them. */
export class Appliance {
  /** The ID it had at start: how the fault command keeps finding it. */
  readonly slot: string
  /** The ID it says it has. */
  hsmId: string
  /** The ID AWS reports for its address. */
  reportedId: string
  /** The state AWS reports. */
  state: string
  readonly clusterId: string
  readonly region: string
  readonly eniIp: string
  readonly mode: string | null
  readonly hsm: Hsm
  readonly original: readonly Readonly<User>[]
  readonly latencyMs: Readonly<Record<Operation, number>>
  readonly peers: () => readonly string[]
  readonly faults = new LineFaults()
  readonly queue = new OperationQueue()
  readonly #connections = new Set<Socket>()
  readonly #ports: readonly number[]
  #servers: Server[] = []

  constructor(parts: ApplianceParts) {
    this.slot = parts.hsmId
    this.hsmId = parts.hsmId
    this.reportedId = parts.hsmId
    this.state = parts.state
    this.clusterId = parts.clusterId
    this.region = parts.region
    this.eniIp = parts.eniIp
    this.mode = parts.mode
    this.peers = parts.peers
    this.hsm = parts.hsm
    this.original = parts.original
    this.latencyMs = parts.latencyMs
    // The utility of Client SDK 3 does not speak to hsm2m.medium.
    this.#ports = parts.hsm.hsmType === 'hsm2m.medium' ? [CLIENT_PORT] : [CLIENT_PORT, MANAGEMENT_PORT]
  }

  /** Whether an HSM in the state that AWS reports takes connections. */
  get up(): boolean {
    return this.state === 'ACTIVE' || this.state === 'DEGRADED'
  }

  /** Starts listening, where an HSM in this state would. */
  async attach(): Promise<void> {
    if (this.#servers.length > 0 || !this.up) return
    this.#servers = await Promise.all(this.#ports.map((port) => listen(createServer(this.#accept), this.eniIp, port)))
  }

  /** Stops listening and cuts every connection; resolves when the ports are closed. */
  async detach(): Promise<void> {
    const servers = this.#servers
    this.#servers = []
    const closed = servers.map((server) => new Promise<void>((resolve) => server.close(() => resolve())))
    this.cut()
    await Promise.all(closed)
  }

  /** Cuts every connection. */
  cut(): void {
    for (const socket of this.#connections) socket.destroy()
  }

  readonly #accept = (socket: Socket): void => {
    this.#connections.add(socket)
    socket.on('close', () => this.#connections.delete(socket))
    // A client that goes away in the middle is no news.
    socket.on('error', () => undefined)
    serveConnection(this, socket)
  }
}
