import { connect, type Socket } from 'node:net'
import type { HsmReply } from '../hsm/status.js'
import { readLines, sendLine } from './lines.js'
import type { Hello, HsmRequest } from './messages.js'

/** The connection to an HSM ended before it answered. */
export class ConnectionLost extends Error {
  override readonly name = 'ConnectionLost'
}

/** No connection came about; the message is the system's reason, as a program prints it. */
export class ConnectionFailed extends Error {
  override readonly name = 'ConnectionFailed'
}

const REASONS: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'Connection refused',
  ECONNRESET: 'Connection reset by peer',
  EHOSTUNREACH: 'No route to host',
  ENETUNREACH: 'Network is unreachable',
  ETIMEDOUT: 'Connection timed out',
  ENOTFOUND: 'Name or service not known',
}

/** One open connection: one request at a time. */
export class HsmLine {
  readonly #socket: Socket
  #waiting: { resolve: (reply: unknown) => void; reject: (error: Error) => void } | null = null
  #open = true
  hello: Hello = { hsmId: '', limited: false, hsmType: '', mode: null, peers: [] }

  private constructor(socket: Socket) {
    this.#socket = socket
    socket.on('error', () => undefined)
    socket.on('close', () => {
      this.#open = false
      this.#waiting?.reject(new ConnectionLost())
      this.#waiting = null
    })
    readLines(socket, (line) => {
      const waiting = this.#waiting
      this.#waiting = null
      waiting?.resolve(JSON.parse(line))
    })
  }

  get open(): boolean {
    return this.#open
  }

  /** @throws {ConnectionFailed} refused, lost, or nothing heard for `timeoutMs` milliseconds */
  static async connect(hostname: string, port: number, timeoutMs: number): Promise<HsmLine> {
    const socket = connect({ host: hostname, port })
    let reason = 'ECONNRESET'
    socket.on('error', (error: NodeJS.ErrnoException) => {
      reason = error.code ?? reason
    })
    const timer = setTimeout(() => {
      reason = 'ETIMEDOUT'
      socket.destroy()
    }, timeoutMs)
    const line = new HsmLine(socket)
    try {
      line.hello = (await line.#answer()) as Hello
      return line
    } catch {
      throw new ConnectionFailed(REASONS[reason] ?? reason)
    } finally {
      clearTimeout(timer)
    }
  }

  /** @throws {ConnectionLost} */
  async request<T extends object>(request: HsmRequest): Promise<HsmReply<T>> {
    if (!this.#open) throw new ConnectionLost()
    sendLine(this.#socket, request)
    return (await this.#answer()) as HsmReply<T>
  }

  close(): void {
    this.#socket.destroy()
  }

  #answer(): Promise<unknown> {
    return new Promise((resolve, reject) => {
      this.#waiting = { resolve, reject }
    })
  }
}
