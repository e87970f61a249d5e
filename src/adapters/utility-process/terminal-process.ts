import { stripVTControlCharacters } from 'node:util'
import { type IPty, spawn } from '@lydell/node-pty'
import { Redactor } from './redactor.js'

/** The utility stopped talking, or ended, where a prompt was awaited. */
export class TalkBroken extends Error {
  override readonly name = 'TalkBroken'
  readonly kind: 'silent' | 'ended' | 'unexpected-prompt'
  /** Everything said since the last `send`, redacted. */
  readonly heard: string

  constructor(kind: TalkBroken['kind'], message: string, heard: string) {
    super(message)
    this.kind = kind
    this.heard = heard
  }
}

/** A prompt found at the end of the output, and what was printed before it. */
export interface Prompt {
  readonly name: string
  readonly before: string
}

/**
 * Finds the prompt at the end of `text`, if there is one. Line ends are `\n` there.
 * @param answering whether a line was sent before `text`, so that its echo may stand there
 */
export type FindPrompt<P extends Prompt> = (text: string, answering: boolean) => P | null

/** What the utility said up to a prompt. */
export interface Reply<P extends Prompt> {
  readonly prompt: P
  /** Without the echo of what was sent and without terminal control sequences; lines end with `\n`. */
  readonly text: string
}

export interface ProcessOptions<P extends Prompt> {
  readonly cwd: string
  /** The whole environment of the program, nothing is inherited. */
  readonly env: Readonly<Record<string, string>>
  readonly now: Date
  readonly findPrompt: FindPrompt<P>
}

/** Wide enough that no table row and no echo is wrapped. */
const COLUMNS = 500
/** Longest reply kept; 1,024 users of one HSM are about 100 KB. */
const MAX_REPLY_CHARS = 32 * 1024 * 1024
const TRANSCRIPT_LINES = 40
/** The pause before a hidden entry, so that the utility has switched its echo off and flushed its input. */
const SETTLE_MS = 5

/**
 * A program in a pseudo-terminal, spoken to by waiting for a prompt, sending one line and waiting for the next
 * prompt. There is no type-ahead: the utility reads left-over input as the answer to its next question.
 */
export class TerminalProcess<P extends Prompt> {
  readonly #pty: IPty
  readonly #findPrompt: FindPrompt<P>
  readonly #redactor = new Redactor()
  #transcript = ''
  #heard = ''
  #sentLine: string | null = null
  #exitCode: number | null = null
  #wake: (() => void) | null = null
  readonly startedAt: string
  /** Its exit code, once it is gone. */
  readonly ended: Promise<number>

  /**
   * @throws {Error} when the program cannot be started
   */
  constructor(file: string, args: readonly string[], options: ProcessOptions<P>) {
    this.#findPrompt = options.findPrompt
    this.startedAt = options.now.toISOString()
    this.#pty = spawn(file, [...args], {
      name: 'dumb',
      cols: COLUMNS,
      rows: 50,
      cwd: options.cwd,
      env: { ...options.env },
    })
    this.#pty.onData((chunk) => {
      this.#heard += chunk
      this.#wake?.()
    })
    this.ended = new Promise((resolve) => {
      this.#pty.onExit(({ exitCode }) => {
        this.#exitCode = exitCode
        this.#wake?.()
        resolve(exitCode)
      })
    })
  }

  get pid(): number {
    return this.#pty.pid
  }

  /** The last lines of the conversation, secrets and control characters taken out. */
  transcript(): string {
    return this.#redactor
      .redact(clean(this.#transcript + this.#heard))
      .split('\n')
      .slice(-TRANSCRIPT_LINES)
      .join('\n')
      .trim()
  }

  /** `text` without anything that was typed as a hidden line. */
  redact(text: string): string {
    return this.#redactor.redact(text)
  }

  /** Types one line. */
  send(line: string): void {
    this.#transcript = `${this.#transcript}${this.#heard}`.slice(-64 * 1024)
    this.#heard = ''
    this.#sentLine = line
    // A line feed would do in cooked mode, but programs in raw mode read Enter as a carriage return.
    this.#pty.write(`${line}\r`)
  }

  /** Types one line that must not be shown, once the utility has had time to switch its echo off. */
  async sendHidden(line: string): Promise<void> {
    this.#redactor.add(line)
    await new Promise((resolve) => setTimeout(resolve, SETTLE_MS))
    this.send(line)
  }

  /**
   * Waits until one of `expected` stands at the end of the output.
   * @param silenceMs longest pause tolerated, in milliseconds; starts again with each byte received
   * @throws {TalkBroken} `silent`, `ended`, or `unexpected-prompt` when the utility asks something else
   */
  async expect(expected: readonly P['name'][], silenceMs: number): Promise<Reply<P>> {
    for (;;) {
      const prompt = this.#prompt()
      if (prompt !== null) {
        if (expected.includes(prompt.name)) return { prompt, text: this.#withoutEcho(prompt.before) }
        throw this.#broken('unexpected-prompt', `the utility asked for something unexpected (${prompt.name})`)
      }
      if (this.#exitCode !== null) throw this.#broken('ended', `the utility ended (exit ${this.#exitCode})`)
      if (this.#heard.length > MAX_REPLY_CHARS) throw this.#broken('silent', 'the utility printed without end')
      if (!(await this.#nextChunk(silenceMs))) {
        throw this.#broken('silent', `the utility was silent for ${Math.round(silenceMs / 1000)} s`)
      }
    }
  }

  /**
   * Says goodbye if the utility waits at its prompt, ends it otherwise, and waits until it is gone.
   * @param patienceMs how long it may take after the goodbye before it is ended, in milliseconds
   */
  async close(goodbye: string | null, patienceMs: number): Promise<void> {
    if (this.#exitCode === null && goodbye !== null) this.send(goodbye)
    else this.#kill()
    const timer = setTimeout(() => this.#kill(), patienceMs)
    await this.ended
    clearTimeout(timer)
  }

  /**
   * Leaves the program to itself, never to be ended: it is told `goodbye` once it asks for more.
   * @param prompt the prompt at which it understands that
   */
  leave(prompt: P['name'], goodbye: string): void {
    const look = (): void => {
      if (this.#exitCode !== null || this.#prompt()?.name !== prompt) return
      this.#wake = null
      this.send(goodbye)
    }
    this.#wake = look
    look()
  }

  /** It leads a session and a process group of its own, which holds whatever it was started through. */
  #kill(): void {
    if (this.#exitCode !== null) return
    for (const target of [-this.pid, this.pid]) {
      try {
        process.kill(target, 'SIGKILL')
        return
      } catch {
        // It was gone already, or has not become the leader yet; `onExit` settles the rest.
      }
    }
  }

  #prompt(): P | null {
    return this.#findPrompt(clean(this.#heard), this.#sentLine !== null)
  }

  #nextChunk(silenceMs: number): Promise<boolean> {
    return new Promise((resolve) => {
      const settle = (heard: boolean) => {
        clearTimeout(timer)
        this.#wake = null
        resolve(heard)
      }
      const timer = setTimeout(() => settle(false), silenceMs)
      this.#wake = () => settle(true)
    })
  }

  /** The terminal returns what was typed as the first line of the reply. */
  #withoutEcho(text: string): string {
    const sent = this.#sentLine
    if (sent === null) return text
    const body = text.startsWith(' ') ? text.slice(1) : text
    if (body === sent) return ''
    return body.startsWith(`${sent}\n`) ? body.slice(sent.length + 1) : text
  }

  #broken(kind: TalkBroken['kind'], message: string): TalkBroken {
    return new TalkBroken(kind, message, this.#redactor.redact(clean(this.#heard)).trim())
  }
}

/** Terminal sequences and carriage returns removed; other control characters too, but for TAB and line feed. */
const clean = (text: string): string => {
  const plain = text.includes('\u001b') || text.includes('\u009b') ? stripVTControlCharacters(text) : text
  // biome-ignore lint/suspicious/noControlCharactersInRegex: removing them is the point
  return plain.replace(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/g, '')
}
