import type { HsmUserRef } from '../../src/domain/hsm-user.js'
import type { EniIp, HsmId } from '../../src/domain/ids.js'
import { PlainError } from '../../src/simulator/cloudhsm-cli/answer.js'
import { type Parsed, parseCommand } from '../../src/simulator/cloudhsm-cli/command-line.js'
import { TYPED_COMMANDS } from '../../src/simulator/cloudhsm-cli/commands/index.js'
import type { ConfiguredCluster } from '../../src/simulator/cloudhsm-cli/config.js'
import type { Line, LineTo } from '../../src/simulator/cloudhsm-cli/connection.js'
import { answerOf } from '../../src/simulator/cloudhsm-cli/interactive.js'
import { Program } from '../../src/simulator/cloudhsm-cli/program.js'
import type { CliSettings } from '../../src/simulator/cloudhsm-cli/settings.js'
import { wordsOf } from '../../src/simulator/cloudhsm-cli/words.js'
import type { Session } from '../../src/simulator/hsm/hsm.js'
import { type HsmRequest, perform } from '../../src/simulator/hsm/requests.js'
import { type HsmReply, refused, STATUS } from '../../src/simulator/hsm/status.js'
import { ConnectionLost } from '../../src/simulator/wire/hsm-line.js'
import type { Hello } from '../../src/simulator/wire/messages.js'
import { type Appliance, isAway } from './fleet.js'
import type { Invocation } from './invocation.js'
import type { Reached } from './witness.js'

/** What befalls one command on single HSMs of a cluster. */
export interface Fate {
  readonly what:
    | 'refuse-one'
    | 'lose-one'
    | 'lose-one-after'
    | 'refuse-login'
    | 'refuse-login-counted'
    /** The HSMs from a place in their cluster on hear nothing of it. */
    | 'half'
  readonly hsm: number
}

/** What a program is started with. */
interface ProgramStart {
  readonly clusters: readonly ConfiguredCluster[]
  readonly settings: CliSettings
  /** Addresses that nobody answers at. */
  readonly deaf: readonly EniIp[]
}

/** The simulated cloudhsm-cli, with lines that lead to the HSMs of the story without a network. */
export class DirectProgram {
  readonly #invocation: Invocation
  readonly #start: ProgramStart
  readonly #program: Program
  readonly #lines: DirectLine[] = []
  /** What its session says that commands reach. */
  proved: readonly HsmId[] = []
  #password = ''
  /** Who the command under way is about. */
  #user = ''
  /** Logins of the command under way that HSMs refused, and whether they counted them. */
  #refused: (readonly [Appliance, HsmUserRef, boolean])[] = []
  #fate: Fate | null = null

  constructor(invocation: Invocation, start: ProgramStart) {
    this.#invocation = invocation
    this.#start = start
    const password = async () => this.#password
    this.#program = new Program({
      settings: start.settings,
      clusters: start.clusters,
      passwords: { enter: password, choose: password },
      lineTo: this.#lineTo,
      defaultClusterId: null,
      environment: null,
    })
  }

  /** Carries out one line that was typed. @returns what the program prints */
  async run(line: string, password: string, fate: Fate | null): Promise<string> {
    this.#password = password
    this.#fate = fate
    this.#user = /--username (\S+)/.exec(line)?.[1] ?? ''
    this.#refused = []
    try {
      const { command, values } = parsed(line, this.#start.settings)
      const answer = await answerOf(command.run(this.#program, values))
      const { witness } = this.#invocation.world
      if (answer.error_code === 0) for (const one of this.#refused) witness.wasHidden(this.#invocation, ...one)
      return JSON.stringify(answer)
    } catch (error) {
      if (error instanceof PlainError) return error.shown.trimEnd()
      throw error
    }
  }

  close(): void {
    this.#program.close()
  }

  readonly #lineTo: LineTo = async (hostname) => {
    const { fleet } = this.#invocation.world
    const appliance = fleet.at(hostname as EniIp)
    const answers = appliance !== undefined && !isAway(appliance) && !appliance.limited
    if (!answers || this.#start.deaf.includes(appliance.eniIp)) return null
    const place = this.#lines.filter((line) => line.appliance.clusterId === appliance.clusterId).length
    const fateOf = (request: HsmRequest) => {
      // What comes late was sent to those that were there then.
      if (GUARDED.includes(request.op) && !this.#invocation.dead) {
        const ofCluster = this.#lines.filter((one) => one.appliance.clusterId === appliance.clusterId)
        this.#invocation.world.witness.isProved(ofCluster, line, this.proved)
      }
      return this.#fateOf(place, appliance, request)
    }
    const onRefused: OnRefused = (user, counted) => this.#refused.push([appliance, user, counted])
    const line: DirectLine = new DirectLine(this.#invocation, appliance, {
      onRefused,
      userOf: () => this.#user,
      fateOf,
    })
    this.#lines.push(line)
    return line
  }

  #fateOf(place: number, { clusterId }: Appliance, { op }: HsmRequest): Fate['what'] | null {
    if (this.#fate === null) return null
    const { what, hsm } = this.#fate
    const places = this.#lines.filter((line) => line.appliance.clusterId === clusterId).length
    if (what === 'half') return place >= hsm % places ? 'lose-one' : null
    const one = hsm % places === place
    if (what !== 'refuse-login' && what !== 'refuse-login-counted') return one ? what : null
    // A password that all of a cluster refuse, or only one of them.
    return op === 'login' && (one || hsm % 2 === 1) ? what : null
  }
}

/** Lines that were understood before, by version: the stories type few that differ. */
const UNDERSTOOD = new Map<string, Parsed>()

const parsed = (line: string, settings: CliSettings): Parsed => {
  const key = `${settings.cliVersion} ${line}`
  const found = UNDERSTOOD.get(key) ?? parseCommand(wordsOf(line) ?? [], TYPED_COMMANDS, settings)
  UNDERSTOOD.set(key, found)
  return found
}

/** What must reach no HSM that the session does not know of. */
const GUARDED: readonly string[] = ['login', 'change', 'replicate', 'extract']

type FateOf = (request: HsmRequest) => Fate['what'] | null
type OnRefused = (user: HsmUserRef, counted: boolean) => void

interface LineParts {
  /** An HSM refused a login. */
  readonly onRefused: OnRefused
  /** Who the command under way is about. */
  readonly userOf: () => string
  readonly fateOf: FateOf
}

/** The line of a program to one HSM. */
class DirectLine implements Line, Reached {
  readonly hello: Hello
  readonly appliance: Appliance
  readonly saidId: HsmId
  readonly #invocation: Invocation
  readonly #onRefused: OnRefused
  readonly #userOf: () => string
  readonly #fateOf: FateOf
  readonly #session: Session
  #lost = false

  constructor(invocation: Invocation, appliance: Appliance, { onRefused, userOf, fateOf }: LineParts) {
    this.#onRefused = onRefused
    this.#userOf = userOf
    this.#invocation = invocation
    this.appliance = appliance
    this.#fateOf = fateOf
    this.#session = appliance.hsm.open(true)
    const { saysId, hsm } = appliance
    this.saidId = saysId
    const peers = invocation.world.fleet
      .siblings(appliance)
      .flatMap((sibling) => (isAway(sibling) ? [] : [sibling.eniIp]))
    this.hello = { hsmId: saysId, limited: false, hsmType: hsm.hsmType, mode: 'FIPS', peers }
  }

  /** One that was closed still takes what is on its way. */
  async request<T extends object>(request: HsmRequest): Promise<HsmReply<T>> {
    const fate = this.#fateOf(request)
    if (fate === 'lose-one' || isAway(this.appliance)) this.#lost = true
    const isRefused = fate === 'refuse-one'
    // A login that others accept is told as a success all the same.
    if ((this.#lost || isRefused) && request.op === 'login') {
      this.#onRefused({ type: request.type, name: request.name } as HsmUserRef, false)
    }
    if (this.#lost) throw new ConnectionLost()
    if (isRefused) return refused(STATUS.refusedByFault)
    const reply = this.#perform(request, fate)
    if (fate !== 'lose-one-after') return reply as HsmReply<T>
    this.#lost = true
    throw new ConnectionLost()
  }

  close(): void {
    this.appliance.hsm.close(this.#session)
  }

  #perform(request: HsmRequest, fate: Fate['what'] | null): HsmReply<object> {
    const { appliance } = this
    switch (request.op) {
      case 'login':
        return this.#login(request, fate)
      case 'change':
      case 'replicate':
        return this.#write(request)
      default:
        return perform(appliance.hsm, this.#session, request)
    }
  }

  #login(request: HsmRequest & { readonly op: 'login' | 'change' | 'create' }, fate: Fate['what'] | null) {
    const { hsm } = this.appliance
    const known = hsm.find(request.type, request.name)
    const before = known?.failures ?? 0
    const reply =
      fate === 'refuse-login'
        ? refused(STATUS.loginFailure)
        : fate === 'refuse-login-counted' && known !== undefined
          ? hsm.refuseLogin(known)
          : perform(hsm, this.#session, request)
    const failed = known !== undefined && known.failures > before
    if (known !== undefined && (failed || reply.ok)) {
      this.#invocation.world.witness.sawLogin(this.#invocation, this.appliance, known, failed)
    }
    if (!reply.ok) this.#onRefused({ type: request.type, name: request.name } as HsmUserRef, failed)
    return reply
  }

  #write(request: HsmRequest): HsmReply<object> {
    const reply = perform(this.appliance.hsm, this.#session, request)
    const act = request.op === 'change' ? 'change' : 'copy'
    const write = { act, name: this.#userOf(), done: reply.ok } as const
    this.#invocation.world.witness.sawWrite(this.#invocation, this.appliance, write)
    return reply
  }
}
