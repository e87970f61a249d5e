import { OperatorError } from '../../src/domain/errors.js'
import { CONDITIONS, type Condition, type Strike, type Trouble, type Turn } from './story-arbitrary.js'
import type { World } from './world.js'

/** Never resolves: whoever waits for it is dead. */
const never = (): Promise<never> => new Promise(() => undefined)

/** How one call to the outside is made. */
export interface CallOptions {
  /** A command to an HSM: once sent it may be carried out whatever becomes of us. */
  readonly command?: boolean
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

/** How long an HSM may take for a command, in milliseconds. */
export const COMMAND_MS = 30_000

/**
 * One run of the program. Every call it makes to the outside goes through here: calls are counted, take their time, and
 * after a kill none is ever answered, as after SIGKILL.
 */
export class Invocation {
  /** What the program reads to learn that the operator wants to stop. */
  readonly stop = { requested: false }
  /** Resolves when the invocation is killed. */
  readonly killed: Promise<'killed'>
  /** Failed logins that it caused, by HSM and user. */
  readonly failedLogins = new Map<string, number>()
  dead = false
  openSessions = 0
  #calls = 0
  #die: () => void = () => undefined
  /** Strikes, and conditions that have not come true yet. */
  readonly #strikes: Trouble[]
  readonly #conditions: Trouble[]
  readonly #onEnd: (() => void)[] = []

  constructor(
    readonly world: World,
    readonly turn: Turn,
    readonly name: string,
    private readonly onRival: () => void = () => undefined,
  ) {
    this.killed = new Promise((resolve) => {
      this.#die = () => resolve('killed')
    })
    this.#strikes = turn.troubles.filter((trouble) => !isCondition(trouble))
    this.#conditions = turn.troubles.filter(isCondition)
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
  async call<T>(effect: () => T, { command = false, first = false, ms = 10 }: CallOptions = {}): Promise<T> {
    if (this.dead) return never()
    this.#calls += 1
    this.#befall()
    const { kill } = this.turn
    const killing = kill !== null && this.#has(kill.at)
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
    if (this.#strikes.length === 0) return null
    const index = this.#strikes.findIndex(
      ({ what, at }) => (strikes as readonly string[]).includes(what) && this.#has(at),
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
  #has(at: number): boolean {
    return this.#calls >= 1 + (at * this.world.usualCalls) / 1000
  }

  #befall(): void {
    const { interrupt, rival } = this.turn
    if (interrupt !== null && this.#has(interrupt.at)) this.stop.requested = true
    if (rival !== null && this.#has(rival.at)) this.onRival()
    if (this.#conditions.length === 0) return
    for (const trouble of this.#conditions.filter(({ at }) => this.#has(at))) {
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
