import type { UtilityProcess } from '../../src/domain/hsm-console.js'
import { COMMAND_MS, type Invocation, type Struck } from './invocation.js'

/** How a conversation broke, once it had begun. */
export type Break = 'silent' | 'ended'

/** What the two utilities do differently. */
interface TalkParts {
  /** Whether the utility has lost so much that it takes no further command. */
  readonly isLost: () => boolean
  /** Closes the connections to HSMs. */
  readonly hangUp: () => void
  readonly failure: (kind: Break) => Error
}

type Half = (hsm: number) => unknown

const STRIKES = ['silent', 'die-after', 'drop', 'drop-after', 'late', 'unclear', 'half'] as const

/** A running utility of an invocation: the commands it is given one after the other, and what the story makes of them. */
export class Talk {
  readonly process: UtilityProcess
  readonly #invocation: Invocation
  readonly #parts: TalkParts
  #underWay = 0
  #broken: Break | null = null
  #over = false
  #connected = true

  constructor(invocation: Invocation, parts: TalkParts) {
    this.#invocation = invocation
    this.#parts = parts
    const { world } = invocation
    this.process = { pid: world.newPid(), startedAt: world.time.now().toISOString() }
    invocation.openSessions += 1
    invocation.onEnd(() => {
      // A utility at its prompt ends with the terminal it ran in; one with a command under way may not.
      if (this.#underWay > 0 && invocation.turn.kill?.orphans === true) this.#liveOn()
      else this.#hangUp()
    })
  }

  /**
   * One command.
   * @param half carries it out on some HSMs alone, as the story's number says, where the utility dies meanwhile
   * @returns what came of it; null where the answer is in words that nobody knows
   */
  async command<T>(carryOut: () => T | Promise<T>, half: Half = () => undefined): Promise<T | null> {
    if (this.#broken !== null || this.#over) throw this.#parts.failure(this.#broken ?? 'ended')
    if (this.#parts.isLost()) return this.#lose({ strike: 'drop', hsm: 0 }, carryOut, half)
    const struck = this.#invocation.struckBy(...STRIKES)
    if (struck !== null && struck.strike !== 'unclear') return this.#lose(struck, carryOut, half)
    this.#underWay += 1
    const done = struck === null || struck.hsm % 2 === 0
    const result = await this.#invocation.call<T | null | Promise<T>>(done ? carryOut : () => null, COMMAND)
    this.#underWay -= 1
    return struck === null ? result : null
  }

  /** What is under way when a broken conversation is given up stays under way on the HSM. */
  async close(): Promise<void> {
    if (!this.#over) await this.#invocation.call(() => this.#hangUp())
  }

  /** Nobody waits for it any more, and nobody ends it. */
  leave(): void {
    if (this.#over) return
    this.#end()
    this.#liveOn()
  }

  async #lose({ strike, hsm }: Struck, carryOut: () => unknown, half: Half): Promise<never> {
    const { time, noise } = this.#invocation.world
    const silent = strike === 'silent' || strike === 'die-after'
    this.#broken = silent ? 'silent' : 'ended'
    this.#underWay += 1
    const executes = strike === 'die-after' || strike === 'drop-after'
    await this.#invocation.call(() => {
      if (executes) return carryOut()
      if (strike === 'half') return half(hsm)
      if (strike === 'late') time.after(noise() * (COMMAND_MS - 1_000), carryOut)
      return undefined
    }, COMMAND)
    if (silent) await this.#invocation.wait(COMMAND_MS)
    this.#underWay -= 1
    throw this.#parts.failure(this.#broken)
  }

  /** Without us, until somebody ends it or its own patience does. */
  #liveOn(): void {
    const { orphans, time, noise } = this.#invocation.world
    const gone = new Promise<void>((resolve) => {
      const end = () => {
        this.#hangUp()
        resolve()
      }
      orphans.set(this.process.pid, { end, gone: () => gone })
      time.after(noise() * COMMAND_MS, end)
    })
  }

  #end(): void {
    if (this.#over) return
    this.#over = true
    this.#invocation.openSessions -= 1
  }

  #hangUp(): void {
    this.#end()
    if (!this.#connected) return
    this.#connected = false
    this.#parts.hangUp()
  }
}

const COMMAND = { command: true, ms: 40 } as const
