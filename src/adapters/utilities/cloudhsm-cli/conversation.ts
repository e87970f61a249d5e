import { ConsoleFailure, type ConsoleFailureKind } from '../../../domain/hsm-console.js'
import type { HsmId } from '../../../domain/ids.js'
import type { RosterEntry } from '../../../domain/roster.js'
import type { Secret } from '../../../domain/secret.js'
import { NotUnderstood } from '../process/not-understood.js'
import type { SilenceLimits } from '../process/silence-limits.js'
import { type Patience, type Reply, TalkBroken, type TerminalTalk } from '../process/terminal-talk.js'
import { type CliAnswer, failureText, parseAnswer } from './json-answer.js'
import type { CliPrompt, CliPromptName } from './prompts.js'

/** The terminal this program runs in. */
export type CliTerminal = Pick<TerminalTalk<CliPrompt>, keyof TerminalTalk<CliPrompt>>

/** One command of the program. */
export interface CliCommand {
  readonly words: readonly string[]
  /**
   * What it asks for, typed at its prompts: once for a login, twice for a new password. The argument list of a process
   * and its environment can be read by others on the machine, a terminal without echo cannot.
   */
  readonly secret?: Secret
  readonly confirmed?: boolean
  /** Whether it changes an HSM, so that it must not be ended in the middle. */
  readonly writes?: boolean
}

/** What a command came to, and whether it got as far as asking for a password. */
export interface Outcome {
  readonly answer: CliAnswer
  readonly asked: boolean
}

/** A program that says something again and again while it tries is given as long again. */
const patience = (silenceMs: number): Patience => ({ silenceMs, answerMs: 2 * silenceMs })

const breakKind = ({ kind }: TalkBroken): ConsoleFailureKind =>
  kind === 'silent' || kind === 'ended' ? kind : 'not-understood'

/** Commands and their answers, one after the other, in the program's interactive mode. */
export class Conversation {
  readonly #terminal: CliTerminal
  readonly #limits: SilenceLimits
  readonly #onEnded: () => Promise<void>
  #hsmIds: readonly HsmId[]
  /** Whether the program waits at its command prompt, so that `quit` would be understood. */
  #atPrompt = false
  #writing = false

  /** @param onEnded cleans up once the process is gone */
  constructor(
    terminal: CliTerminal,
    servers: readonly RosterEntry[],
    limits: SilenceLimits,
    onEnded: () => Promise<void>,
  ) {
    this.#terminal = terminal
    this.#limits = limits
    this.#onEnded = onEnded
    this.#hsmIds = servers.map(({ hsmId }) => hsmId)
  }

  /** Failures speak of these HSMs from now on. */
  speakOf(hsmIds: readonly HsmId[]): void {
    this.#hsmIds = hsmIds
  }

  /**
   * Waits for the first command prompt.
   * @throws {TalkBroken}
   */
  async begin(): Promise<void> {
    await this.#terminal.expect(['command'], patience(this.#limits.startupMs))
    this.#atPrompt = true
  }

  /** @throws {ConsoleFailure} */
  async run({ words, secret, confirmed = false, writes = false }: CliCommand): Promise<Outcome> {
    this.#atPrompt = false
    this.#writing = writes && secret === undefined
    this.#terminal.send(words.join(' '))
    let reply = await this.#listen(secret === undefined ? ['command'] : ['command', 'password'])
    const asked = secret !== undefined && reply.prompt.name === 'password'
    if (asked) {
      this.#writing = writes
      await this.#terminal.sendHidden(secret.reveal())
      reply = await this.#listen(confirmed ? ['command', 'confirmation'] : ['command'])
      if (reply.prompt.name === 'confirmation') {
        await this.#terminal.sendHidden(secret.reveal())
        reply = await this.#listen(['command'])
      }
    }
    this.#atPrompt = true
    this.#writing = false
    const { text, verbatim } = reply
    return { answer: this.understand(() => this.#redacted(parseAnswer(text, verbatim))), asked }
  }

  /**
   * The data of a command that only reads, as `parse` understands them.
   * @throws {ConsoleFailure} `not-understood`, also where the command failed
   */
  async read<T>(words: readonly string[], parse: (data: unknown) => T): Promise<T> {
    const { answer } = await this.run({ words })
    if (answer.kind === 'answered' && answer.errorCode === 0) return this.understand(() => parse(answer.data))
    throw this.failure('not-understood', `"${words.join(' ')}" failed: ${failureText(answer)}`)
  }

  /** @throws {ConsoleFailure} `not-understood` in the place of `NotUnderstood` */
  understand<T>(parse: () => T): T {
    try {
      return parse()
    } catch (error) {
      throw error instanceof NotUnderstood ? this.failure('not-understood', error.message) : error
    }
  }

  failure(kind: ConsoleFailureKind, message: string, hsmIds = this.#hsmIds): ConsoleFailure {
    return new ConsoleFailure(kind, this.#terminal.redact(message), hsmIds, this.#terminal.transcript())
  }

  /** Some of these HSMs do not answer, and it is not seen which. */
  someSilent(message: string, hsmIds: readonly HsmId[]): ConsoleFailure {
    return new ConsoleFailure('silent', this.#terminal.redact(message), hsmIds, this.#terminal.transcript(), true)
  }

  /** Never ends a program in the middle of a write: after the patience for a goodbye it is left to itself. */
  async close(): Promise<void> {
    if (this.#writing && !(await this.#writeIsOver())) {
      this.#terminal.leave('command', 'quit')
      void this.#terminal.ended.then(this.#onEnded).catch(() => undefined)
      return
    }
    await this.#terminal.close(this.#atPrompt ? 'quit' : null, this.#limits.goodbyeMs)
    await this.#onEnded()
  }

  async #writeIsOver(): Promise<boolean> {
    try {
      const { goodbyeMs, commandMs } = this.#limits
      await this.#terminal.expect(['command'], patience(Math.min(goodbyeMs, commandMs)))
      this.#atPrompt = true
      return true
    } catch (error) {
      // A program that asks for something has ended its write, or not begun it.
      return error instanceof TalkBroken && error.kind !== 'silent' && error.kind !== 'endless'
    }
  }

  async #listen(expected: readonly CliPromptName[]): Promise<Reply<CliPrompt>> {
    try {
      return await this.#terminal.expect(expected, patience(this.#limits.commandMs))
    } catch (error) {
      if (!(error instanceof TalkBroken)) throw error
      throw this.failure(breakKind(error), error.message)
    }
  }

  #redacted(answer: CliAnswer): CliAnswer {
    if (answer.kind === 'plain') return { kind: 'plain', text: this.#terminal.redact(answer.text) }
    return typeof answer.data === 'string' ? { ...answer, data: this.#terminal.redact(answer.data) } : answer
  }
}
