import type { HsmRequest } from '../hsm/requests.js'
import { type HsmReply, type HsmStatus, STATUS } from '../hsm/status.js'
import { ConnectionFailed, ConnectionLost, HsmLine } from '../wire/hsm-line.js'
import { CLIENT_PORT, type Hello } from '../wire/messages.js'
import { PlainError } from './answer.js'
import type { ConfiguredCluster } from './config.js'
import { type Role, typesOf } from './roles.js'
import type { CliSettings } from './settings.js'
import { TEXTS } from './texts.js'

/** Code that stands for a line that broke or fell silent. */
const LOST: HsmStatus = { code: -1, text: TEXTS.disconnected }
export const isLost = ({ code }: HsmStatus): boolean => code === LOST.code

/** Codes that mean: no user of that name and type. */
const UNKNOWN: readonly number[] = [STATUS.noSuchUser.code, STATUS.unknownUser.code]

/** A line to one HSM. */
export type Line = Pick<HsmLine, 'hello' | 'request' | 'close'>

/** Opens a line; null where nobody answers or the end-to-end channel does not come about. */
export type LineTo = (hostname: string, port: number, timeoutMs: number) => Promise<Line | null>

/** The program's lines to the HSMs of one cluster, and who is logged in through them. */
export class ClusterConnection {
  user: { readonly username: string; readonly role: Role } | null = null
  readonly #lines: readonly Line[]
  readonly #lost = new Set<Line>()
  readonly #timeoutMs: number

  private constructor(lines: readonly Line[], timeoutMs: number) {
    this.#lines = lines
    this.#timeoutMs = timeoutMs
  }

  /**
   * Connects to the HSMs of the file and, by discovery, to the others that are up in the cluster.
   * @throws {PlainError} none answers, or one does not and that counts
   */
  static async open({ servers }: ConfiguredCluster, settings: CliSettings, lineTo: LineTo): Promise<ClusterConnection> {
    const attempt = async (hostname: string, port: number): Promise<Line | null> => {
      const line = await lineTo(hostname, port, settings.cliTimeoutMs)
      if (!line && settings.cliUnreachable === 'fail') throw new PlainError(TEXTS.cannotConnect)
      return line
    }
    const listed = await Promise.all(servers.map(({ hostname, port }) => attempt(hostname, port)))
    const known = new Set(servers.map(({ hostname }) => hostname))
    const peers = settings.cliDiscovery ? listed.flatMap((line) => line?.hello.peers ?? []) : []
    const others = [...new Set(peers)].filter((hostname) => !known.has(hostname))
    const discovered = await Promise.all(others.map((hostname) => attempt(hostname, CLIENT_PORT)))
    const lines = [...listed, ...discovered].filter((line) => line !== null)
    if (lines.length === 0) throw new PlainError(TEXTS.cannotConnect)
    return new ClusterConnection(lines, settings.cliTimeoutMs)
  }

  /** What the HSMs said about themselves when they were connected to. */
  hellos(ofLost: CliSettings['cliLostInHsmInfo']): readonly Hello[] {
    return this.#lines.filter((line) => ofLost === 'listed' || !this.#lost.has(line)).map(({ hello }) => hello)
  }

  /** Asks every HSM at once. A line that breaks, or is silent too long, reads as a refusal and stays lost. */
  ask<T extends object>(request: HsmRequest): Promise<HsmReply<T>[]> {
    return Promise.all(this.#lines.map((line) => this.#askOne<T>(line, request)))
  }

  /** The same about a user of a role: each HSM is asked for the type under which it knows the name. */
  askAs<T extends object>(role: Role, request: (type: string) => HsmRequest): Promise<HsmReply<T>[]> {
    return Promise.all(
      this.#lines.map(async (line) => {
        let first: HsmReply<T> | null = null
        for (const type of typesOf(role)) {
          const reply = await this.#askOne<T>(line, request(type))
          if (reply.ok || !UNKNOWN.includes(reply.status.code)) return reply
          first ??= reply
        }
        return first ?? { ok: false, status: STATUS.noSuchUser }
      }),
    )
  }

  /** Asks the first HSM alone. */
  async askFirst<T extends object>(request: HsmRequest): Promise<HsmReply<T>> {
    const [line] = this.#lines
    return line ? this.#askOne<T>(line, request) : { ok: false, status: LOST }
  }

  close(): void {
    for (const line of this.#lines) line.close()
  }

  async #askOne<T extends object>(line: Line, request: HsmRequest): Promise<HsmReply<T>> {
    const timer = setTimeout(() => line.close(), this.#timeoutMs)
    try {
      return await line.request<T>(request)
    } catch (error) {
      if (error instanceof ConnectionLost) {
        this.#lost.add(line)
        return { ok: false, status: LOST }
      }
      throw error
    } finally {
      clearTimeout(timer)
    }
  }
}

/** Lines over the network. */
export const lineTo: LineTo = async (hostname, port, timeoutMs) => {
  try {
    const line = await HsmLine.connect(hostname, port, timeoutMs)
    if (!line.hello.limited) return line
    line.close()
    return null
  } catch (error) {
    if (error instanceof ConnectionFailed) return null
    throw error
  }
}
