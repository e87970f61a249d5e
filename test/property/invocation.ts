import { OperatorError } from '../../src/domain/errors.js'
import type { HsmId } from '../../src/domain/ids.js'
import type { Action } from './advice.js'
import { CONDITIONS, type Condition, type Moment, type Strike, type Trouble, type Turn } from './story-arbitrary.js'
import type { World } from './world.js'

/** Never resolves: whoever waits for it is dead. */
const never = (): Promise<never> => new Promise(() => undefined)

/** How one call to the outside is made. */
export interface CallOptions {
  /** A command to an HSM: once sent it may be carried out whatever becomes of us. */
  readonly command?: boolean
  /** It looks at HSMs or AWS, and sees what has become of them. */
  readonly looks?: boolean
  /** Whether it takes effect at once, and its time after that. */
  readonly first?: boolean
  /** How long it takes at most, in milliseconds. */
  readonly ms?: number
}

/** What strikes a call, and which HSM. */
export interface Struck {
  readonly strike: Strike
  readonly hsm: number
}

/** What could strike a call, or that it is one that a kill may leave on its way. For those who try everything. */
export interface Offer {
  readonly call: number
  readonly strikes: readonly Strike[]
}

/** How long an HSM may take for a command, in milliseconds. */
export const COMMAND_MS = 30_000

/** What tells one invocation from another. */
export interface InvocationParts {
  readonly name: string
  readonly action: Action
  readonly agreesToNoWayBack: boolean
  /** Another operator comes along. */
  readonly onRival: () => void
}

/**
 * One run of the program. Every call it makes to the outside goes through here: calls are counted, take their time, and
 * after a kill none is ever answered, as after SIGKILL.
 */
export class Invocation {
  readonly name: string
  readonly action: Action
  /** What the program reads to learn that the operator wants to stop. */
  readonly stop = { requested: false }
  /** Resolves when the invocation is killed. */
  readonly killed: Promise<'killed'>
  /** Failed logins that it caused, by HSM and user. */
  readonly failedLogins = new Map<string, number>()
  /** What the witness had seen when it began. */
  readonly began: number
  /** HSMs that AWS listed when it was asked last; null before that. */
  discovered: readonly HsmId[] | null = null
  /** Changes of it to HSMs and the store. */
  writes = 0
  /** The operator answered a question with no. */
  declined = false
  dead = false
  /** How many failed logins lock, as the operator says. */
  lockoutLimit = 0
  openSessions = 0
  readonly offers: Offer[] = []
  /** Calls that were commands to an HSM, and all that could see what has become of one or of AWS. */
  readonly commands: number[] = []
  readonly looks: number[] = []
  #calls = 0
  #die: () => void = () => undefined
  /** Strikes, and conditions that have not come true yet. */
  readonly #strikes: Trouble[]
  readonly #conditions: Trouble[]
  readonly #onEnd: (() => void)[] = []

  /** Whether the operator says yes where there is no way back. */
  readonly agreesToNoWayBack: boolean
  readonly #onRival: () => void

  constructor(
    readonly world: World,
    readonly turn: Turn,
    { name, action, agreesToNoWayBack, onRival }: InvocationParts,
  ) {
    this.name = name
    this.action = action
    this.agreesToNoWayBack = agreesToNoWayBack
    this.#onRival = onRival
    this.killed = new Promise((resolve) => {
      this.#die = () => resolve('killed')
    })
    this.began = world.witness.moment
    this.#strikes = turn.troubles.filter((trouble) => !isCondition(trouble))
    this.#conditions = turn.troubles.filter(isCondition)
  }

  /** How many calls to the outside it has made. */
  get calls(): number {
    return this.#calls
  }

  /** Called when the invocation is over, killed or not. */
  onEnd(action: () => void): void {
    this.#onEnd.push(action)
  }

  /** The process is gone, and what it held with it. */
  end(): void {
    if (this.dead) return
    this.dead = true
    for (const action of this.#onEnd) action()
    this.#die()
  }

  /** One call to the outside. `effect` is what it does there. */
  async call<T>(
    effect: () => T,
    { command = false, looks = command, first = false, ms = 10 }: CallOptions = {},
  ): Promise<T> {
    if (this.dead) return never()
    this.#calls += 1
    if (command) this.commands.push(this.#calls)
    if (looks) this.looks.push(this.#calls)
    this.#befall()
    const { kill } = this.turn
    const killing = kill !== null && this.#has(kill)
    if (killing && kill.how === 'before') return this.#kill()
    if (killing && kill.how === 'late' && command) {
      this.world.time.after(this.world.noise() * (COMMAND_MS - 1_000), effect)
      return this.#kill()
    }
    const done = first ? { result: effect() } : null
    await this.world.time.wait(Math.ceil(this.world.noise() * ms))
    if (this.dead) {
      // It was on its way when the process died.
      if (command && this.world.noise() < 0.5) effect()
      return never()
    }
    const { result } = done ?? { result: effect() }
    return killing ? this.#kill() : result
  }

  /** Waits without calling anybody. */
  async wait(ms: number): Promise<void> {
    await this.world.time.wait(ms)
    if (this.dead) return never()
  }

  /** What strikes the call that is about to be made, if anything does. */
  struckBy(...strikes: readonly Strike[]): Struck | null {
    if (this.world.isExploring) this.offers.push({ call: this.#calls, strikes })
    if (this.#strikes.length === 0) return null
    const index = this.#strikes.findIndex(
      (trouble) => (strikes as readonly string[]).includes(trouble.what) && this.#has(trouble),
    )
    const trouble = this.#strikes[index]
    if (trouble === undefined) return null
    if (!trouble.lasting) this.#strikes.splice(index, 1)
    return { strike: trouble.what as Strike, hsm: trouble.hsm }
  }

  /** Throws where one of these strikes. */
  failIf(strike: Strike, code: string): void {
    if (this.struckBy(strike) !== null) throw new OperatorError(code, `${strike}, so the story wants it`)
  }

  /** Whether it has come to that moment. */
  #has(moment: Moment): boolean {
    const calls = 'call' in moment ? moment.call : 1 + (moment.at * this.world.usualCalls) / 1000
    return this.#calls >= calls
  }

  #befall(): void {
    const { interrupt, rival } = this.turn
    if (interrupt !== null && this.#has(interrupt)) this.stop.requested = true
    if (rival !== null && this.#has(rival)) this.#onRival()
    if (this.#conditions.length === 0) return
    for (const trouble of this.#conditions.filter((trouble) => this.#has(trouble))) {
      this.#conditions.splice(this.#conditions.indexOf(trouble), 1)
      this.world.strike(trouble)
    }
  }

  #kill(): Promise<never> {
    this.end()
    return never()
  }
}

const isCondition = ({ what }: Trouble): boolean => (CONDITIONS as readonly Condition[]).includes(what as Condition)
