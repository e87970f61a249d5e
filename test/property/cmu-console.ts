import {
  type Answer,
  type Answers,
  ConsoleFailure,
  type ConsoleFailureKind,
  type CopiedUser,
  type HsmConsole,
  type HsmSession,
  type UtilityProcess,
} from '../../src/domain/hsm-console.js'
import type { HsmUser, HsmUserRef } from '../../src/domain/hsm-user.js'
import type { HsmId, UnitId } from '../../src/domain/ids.js'
import type { RosterEntry } from '../../src/domain/roster.js'
import type { Secret } from '../../src/domain/secret.js'
import type { Session } from '../../src/simulator/hsm/hsm.js'
import type { MaskedObject } from '../../src/simulator/hsm/masked-object.js'
import type { HsmReply } from '../../src/simulator/hsm/status.js'
import { answerTo, asListed } from '../helpers/hsm-answers.js'
import { type Appliance, isAway } from './fleet.js'
import type { Invocation } from './invocation.js'
import { Talk } from './talk.js'

/** A connection of a session to one HSM. */
interface Line {
  readonly server: RosterEntry
  readonly appliance: Appliance
  readonly session: Session
}

/** cloudhsm_mgmt_util: a session on some HSMs, each of which answers for itself. */
export const managementUtilityOf = (invocation: Invocation): HsmConsole => ({
  utility: 'cmu',
  checkCopying: async () => undefined,
  open: async (servers) => {
    const { witness, fleet } = invocation.world
    witness.isInRoster(servers)
    const struck = invocation.struckBy('no-connection', 'wrong-hsm')
    const lines = await invocation.call((): Line[] => {
      const unlucky = struck === null ? undefined : servers[struck.hsm % servers.length]
      const connected = servers.map((server) => {
        const appliance = fleet.at(server.eniIp)
        if (
          appliance === undefined ||
          isAway(appliance) ||
          (server === unlucky && struck?.strike === 'no-connection')
        ) {
          throw new ConsoleFailure('unreachable', `${server.hsmId} cannot be reached`, [server.hsmId])
        }
        return { server, appliance }
      })
      for (const { server, appliance } of connected) {
        if (appliance.limited) throw new ConsoleFailure('limited', 'limited commands mode', [server.hsmId])
        if (appliance.saysId !== server.hsmId || server === unlucky) {
          throw new ConsoleFailure('wrong-hsm', `another HSM answers at ${server.eniIp}`, [server.hsmId])
        }
      }
      return connected.map(({ server, appliance }) => ({ server, appliance, session: appliance.hsm.open() }))
    }, LOOKS)
    return new DirectSession(invocation, lines)
  },
})

class DirectSession implements HsmSession {
  /** Each HSM was proved by its ID. */
  readonly serials = []
  readonly #invocation: Invocation
  readonly #lines: readonly Line[]
  readonly #talk: Talk

  constructor(invocation: Invocation, lines: readonly Line[]) {
    this.#invocation = invocation
    this.#lines = lines
    this.#talk = new Talk(invocation, {
      // The utility takes no further command once one of its HSMs is gone.
      isLost: () => lines.some(({ appliance }) => isAway(appliance)),
      hangUp: () => {
        for (const { appliance, session } of lines) appliance.hsm.close(session)
      },
      failure: (kind) => this.#failure(kind),
    })
  }

  get process(): UtilityProcess {
    return this.#talk.process
  }

  get hsmIds(): readonly HsmId[] {
    return this.#lines.map(({ server }) => server.hsmId)
  }

  async listUsers(): Promise<ReadonlyMap<HsmId, readonly HsmUser[]>> {
    const listing = await this.#talk.command(
      () => new Map(this.#lines.map(({ server, appliance }) => [server.hsmId, appliance.hsm.users.map(asListed)])),
    )
    if (listing === null) throw this.#failure('not-understood')
    return listing
  }

  async login(user: HsmUserRef, password: Secret, on: readonly HsmId[]): Promise<Answers> {
    this.#invocation.world.witness.isAllowed(this.#invocation)
    const struck = this.#invocation.struckBy('refuse-login', 'refuse-login-counted')
    const unlucky = struck === null ? undefined : this.#lines[struck.hsm % this.#lines.length]
    const asked = this.#lines.filter(({ server }) => on.includes(server.hsmId))
    return this.#each(asked, (line) => {
      const { hsm } = line.appliance
      const known = hsm.find(user.type, user.name)
      const before = known?.failures
      const reply =
        line !== unlucky
          ? hsm.login(line.session, user.type, user.name, password.reveal())
          : struck?.strike === 'refuse-login-counted' && known !== undefined
            ? hsm.refuseLogin(known)
            : null
      const failed = known !== undefined && before !== undefined && known.failures > before
      if (known !== undefined && (failed || reply?.ok === true)) {
        this.#invocation.world.witness.sawLogin(this.#invocation, line.appliance, known, failed)
      }
      return reply === null ? LOGIN_REFUSED : answerTo(reply)
    })
  }

  async logout(): Promise<void> {
    await this.#each(this.#lines, ({ appliance, session }) => answerTo(appliance.hsm.logout(session)))
  }

  async changePassword(user: HsmUserRef, password: Secret): Promise<Answers> {
    this.#invocation.world.witness.isAllowed(this.#invocation)
    return this.#each(this.#lines, ({ appliance, session }) => {
      const reply = appliance.hsm.changePassword(session, user.type, user.name, password.reveal())
      const write = { act: 'change', name: user.name, done: reply.ok } as const
      this.#invocation.world.witness.sawWrite(this.#invocation, appliance, write)
      return answerTo(reply)
    })
  }

  async quorum(): Promise<ReadonlyMap<HsmId, number | null>> {
    const read = (of: (line: Line) => number | null) =>
      new Map(this.#lines.map((line) => [line.server.hsmId, of(line)]))
    const values = await this.#talk.command(() => read(({ appliance }) => appliance.hsm.mValue(USER_MANAGEMENT)))
    return values ?? read(() => null)
  }

  async copyUser({ userId, name }: CopiedUser, from: UnitId, to: UnitId): Promise<Answer> {
    if (userId === null) throw new Error('syncUser wants a user ID')
    this.#invocation.world.witness.isAllowed(this.#invocation)
    const [origin, target] = [this.#line(from), this.#line(to)]
    const extracted = await this.#talk.command(
      (): HsmReply<{ object: MaskedObject }> => origin.appliance.hsm.extract(origin.session, userId),
    )
    if (extracted === null) return UNCLEAR
    if (!extracted.ok) return answerTo(extracted)
    const answer = await this.#talk.command(() => {
      const reply = target.appliance.hsm.insert(target.session, extracted.object)
      const write = { act: 'copy', name, done: reply.ok } as const
      this.#invocation.world.witness.sawWrite(this.#invocation, target.appliance, write)
      return answerTo(reply)
    })
    return answer ?? UNCLEAR
  }

  close(): Promise<void> {
    return this.#talk.close()
  }

  async #each(lines: readonly Line[], work: (line: Line) => Answer): Promise<Answers> {
    const answers = await this.#talk.command(() => new Map(lines.map((line) => [line.server.hsmId, work(line)])))
    return answers ?? new Map(lines.map(({ server }) => [server.hsmId, UNCLEAR]))
  }

  #line(unitId: UnitId): Line {
    const line = this.#lines.find(({ server }) => server.hsmId === unitId)
    if (line === undefined) throw new Error(`${unitId} is not part of this session`)
    return line
  }

  #failure(kind: ConsoleFailureKind): ConsoleFailure {
    return new ConsoleFailure(kind, `the conversation is ${kind}`, this.hsmIds)
  }
}

const LOOKS = { looks: true } as const
/** The service that a quorum guards. */
const USER_MANAGEMENT = 3
const UNCLEAR: Answer = { kind: 'unclear', text: 'words that nobody knows' }
const LOGIN_REFUSED: Answer = { kind: 'refused', reason: 'login-refused', text: 'RET_USER_LOGIN_FAILURE' }
