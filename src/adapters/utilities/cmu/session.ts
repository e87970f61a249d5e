import {
  type Answer,
  type Answers,
  ConsoleFailure,
  type ConsoleFailureKind,
  type CopiedUser,
  type HsmSession,
  type UtilityProcess,
} from '../../../domain/hsm-console.js'
import type { HsmUser, HsmUserRef } from '../../../domain/hsm-user.js'
import type { HsmId, UnitId } from '../../../domain/ids.js'
import type { RosterEntry } from '../../../domain/roster.js'
import type { Secret } from '../../../domain/secret.js'
import { NotUnderstood } from '../process/not-understood.js'
import type { SilenceLimits } from '../process/silence-limits.js'
import { type Reply, TalkBroken, type TerminalTalk } from '../process/terminal-talk.js'
import type { FoundPrompt, PromptName } from './prompts.js'
import { parseBanner } from './screens/banner.js'
import {
  failedServers,
  hasFailure,
  parseSyncUser,
  refusalIn,
  succeededBare,
  successfulServers,
} from './screens/command-result.js'
import { parseInfoServer } from './screens/info-server.js'
import { parseListUsers } from './screens/list-users.js'
import { parseMValue, USER_MANAGEMENT } from './screens/m-value.js'

/** Of servers that were left alone because one before them did not accept. */
const NOT_ASKED: Answer = { kind: 'unclear', text: 'not asked: another HSM did not accept the login' }

/**
 * One conversation with the management utility. The server IDs here are places in the configuration of this session
 * alone: the n-th of `servers` is server n.
 */
export class ManagementUtilitySession implements HsmSession {
  readonly #terminal: TerminalTalk<FoundPrompt>
  readonly #servers: readonly RosterEntry[]
  readonly #limits: SilenceLimits
  readonly #onClosed: () => Promise<void>
  /** Once something was not understood, nothing more is said: what is heard next may be the rest of it. */
  #failed: ConsoleFailure | null = null
  /** Whether the utility waits at its global prompt, so that `quit` would be understood. */
  #atPrompt = false
  #serverMode: number | null = null

  /** @param onClosed cleans up after the process is gone */
  constructor(
    terminal: TerminalTalk<FoundPrompt>,
    servers: readonly RosterEntry[],
    limits: SilenceLimits,
    onClosed: () => Promise<void>,
  ) {
    this.#terminal = terminal
    this.#servers = servers
    this.#limits = limits
    this.#onClosed = onClosed
  }

  get process(): UtilityProcess {
    return { pid: this.#terminal.pid, startedAt: this.#terminal.startedAt }
  }

  /** Each HSM is proved by its ID. */
  readonly serials: HsmSession['serials'] = []

  get hsmIds(): readonly HsmId[] {
    return this.#servers.map((server) => server.hsmId)
  }

  /** Waits for the connections and proves the roster, before anything else is said. */
  async start(): Promise<void> {
    const { text } = await this.#listen(['global'], this.#limits.startupMs, (error) => this.#startFailure(error))
    const banner = parseBanner(text)
    if (banner.limited) {
      throw this.#failure('limited', 'the utility runs in limited commands mode: its secure channel to the HSM failed')
    }
    const missing = this.#servers.filter(
      (server) => !banner.connected.some((connected) => connected.hostname === server.eniIp),
    )
    if (missing.length > 0) throw this.#unreachable(missing)
    for (const [serverId, server] of this.#servers.entries()) await this.#proveServer(serverId, server)
  }

  async listUsers(): Promise<ReadonlyMap<HsmId, readonly HsmUser[]>> {
    await this.#leaveServerMode()
    const { verbatim } = await this.#ask('listUsers', ['global'])
    const listings = this.#understand(() => parseListUsers(verbatim))
    const byHsm = new Map<HsmId, readonly HsmUser[]>()
    for (const { serverId, label, users } of listings) byHsm.set(this.#server(serverId, label).hsmId, users)
    const silent = this.#servers.filter((server) => !byHsm.has(server.hsmId))
    if (silent.length > 0) {
      throw this.#failure('not-understood', `listUsers shows nothing for ${names(silent)}`, silent)
    }
    return byHsm
  }

  async login(user: HsmUserRef, password: Secret, on: readonly HsmId[]): Promise<Answers> {
    if (this.#servers.some(({ hsmId }) => !on.includes(hsmId))) return this.#loginOnEach(user, password, on)
    await this.#leaveServerMode()
    return this.#answers(await this.#typeLogin(user, password, 'global'), 'loginHSM')
  }

  /** In server mode, on some of the servers, one after the other; none is asked after one that did not accept. */
  async #loginOnEach(user: HsmUserRef, password: Secret, on: readonly HsmId[]): Promise<Answers> {
    const serverIds = on.map((hsmId) => this.#serverIdOf(hsmId))
    const answers = new Map<HsmId, Answer>(on.map((hsmId) => [hsmId, NOT_ASKED]))
    for (const serverId of serverIds) {
      const server = this.#servers[serverId]
      if (server === undefined) continue
      await this.#enterServerMode(serverId)
      const answer = this.#answerInServerMode(await this.#typeLogin(user, password, 'server'), server)
      answers.set(server.hsmId, answer)
      if (answer.kind !== 'done') break
    }
    await this.#leaveServerMode()
    return answers
  }

  async #typeLogin(user: HsmUserRef, password: Secret, mode: 'global' | 'server'): Promise<string> {
    await this.#ask(`loginHSM ${user.type} ${user.name} -hpswd`, ['password'])
    await this.#terminal.sendHidden(password.reveal())
    const { text, prompt } = await this.#listen([mode])
    if (mode === 'server' && prompt.serverId !== this.#serverMode) {
      throw this.#failure('not-understood', 'after loginHSM the prompt speaks for another server')
    }
    return text
  }

  /** Server mode names no server in its result line. Source: reference of the utility, server and global mode. */
  #answerInServerMode(text: string, server: RosterEntry): Answer {
    const refused = refusalIn(text)
    if (refused !== null) return this.#redacted({ kind: 'refused', ...refused })
    const named = successfulServers(text, 'loginHSM')
    for (const { serverId, label } of named) {
      if (this.#server(serverId, label) !== server) {
        throw this.#failure('not-understood', `loginHSM on ${server.hsmId} answers for another server`)
      }
    }
    const succeeded = named.length > 0 || succeededBare(text, 'loginHSM')
    return succeeded && !hasFailure(text) ? { kind: 'done' } : this.#redacted({ kind: 'unclear', text: text.trim() })
  }

  async logout(): Promise<void> {
    await this.#leaveServerMode()
    await this.#command('logoutHSM')
  }

  async changePassword(user: HsmUserRef, password: Secret): Promise<Answers> {
    await this.#leaveServerMode()
    const command = `changePswd ${user.type} ${user.name} -hpswd`
    // A utility that knows no such user may refuse before it asks for the password.
    const first = await this.#ask(command, ['newPassword', 'password', 'global'])
    if (first.prompt.name === 'global') return this.#answers(first.text, 'changePswd')
    await this.#terminal.sendHidden(password.reveal())
    const second = await this.#listen(['repeatPassword', 'global'])
    if (second.prompt.name === 'global') return this.#answers(second.text, 'changePswd')
    await this.#terminal.sendHidden(password.reveal())
    const caution = await this.#listen(['continue', 'global'])
    if (caution.prompt.name === 'global') return this.#answers(caution.text, 'changePswd')
    const reply = await this.#ask('y', ['global', 'retryIgnoreAbort'])
    if (reply.prompt.name === 'global') return this.#answers(reply.text, 'changePswd', { lineOptional: true })
    // Abort: servers before this one stay changed, this one and those after it are as they were.
    const rest = await this.#ask('A', ['global'])
    return this.#answers(`${reply.text}\n${rest.text}`, 'changePswd', { aborted: true })
  }

  async copyUser({ userId }: CopiedUser, from: UnitId, to: UnitId): Promise<Answer> {
    if (userId === null) throw new Error('syncUser needs the ID of the user')
    await this.#enterServerMode(this.#serverIdOf(from))
    const reply = await this.#ask(`syncUser ${userId} ${this.#serverIdOf(to)}`, ['server'])
    if (reply.prompt.serverId !== this.#serverMode) {
      throw this.#failure('not-understood', 'after syncUser the prompt speaks for another server')
    }
    return this.#redacted(parseSyncUser(reply.text))
  }

  async quorum(): Promise<ReadonlyMap<HsmId, number | null>> {
    await this.#leaveServerMode()
    const values = parseMValue(await this.#command(`getMValue ${USER_MANAGEMENT}`))
    return new Map(this.#servers.map(({ hsmId }, serverId) => [hsmId, values.get(serverId) ?? null]))
  }

  async close(): Promise<void> {
    try {
      if (this.#atPrompt) await this.#leaveServerMode()
    } catch {
      this.#atPrompt = false
    }
    await this.#terminal.close(this.#atPrompt ? 'quit' : null, this.#limits.goodbyeMs)
    await this.#onClosed()
  }

  async #proveServer(serverId: number, server: RosterEntry): Promise<void> {
    const text = await this.#command(`info server ${serverId}`)
    const info = this.#understand(() => parseInfoServer(text))
    if (info.hsmId !== server.hsmId || info.hostname !== server.eniIp) {
      throw new ConsoleFailure(
        'wrong-hsm',
        `${server.eniIp} (${server.clusterId}) should be ${server.hsmId} but ${info.hsmId} at ${info.hostname} answers there`,
        [server.hsmId],
      )
    }
    if (info.state !== 'Connected') {
      throw this.#failure('unreachable', `${server.hsmId} is "${info.state}", not connected`, [server])
    }
  }

  async #enterServerMode(serverId: number): Promise<void> {
    if (this.#serverMode === serverId) return
    await this.#leaveServerMode()
    const { text, prompt } = await this.#ask(`server ${serverId}`, ['server', 'global'])
    if (prompt.name !== 'server' || prompt.serverId !== serverId || !/Server is in '.*' mode/.test(text)) {
      throw this.#failure('not-understood', `"server ${serverId}" did not lead to that server`)
    }
    this.#serverMode = serverId
  }

  async #leaveServerMode(): Promise<void> {
    if (this.#serverMode === null) return
    await this.#ask('exit', ['global'])
    this.#serverMode = null
  }

  async #command(line: string): Promise<string> {
    return (await this.#ask(line, ['global'])).text
  }

  async #ask(line: string, expected: readonly PromptName[]): Promise<Reply<FoundPrompt>> {
    if (this.#failed !== null) throw this.#failed
    this.#atPrompt = false
    this.#terminal.send(line)
    return this.#listen(expected)
  }

  async #listen(
    expected: readonly PromptName[],
    silenceMs = this.#limits.commandMs,
    failed: (error: TalkBroken) => ConsoleFailure = (error) => this.#talkFailure(error),
  ): Promise<Reply<FoundPrompt>> {
    try {
      // Each server may take its time, and says something when it is done.
      const answerMs = silenceMs * (this.#servers.length + 2)
      const reply = await this.#terminal.expect(expected, { silenceMs, answerMs })
      this.#atPrompt = reply.prompt.name === 'global' || reply.prompt.name === 'server'
      return reply
    } catch (error) {
      this.#atPrompt = false
      throw error instanceof TalkBroken ? failed(error) : error
    }
  }

  /** Success is believed on a success line naming the server; everything else is refused or unclear. */
  #answers(text: string, command: string, options: { lineOptional?: boolean; aborted?: boolean } = {}): Answers {
    const succeeded = new Set(
      successfulServers(text, command).map(({ serverId, label }) => this.#server(serverId, label).hsmId),
    )
    const failed = new Set(failedServers(text))
    const refused = refusalIn(text)
    const answer = ({ hsmId }: RosterEntry, serverId: number): Answer => {
      if (succeeded.has(hsmId) && !failed.has(serverId)) return { kind: 'done' }
      const named = failed.has(serverId) || this.#servers.length === 1 || options.aborted === true
      if (refused !== null && named) return { kind: 'refused', ...refused }
      // The guide's own samples of changePswd end without a line per server; the login that follows decides.
      if (!hasFailure(text) && options.lineOptional === true && succeeded.size === 0) return { kind: 'done' }
      return { kind: 'unclear', text: text.trim() }
    }
    return new Map(this.#servers.map((server, serverId) => [server.hsmId, this.#redacted(answer(server, serverId))]))
  }

  /** One line for messages. A program that fails to hide what is typed may say the password in its answer. */
  #redacted(answer: Answer): Answer {
    if (answer.kind === 'done') return answer
    const lines = answer.text.split('\n').map((line) => line.trim())
    return { ...answer, text: this.#terminal.redact(lines.filter((line) => line !== '').join(' | ')) }
  }

  #server(serverId: number, label: string): RosterEntry {
    const server = this.#servers[serverId]
    if (server === undefined || server.eniIp !== label) {
      throw this.#failure(
        'not-understood',
        `the utility speaks of server ${serverId}(${label}), which it was not given`,
      )
    }
    return server
  }

  #serverIdOf(hsmId: UnitId): number {
    const serverId = this.#servers.findIndex((server) => server.hsmId === hsmId)
    if (serverId < 0) throw new Error(`${hsmId} is not part of this session`)
    return serverId
  }

  #understand<T>(parse: () => T): T {
    try {
      return parse()
    } catch (error) {
      throw error instanceof NotUnderstood ? this.#failure('not-understood', error.message) : error
    }
  }

  #startFailure(error: TalkBroken): ConsoleFailure {
    const failed = new Set(parseBanner(error.heard).failed)
    const unreachable = this.#servers.filter((server) => failed.has(server.eniIp))
    if (unreachable.length > 0) return this.#unreachable(unreachable)
    if (error.kind === 'silent') return this.#failure('unreachable', `${names(this.#servers)} did not answer in time`)
    return this.#failure('not-understood', `${error.message} before its first prompt`)
  }

  #talkFailure(error: TalkBroken): ConsoleFailure {
    const kind = error.kind === 'silent' || error.kind === 'ended' ? error.kind : 'not-understood'
    return this.#failure(kind, error.message)
  }

  #unreachable(servers: readonly RosterEntry[]): ConsoleFailure {
    return this.#failure('unreachable', `${names(servers)} cannot be reached`, servers)
  }

  #failure(kind: ConsoleFailureKind, message: string, servers: readonly RosterEntry[] = this.#servers): ConsoleFailure {
    this.#failed = new ConsoleFailure(
      kind,
      this.#terminal.redact(message),
      servers.map((server) => server.hsmId),
      this.#terminal.transcript(),
    )
    return this.#failed
  }
}

const names = (servers: readonly RosterEntry[]): string =>
  servers.map((server) => `${server.hsmId} (${server.eniIp}, ${server.region})`).join(', ')
