import { plainText, withPlainLineEnds } from './plain-text.js'
import { Redactor } from './redactor.js'
import type { Terminal } from './terminal.js'

/** How a talk broke. */
export type BreakKind =
  | 'silent'
  | 'ended'
  /** It asks something else than what was awaited. */
  | 'unexpected-prompt'
  /** It prints more than any answer takes, or longer than any answer takes. */
  | 'endless'

/** The utility stopped talking, or ended, or talks without end where a prompt was awaited. */
export class TalkBroken extends Error {
  override readonly name = 'TalkBroken'
  readonly kind: BreakKind
  /** Everything said since the last `send`, redacted. */
  readonly heard: string

  constructor(kind: BreakKind, message: string, heard: string) {
    super(message)
    this.kind = kind
    this.heard = heard
  }
}

/** A prompt found at the end of the output. */
export interface Prompt {
  readonly name: string
}

/**
 * Finds the prompt that a line is, if it is one.
 * @param line the last one, without control characters
 * @param ownLine whether it stands on a line of its own; otherwise what was typed may stand before it
 */
export type FindPrompt<P extends Prompt> = (line: string, ownLine: boolean) => P | null

/** What the utility said up to a prompt, without the echo of what was sent; lines end with `\n`. */
export interface Reply<P extends Prompt> {
  readonly prompt: P
  /** Without terminal control sequences and other control characters. */
  readonly text: string
  /** With everything that the program printed: a name that differs in a control character is another name. */
  readonly verbatim: string
}

/** How long one reply may take, in milliseconds. */
export interface Patience {
  /** The longest pause; starts again with each byte received. */
  readonly silenceMs: number
  /** From the question to the end of the answer, however much is said. */
  readonly answerMs: number
}

export interface TalkOptions<P extends Prompt> {
  readonly now: Date
  readonly findPrompt: FindPrompt<P>
  /** The pause before a hidden entry, in milliseconds. */
  readonly settleMs?: number
}

/** Longest reply kept, in characters; 1,024 users of one HSM are about 100 KB. */
const MAX_REPLY = 32 * 1024 * 1024
/** Longest line that can be part of a reply, in characters; the longest known has some 120. */
const MAX_LINE = 64 * 1024
/** Kept of the conversation before this reply, in characters. */
const MAX_TRANSCRIPT = 64 * 1024
const TRANSCRIPT_LINES = 40
const TRANSCRIPT_COLUMNS = 200
/** The pause before a hidden entry, so that the utility has switched its echo off and flushed its input. */
const SETTLE_MS = 5

/**
 * Speaks with the utility by waiting for a prompt, sending one line and waiting for the next prompt. There is no
 * type-ahead: the utility reads left-over input as the answer to its next question.
 */
export class TerminalTalk<P extends Prompt> {
  readonly startedAt: string
  /** The exit code, once the program is gone. */
  readonly ended: Promise<number>
  readonly #terminal: Terminal
  readonly #findPrompt: FindPrompt<P>
  readonly #settleMs: number
  readonly #redactor = new Redactor()
  #transcript = ''
  #pieces: string[] = []
  #length = 0
  /** What was said since the last line feed: prompts stand there, so long listings are not searched again and again. */
  #lastLine = ''
  #longestLine = 0
  #sentLine: string | null = null
  #sentHidden = false
  /** The last command that was typed for everybody to see; an answer of one letter is none. */
  #asked: string | null = null
  #exitCode: number | null = null
  #wake: (() => void) | null = null

  constructor(terminal: Terminal, { now, findPrompt, settleMs = SETTLE_MS }: TalkOptions<P>) {
    this.startedAt = now.toISOString()
    this.#findPrompt = findPrompt
    this.#terminal = terminal
    this.#settleMs = settleMs
    terminal.onOutput((piece) => {
      this.#hear(piece)
      this.#wake?.()
    })
    this.ended = new Promise((resolve) => {
      terminal.onExit((exitCode) => {
        this.#exitCode = exitCode
        this.#wake?.()
        resolve(exitCode)
      })
    })
  }

  get pid(): number {
    return this.#terminal.pid
  }

  /** The last lines of the conversation, secrets and control characters taken out. */
  transcript(): string {
    const lines = `${this.#transcript}${this.#shown()}`.trim().split('\n').slice(-TRANSCRIPT_LINES)
    return lines
      .map((line) => (line.length > TRANSCRIPT_COLUMNS ? `${line.slice(0, TRANSCRIPT_COLUMNS)}…` : line))
      .join('\n')
  }

  /** `text` without anything that was typed as a hidden line. */
  redact(text: string): string {
    return this.#redactor.redact(text)
  }

  /** Types one line. */
  send(line: string): void {
    this.#sendLine(line, false)
  }

  /** Types one line that must not be shown, once the utility has had time to switch its echo off. */
  async sendHidden(line: string): Promise<void> {
    this.#redactor.add(line)
    if (this.#settleMs > 0) await new Promise((resolve) => setTimeout(resolve, this.#settleMs))
    this.#sendLine(line, true)
  }

  /**
   * Waits until one of `expected` stands at the end of the output.
   * @throws {TalkBroken} `unexpected-prompt` when the utility asks something else; the other kinds as they say
   */
  async expect(expected: readonly P['name'][], { silenceMs, answerMs }: Patience): Promise<Reply<P>> {
    const deadline = performance.now() + answerMs
    for (;;) {
      if (this.#longestLine > MAX_LINE) {
        throw this.#broken('endless', `the utility printed a line of more than ${MAX_LINE / 1024} KiB`)
      }
      if (this.#length > MAX_REPLY) throw this.#broken('endless', 'the utility printed without end')
      const prompt = this.#prompt()
      if (prompt !== null) {
        if (expected.includes(prompt.name)) return this.#reply(prompt)
        throw this.#broken('unexpected-prompt', `the utility asked for something unexpected (${prompt.name})`)
      }
      if (this.#exitCode !== null) throw this.#broken('ended', `the utility ended (exit ${this.#exitCode})`)
      const left = deadline - performance.now()
      if (left <= 0) {
        throw this.#broken('endless', `the utility came to no end within ${Math.round(answerMs / 1000)} s`)
      }
      if (!(await this.#nextPiece(Math.min(silenceMs, left))) && silenceMs <= left) {
        const after = this.#asked === null ? '' : ` after "${this.#asked}"`
        throw this.#broken('silent', `the utility was silent for ${Math.round(silenceMs / 1000)} s${after}`)
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

  #prompt(): P | null {
    const ownLine = this.#sentLine === null || this.#length > this.#lastLine.length
    return this.#findPrompt(plainText(this.#lastLine), ownLine)
  }

  #kill(): void {
    if (this.#exitCode === null) this.#terminal.kill()
  }

  #hear(piece: string): void {
    this.#length += piece.length
    const end = piece.lastIndexOf('\n')
    const lastLine = end < 0 ? this.#lastLine.length + piece.length : piece.length - end - 1
    // A line that ended inside of this piece is no longer than the piece and what stood before it.
    const first = piece.indexOf('\n')
    if (first >= 0) this.#longestLine = Math.max(this.#longestLine, this.#lastLine.length + first)
    this.#longestLine = Math.max(this.#longestLine, lastLine)
    // What is too much anyway is not kept.
    if (this.#length > MAX_REPLY || this.#longestLine > MAX_LINE) return
    this.#pieces.push(piece)
    this.#lastLine = end < 0 ? this.#lastLine + piece : piece.slice(end + 1)
  }

  #sendLine(line: string, hidden: boolean): void {
    this.#transcript = `${this.#transcript}${this.#shown()}`.slice(-MAX_TRANSCRIPT)
    this.#pieces = []
    this.#length = 0
    this.#lastLine = ''
    this.#longestLine = 0
    this.#sentLine = line
    this.#sentHidden = hidden
    if (!hidden && line.length > 1) this.#asked = line
    // A line feed would do in cooked mode, but programs in raw mode read Enter as a carriage return.
    this.#terminal.type(`${line}\r`)
  }

  #nextPiece(patienceMs: number): Promise<boolean> {
    return new Promise((resolve) => {
      const settle = (heard: boolean) => {
        clearTimeout(timer)
        this.#wake = null
        resolve(heard)
      }
      const timer = setTimeout(() => settle(false), patienceMs)
      this.#wake = () => settle(true)
    })
  }

  #reply(prompt: P): Reply<P> {
    const heard = this.#pieces.join('')
    const said = heard.slice(0, heard.length - this.#lastLine.length)
    return {
      prompt,
      text: this.#withoutEcho(plainText(said)).replace(/\n$/, ''),
      verbatim: this.#withoutEcho(withPlainLineEnds(said)).replace(/\n$/, ''),
    }
  }

  /** The terminal returns what was typed as the first line of the reply. */
  #withoutEcho(text: string): string {
    const sent = this.#sentLine
    if (sent === null) return text
    const body = text.startsWith(' ') ? text.slice(1) : text
    return body.startsWith(`${sent}\n`) ? body.slice(sent.length + 1) : text
  }

  /** The end of what was heard since the last `send`, as it may be shown. */
  #shown(): string {
    const heard = this.#pieces.join('')
    const from = heard.length - MAX_TRANSCRIPT
    const text = plainText(from <= 0 ? heard : heard.slice(from))
    // Whatever stands on the line of a hidden entry may be its echo, or a part of it.
    const line = from <= 0 && this.#sentHidden ? text.replace(/^[^\n]+/, '[not shown]') : text
    return this.#redactor.redact(from <= 0 ? line : line.slice(line.indexOf('\n') + 1))
  }

  #broken(kind: BreakKind, message: string): TalkBroken {
    return new TalkBroken(kind, message, this.#shown().trim())
  }
}
