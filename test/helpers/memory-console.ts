import {
  type Answer,
  type Answers,
  ConsoleFailure,
  type ConsoleFailureKind,
  type CopiedUser,
  type HsmConsole,
  type HsmSession,
} from '../../src/domain/hsm-console.js'
import { type HsmUser, type HsmUserRef, userKey } from '../../src/domain/hsm-user.js'
import type { HsmId, UnitId } from '../../src/domain/ids.js'
import type { RosterEntry } from '../../src/domain/roster.js'
import type { Secret } from '../../src/domain/secret.js'
import type { SerialObservation } from '../../src/domain/serial-numbers.js'
import { capabilitiesOf, type UtilityCapabilities } from '../../src/domain/utility/capabilities.js'
import type { UtilityName } from '../../src/domain/utility/utility.js'
import type { Session } from '../../src/simulator/hsm/hsm.js'
import { answerTo, asListed } from './hsm-answers.js'
import { PROCESS } from './journal-lines.js'
import { letterOf, type MemoryFleet, type TestHsm } from './memory-fleet.js'

interface Line extends TestHsm {
  readonly session: Session
}

/** A utility that leads straight to the HSMs of a test, and behaves as its capabilities say. */
export const memoryConsole = (fleet: MemoryFleet, utility: UtilityName): HsmConsole => ({
  utility,
  checkCopying: async () => undefined,
  open: async (servers) => new MemorySession(fleet, utility, servers),
})

const lettersOf = (lines: readonly TestHsm[]): string => lines.map(({ server }) => letterOf(server.hsmId)).join(' ')

class MemorySession implements HsmSession {
  readonly process = PROCESS
  readonly #fleet: MemoryFleet
  readonly #capabilities: UtilityCapabilities
  readonly #lines: readonly Line[]
  #lost: ConsoleFailureKind | null = null

  /** @throws {ConsoleFailure} */
  constructor(fleet: MemoryFleet, utility: UtilityName, servers: readonly RosterEntry[]) {
    this.#fleet = fleet
    this.#capabilities = capabilitiesOf(utility)
    const asked = servers.map(({ hsmId }) => fleet.at(hsmId))
    const broken = this.#hear(`open ${lettersOf(asked)}`, servers)
    if (broken !== null) throw new Error('opening a session is not answered')
    const missing = asked.filter(({ away }) => away).map(({ server }) => server.hsmId)
    if (missing.length > 0) throw new ConsoleFailure('unreachable', `${missing.join(', ')} cannot be reached`, missing)
    const clusters = new Set(servers.map(({ clusterId }) => clusterId))
    const reached =
      this.#capabilities.writeReach === 'hsm'
        ? asked
        : [...clusters].flatMap((clusterId) => fleet.of(clusterId).filter(({ away }) => !away))
    this.#lines = reached.map((one) => ({ ...one, session: one.hsm.open() }))
  }

  get hsmIds(): readonly HsmId[] {
    return this.#lines.map(({ server }) => server.hsmId)
  }

  get serials(): readonly SerialObservation[] {
    if (this.#capabilities.identity === 'hsm-id') return []
    return this.#clusters().map((lines) => ({
      clusterId: lines[0].server.clusterId,
      hsmIds: lines.map(({ server }) => server.hsmId),
      serials: lines.map(({ serial }) => serial),
    }))
  }

  async listUsers(): Promise<ReadonlyMap<HsmId, readonly HsmUser[]>> {
    this.#hear(`list ${lettersOf(this.#lines)}`)
    if (this.#capabilities.writeReach === 'hsm') {
      return new Map(this.#lines.map(({ server, hsm }) => [server.hsmId, hsm.users.map(asListed)]))
    }
    return new Map(
      this.#clusters().flatMap((lines) => {
        const merged = mergedListing(lines)
        return lines.map(({ server }) => [server.hsmId, merged] as const)
      }),
    )
  }

  async login(user: HsmUserRef, password: Secret, on: readonly HsmId[]): Promise<Answers> {
    const lines = this.#lines.filter(({ server }) => on.includes(server.hsmId))
    return this.#each(`login ${userKey(user)}`, lines, ({ hsm, session }) =>
      answerTo(hsm.login(session, user.type, user.name, password.reveal())),
    )
  }

  async logout(): Promise<void> {
    for (const { hsm, session } of this.#lines) hsm.logout(session)
  }

  async changePassword(user: HsmUserRef, password: Secret): Promise<Answers> {
    return this.#each(`change ${userKey(user)}`, this.#lines, ({ hsm, session }) =>
      answerTo(hsm.changePassword(session, user.type, user.name, password.reveal())),
    )
  }

  async copyUser(user: CopiedUser, from: UnitId, to: UnitId): Promise<Answer> {
    const [origins, targets] = [this.#unit(from), this.#unit(to)]
    const words = `copy ${userKey(user)} ${lettersOf(origins)}>${lettersOf(targets)}`
    const struck = this.#hear(words, undefined, () => this.#copy(user, origins, targets))
    return struck ?? this.#copy(user, origins, targets)
  }

  async quorum(): Promise<ReadonlyMap<HsmId, number | null>> {
    return new Map(this.#lines.map(({ server, hsm }) => [server.hsmId, hsm.mValue(3)]))
  }

  async close(): Promise<void> {
    for (const { hsm, session } of this.#lines) hsm.close(session)
  }

  #copy({ type, name, userId }: CopiedUser, origins: readonly Line[], targets: readonly Line[]): Answer {
    const [origin] = origins
    const known = origin?.hsm.find(type, name)
    const id = this.#capabilities.copy.namesUserBy === 'id' ? userId : (known?.id ?? null)
    if (origin === undefined || id === null) throw new Error(`nobody can copy ${type}:${name}`)
    const extracted = origin.hsm.extract(origin.session, id)
    if (!extracted.ok) return answerTo(extracted)
    if (this.#capabilities.copy.between === 'hsms') {
      return together(targets.map(({ hsm, session }) => answerTo(hsm.insert(session, extracted.object))))
    }
    const said = targets.map(({ hsm, session }) =>
      answerTo(hsm.replicate(session, extracted.object, known?.locked === true)),
    )
    const answer = together(said)
    // It does not say why.
    return answer.kind === 'refused' && answer.reason === 'user-exists' ? { ...answer, reason: 'copy-refused' } : answer
  }

  /** One command to these HSMs, each of which answers for itself, or all of a cluster together. */
  #each(words: string, lines: readonly Line[], work: (line: Line) => Answer): Answers {
    const carryOut = () => lines.map((line) => [line.server.hsmId, work(line)] as const)
    const struck = this.#hear(`${words} ${lettersOf(lines)}`, undefined, carryOut)
    if (struck !== null) return new Map(lines.map(({ server }) => [server.hsmId, struck]))
    const said = carryOut()
    if (this.#capabilities.writeReach === 'hsm') return new Map(said)
    const joint = words.startsWith('login')
      ? firstFailure(said.map(([, one]) => one))
      : together(said.map(([, one]) => one))
    return new Map(said.map(([hsmId]) => [hsmId, joint]))
  }

  /** @throws {ConsoleFailure} where the conversation is broken, or breaks now */
  #hear(words: string, servers?: readonly RosterEntry[], carryOut: () => unknown = () => undefined): Answer | null {
    const hsmIds = (servers ?? this.#lines.map(({ server }) => server)).map(({ hsmId }) => hsmId)
    if (this.#lost !== null) throw new ConsoleFailure(this.#lost, `the conversation is ${this.#lost}`, hsmIds)
    const mishap = this.#fleet.hear(words)
    if (mishap === null) return null
    if (mishap.carriedOut === true) carryOut()
    if ('answer' in mishap) return mishap.answer
    this.#lost = mishap.breaks
    throw new ConsoleFailure(mishap.breaks, `the conversation is ${mishap.breaks}`, hsmIds)
  }

  #unit(unitId: UnitId): readonly Line[] {
    const lines = this.#lines.filter(({ server }) => server.hsmId === unitId || server.clusterId === unitId)
    if (lines.length === 0) throw new Error(`${unitId} is not part of this session`)
    return lines
  }

  #clusters(): readonly (readonly [Line, ...Line[]])[] {
    const clusters = new Map<string, [Line, ...Line[]]>()
    for (const line of this.#lines) {
      const found = clusters.get(line.server.clusterId)
      if (found === undefined) clusters.set(line.server.clusterId, [line])
      else found.push(line)
    }
    return [...clusters.values()]
  }
}

const firstFailure = (said: readonly Answer[]): Answer => said.find(({ kind }) => kind !== 'done') ?? { kind: 'done' }

/** What a program says that hears several HSMs: it does not say which of them did it. */
const together = (said: readonly Answer[]): Answer => {
  const done = said.filter(({ kind }) => kind === 'done').length
  if (done === 0 || done === said.length) return firstFailure(said)
  return { kind: 'unclear', text: 'done on some of its HSMs', partly: true }
}

/** One row for a user, however many HSMs of a cluster have it; no count of failed logins. */
const mergedListing = (lines: readonly Line[]): readonly HsmUser[] => {
  const rows = new Map<string, HsmUser>()
  for (const { hsm } of lines) {
    for (const user of hsm.users) {
      const everywhere = lines.every((line) => line.hsm.find(user.type, user.name) !== undefined)
      const key = userKey(user)
      const locks = lines.map((line) => line.hsm.find(user.type, user.name)?.locked ?? user.locked)
      const locked = locks.includes(true)
      rows.set(key, {
        ...asListed(user),
        userId: null,
        loginFailureCount: null,
        locked,
        inconsistent: [
          ...(locked && locks.includes(false) ? ['locked'] : []),
          ...(everywhere ? [] : ['cluster-coverage']),
        ],
      })
    }
  }
  return [...rows.values()]
}
