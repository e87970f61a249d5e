import type {
  Answer,
  Answers,
  ConsoleFailure,
  CopiedUser,
  HsmSession,
  UtilityProcess,
} from '../../../domain/hsm-console.js'
import { findUser, type HsmUser, type HsmUserRef } from '../../../domain/hsm-user.js'
import type { ClusterId, HsmId, UnitId } from '../../../domain/ids.js'
import type { RosterEntry } from '../../../domain/roster.js'
import type { Secret } from '../../../domain/secret.js'
import type { SerialObservation } from '../../../domain/serial-numbers.js'
import { TalkBroken } from '../process/terminal-talk.js'
import { type AskAlone, answeringAlone, infoCommand, observedAlone } from './answering.js'
import type { CliCommand, CliTerminal, Conversation } from './conversation.js'
import { type CliAnswer, failureText, plainText } from './json-answer.js'
import { type CliProgram, requireSince } from './program.js'
import { typedUser } from './roles.js'
import {
  type ClusterPart,
  judgeAnswering,
  judgeNumbers,
  judgeShown,
  NO_ANSWER,
  NO_CONNECTION,
  type SerialNumbers,
  type Verdict,
} from './roster-proof.js'
import { parseHsmInfo } from './screens/hsm-info.js'
import { parseQuorumValues } from './screens/quorum-values.js'
import { changeResult, loginResult, replicateResult } from './screens/results.js'
import { parseUserList } from './screens/user-list.js'

/** What is known of a session before it says anything. */
export interface SessionParts {
  readonly terminal: CliTerminal
  readonly conversation: Conversation
  readonly program: CliProgram
  readonly clusters: readonly ClusterPart[]
  readonly serialNumbers: SerialNumbers
  /** Those of these HSMs that take no connection: the program itself does not say which they are. */
  readonly notAnswering: (servers: readonly RosterEntry[]) => Promise<readonly RosterEntry[]>
  /** Null where the program reads a file that is fixed and lists all. */
  readonly askAlone: AskAlone | null
}

/** A cluster of the session and the HSMs of it that its commands reach. */
type ReachedCluster = SerialObservation

/** Words of a start that failed because of a configuration, or of an option, rather than of an HSM. */
const NOT_ABOUT_HSMS = /config|certificate|\bpath\b|cluster.id|argument|option|usage|permission|not found/i

/** Words of a command that some HSM did not hear. Any other failure says nothing of that. */
const LOST = /disconnect|connection|communication|lost/i

/** One conversation with the CloudHSM CLI in its interactive mode. Every command names its cluster. */
export class CloudHsmCliSession implements HsmSession {
  readonly #parts: SessionParts
  readonly #talk: Conversation
  readonly #reached: ReachedCluster[] = []
  /** Clusters that somebody is logged in to. */
  readonly #loggedIn = new Set<ClusterId>()

  constructor(parts: SessionParts) {
    this.#parts = parts
    this.#talk = parts.conversation
  }

  get process(): UtilityProcess {
    return { pid: this.#parts.terminal.pid, startedAt: this.#parts.terminal.startedAt }
  }

  get hsmIds(): readonly HsmId[] {
    return this.#reached.flatMap(({ hsmIds }) => hsmIds)
  }

  get serials(): readonly SerialObservation[] {
    return this.#reached
  }

  /** Waits for the connections and proves the roster, before anything else is said. */
  async start(): Promise<void> {
    try {
      await this.#talk.begin()
    } catch (error) {
      throw error instanceof TalkBroken ? await this.#startFailure(error) : error
    }
    for (const part of this.#parts.clusters) await this.#prove(part)
    this.#talk.speakOf(this.hsmIds)
  }

  async listUsers(expected: readonly HsmUserRef[] = []): Promise<ReadonlyMap<HsmId, readonly HsmUser[]>> {
    return this.#ofEach(async (clusterId) => {
      const listed = await this.#talk.read(['user', 'list', ...on(clusterId)], parseUserList)
      const isWhole = expected.every((user) => findUser(listed, user) !== undefined)
      if (!isWhole && !(await this.#allAnswer(clusterId))) {
        throw await this.#lost('an HSM was lost while users were listed', [this.#part(clusterId)], true)
      }
      return listed
    })
  }

  /**
   * Officers who have to approve a change to users; null where the program does not say.
   * @throws {ConsoleFailure} some HSM was lost, so that a login which succeeds now says nothing of that one
   */
  async quorum(): Promise<ReadonlyMap<HsmId, number | null>> {
    return this.#ofEach(async (clusterId) => {
      const { answer } = await this.#talk.run(quorumCommand(clusterId))
      if (isDone(answer)) return parseQuorumValues(answer.data)
      if (!isLost(answer)) return null
      throw await this.#lost(failureText(answer), [this.#part(clusterId)], true)
    })
  }

  async login(user: HsmUserRef, password: Secret, hsmIds: readonly HsmId[]): Promise<Answers> {
    const typed = typedUser(user)
    const answers = new Map<HsmId, Answer>()
    for (const { clusterId, hsmIds: reached } of this.#clustersOf(hsmIds)) {
      const words = ['login', '--username', typed.name, '--role', typed.role, ...on(clusterId)]
      const { answer, asked } = await this.#talk.run({ words, secret: password })
      const said = this.#talk.understand(() => loginResult(answer, typed, asked))
      const result = await this.#judgeRefusal(said, clusterId)
      if (result.kind === 'done') this.#loggedIn.add(clusterId)
      for (const hsmId of reached) answers.set(hsmId, result)
    }
    return answers
  }

  /**
   * A cluster refuses in the same words where one of its HSMs was lost on the way, before or after it did what it was
   * asked: that says nothing of a password, nor that nothing was written. They are counted again, and each is asked.
   */
  async #judgeRefusal(said: Answer, clusterId: ClusterId): Promise<Answer> {
    if (said.kind !== 'refused' || (await this.#allAnswer(clusterId))) return said
    return {
      kind: 'unclear',
      text: `${said.text} (and not every HSM answers any more: it may have had another reason)`,
    }
  }

  /** Whether every HSM of a cluster that this session reached answers still. */
  async #allAnswer(clusterId: ClusterId): Promise<boolean> {
    const { answer: shown } = await this.#talk.run(infoCommand(clusterId))
    const { answer: asked } = await this.#talk.run(quorumCommand(clusterId))
    const serials = isDone(shown) ? this.#talk.understand(() => parseHsmInfo(shown.data)) : []
    return !isLost(asked) && serials.join() === this.#cluster(clusterId).serials.join()
  }

  async logout(): Promise<void> {
    for (const clusterId of [...this.#loggedIn]) {
      await this.#talk.read(['logout', ...on(clusterId)], () => undefined)
      this.#loggedIn.delete(clusterId)
    }
  }

  async changePassword(user: HsmUserRef, password: Secret): Promise<Answers> {
    const typed = typedUser(user)
    const [cluster, ...others] = this.#reached
    if (cluster === undefined || others.length > 0) throw new Error('a password is changed on one cluster at a time')
    const words = ['user', 'change-password', '--username', typed.name, '--role', typed.role, ...on(cluster.clusterId)]
    const { answer } = await this.#talk.run({ words, secret: password, confirmed: true, writes: true })
    const said = this.#talk.understand(() => changeResult(answer, typed))
    const result = await this.#judgeRefusal(said, cluster.clusterId)
    return new Map(cluster.hsmIds.map((hsmId) => [hsmId, result]))
  }

  async copyUser(user: CopiedUser, from: UnitId, to: UnitId): Promise<Answer> {
    requireSince(this.#parts.program, 'user replicate')
    const typed = typedUser(user)
    const [source, destination] = [this.#cluster(from), this.#cluster(to)]
    const words = ['user', 'replicate', '--username', typed.name, '--role', typed.role]
    words.push('--source-cluster-id', source.clusterId, '--destination-cluster-id', destination.clusterId)
    const { answer } = await this.#talk.run({ words, writes: true })
    const said = this.#talk.understand(() => replicateResult(answer, typed, destination.hsmIds.length))
    return this.#judgeRefusal(said, destination.clusterId)
  }

  async close(): Promise<void> {
    await this.#talk.close()
  }

  /** Counts HSMs; a cluster is connected to at its first command, so an HSM that is away may show only here. */
  async #prove(part: ClusterPart): Promise<void> {
    const { answer } = await this.#talk.run(infoCommand(part.clusterId))
    if (answer.kind === 'plain' || answer.errorCode !== 0) {
      throw await this.#noConnection(failureText(answer), [part])
    }
    const serials = this.#talk.understand(() => parseHsmInfo(answer.data))
    const reached = await this.#reachedOf(part, serials)
    const { clusterId, asked } = part
    const seen: SerialObservation = { clusterId, hsmIds: idsOf(reached), serials }
    const strange = this.#parts.serialNumbers.compare(seen)
    if (strange !== null) throw this.#talk.failure('wrong-hsm', strange, idsOf(asked))
    this.#reached.push(seen)
  }

  /** The HSMs that these serial numbers stand for. */
  async #reachedOf(part: ClusterPart, serials: readonly string[]): Promise<readonly RosterEntry[]> {
    const verdict = await this.#judge(part, serials)
    switch (verdict.kind) {
      case 'reached':
        return verdict.reached
      case 'wrong':
        throw this.#talk.failure('wrong-hsm', verdict.text, idsOf(verdict.meant))
      case 'missing':
        throw this.#unreachable(verdict.text, verdict.missing, verdict.how)
      case 'untold':
        throw this.#untold(verdict.text, part.asked, part.whole)
    }
  }

  /** HSMs are told by their numbers where those were seen before, else by who takes a connection or answers alone. */
  async #judge(part: ClusterPart, serials: readonly string[]): Promise<Verdict> {
    const { serialNumbers, notAnswering } = this.#parts
    const byNumbers = () => judgeNumbers(part, serialNumbers.ownersOf(part, serials))
    const atOnce = judgeShown(part, serials) ?? byNumbers()
    if (atOnce !== null) return atOnce
    const verdict = judgeAnswering(part, serials.length, await notAnswering(part.whole))
    if (verdict.kind !== 'untold') return verdict
    await this.#askAlone(part.clusterId, part.whole)
    return byNumbers() ?? verdict
  }

  /**
   * Asks each of these HSMs of a cluster alone, and keeps what that tells of their serial numbers.
   * @returns those that answer
   */
  async #askAlone(clusterId: ClusterId, servers: readonly RosterEntry[]): Promise<readonly RosterEntry[]> {
    const { askAlone, serialNumbers } = this.#parts
    if (askAlone === null || servers.length < 2) return []
    const answered = await answeringAlone(servers, askAlone)
    const seen = observedAlone(clusterId, answered)
    if (seen !== null) serialNumbers.compare(seen)
    return answered.map(({ server }) => server)
  }

  async #ofEach<T>(ask: (clusterId: ClusterId) => Promise<T>): Promise<ReadonlyMap<HsmId, T>> {
    const byHsm = new Map<HsmId, T>()
    for (const { clusterId, hsmIds } of this.#reached) {
      const value = await ask(clusterId)
      for (const hsmId of hsmIds) byHsm.set(hsmId, value)
    }
    return byHsm
  }

  /** The clusters of these HSMs. A login reaches all of a cluster, so it is asked for all that the session reaches. */
  #clustersOf(hsmIds: readonly HsmId[]): readonly ReachedCluster[] {
    const found = this.#reached.filter((cluster) => cluster.hsmIds.some((hsmId) => hsmIds.includes(hsmId)))
    const reached = found.flatMap((cluster) => cluster.hsmIds)
    const asked = new Set(hsmIds)
    if (reached.length !== asked.size || reached.some((hsmId) => !asked.has(hsmId))) {
      throw new Error(`${[...asked].join(', ')} are not all the HSMs of some clusters of this session`)
    }
    return found
  }

  #part(unit: ClusterId): ClusterPart {
    const part = this.#parts.clusters.find(({ clusterId }) => clusterId === unit)
    if (part === undefined) throw new Error(`${unit} is not a cluster of this session`)
    return part
  }

  #cluster(unit: UnitId): ReachedCluster {
    const cluster = this.#reached.find(({ clusterId }) => clusterId === unit)
    if (cluster === undefined) throw new Error(`${unit} is not a cluster of this session`)
    return cluster
  }

  async #startFailure(broken: TalkBroken): Promise<ConsoleFailure> {
    if (broken.kind === 'unexpected-prompt') return this.#talk.failure('not-understood', broken.message)
    const said = broken.kind === 'ended' ? plainText(broken.heard) : ''
    return this.#noConnection(said === '' ? broken.message : said, this.#parts.clusters)
  }

  async #noConnection(said: string, clusters: readonly ClusterPart[]): Promise<ConsoleFailure> {
    const text = `cloudhsm-cli could not begin: ${said}`
    if (NOT_ABOUT_HSMS.test(said)) return this.#talk.failure('not-understood', text)
    return this.#lost(text, clusters, false)
  }

  /**
   * Some HSM of these clusters is not there: named where it takes no connection, or alone does not answer.
   * @param someAnswer whether the program speaks with others of them
   */
  async #lost(text: string, clusters: readonly ClusterPart[], someAnswer: boolean): Promise<ConsoleFailure> {
    const asked = clusters.flatMap((part) => part.asked)
    const whole = clusters.flatMap((part) => part.whole)
    const away = await this.#parts.notAnswering([...new Set([...asked, ...whole])])
    const awayAsked = away.filter((server) => asked.includes(server))
    if (awayAsked.length > 0) return this.#unreachable(text, awayAsked, NO_CONNECTION)
    const answering = await Promise.all(clusters.map((part) => this.#askAlone(part.clusterId, part.asked)))
    const missing = asked.filter((server) => !answering.flat().includes(server))
    if (missing.length > 0 && missing.length < asked.length) return this.#unreachable(text, missing, NO_ANSWER)
    // Others of their cluster that the program finds may keep it from beginning.
    if (away.length > 0) return this.#unreachable(text, away, NO_CONNECTION)
    const isFixed = this.#parts.askAlone === null && whole.length > asked.length
    if (isFixed || (someAnswer && asked.length > 1)) return this.#untold(text, asked, whole)
    return this.#talk.failure('unreachable', `${text}: it did not reach all of ${named(asked)}`, idsOf(asked))
  }

  #unreachable(text: string, meant: readonly RosterEntry[], how: string): ConsoleFailure {
    return this.#talk.failure('unreachable', `${text}: ${named(meant)} ${how}`, idsOf(meant))
  }

  /** Each address takes the connection, and the program does not say who does not answer. */
  #untold(text: string, asked: readonly RosterEntry[], whole: readonly RosterEntry[]): ConsoleFailure {
    const which = `which of ${named(whole)} does not answer is not seen from here, their addresses take the connection`
    return this.#talk.someSilent(`${text}: ${which}`, idsOf(asked))
  }
}

const on = (clusterId: ClusterId): readonly string[] => ['--cluster-id', clusterId]
const isDone = (answer: CliAnswer): answer is CliAnswer & { kind: 'answered' } =>
  answer.kind === 'answered' && answer.errorCode === 0
const isLost = (answer: CliAnswer): boolean => !isDone(answer) && LOST.test(failureText(answer))
const quorumCommand = (clusterId: ClusterId): CliCommand => ({
  words: ['quorum', 'token-sign', 'list-quorum-values', ...on(clusterId)],
})
const named = (servers: readonly RosterEntry[]): string =>
  servers.map(({ hsmId, eniIp, region }) => `${hsmId} (${eniIp}, ${region})`).join(', ')
const idsOf = (servers: readonly RosterEntry[]): readonly HsmId[] => servers.map(({ hsmId }) => hsmId)
