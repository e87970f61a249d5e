import type { ReadStream } from 'node:tty'

/** Exit code of a program that is interrupted: none is documented. */
const INTERRUPTED = 130
const INTERRUPT = '\u0003'
const END_OF_INPUT = '\u0004'
const ERASE = ['\u007f', '\b']
const KILL_LINE = '\u0015'

/**
 * Where the operator types and reads: a terminal, whose echo this class does itself so that passwords can go without,
 * or pipes, which echo nothing. Input typed ahead waits for its turn.
 */
export class Terminal {
  readonly #input: ReadStream
  readonly #lines: string[] = []
  #partial = ''
  #ended = false
  #hidden = false
  #wake: (() => void) | null = null

  /** @param input standard input, or the controlling terminal beside it */
  constructor(input: ReadStream = process.stdin as ReadStream) {
    this.#input = input
    if (this.#input.isTTY) this.#input.setRawMode(true)
    this.#input.setEncoding('utf8')
    this.#input.on('data', (chunk: string) => (this.#input.isTTY ? this.#typed(chunk) : this.#piped(chunk)))
    this.#input.on('end', () => this.#end())
    // A terminal that is closed from the other side reads as an error.
    this.#input.on('error', () => this.#end())
    // Nobody reads any more.
    process.stdout.on('error', () => process.exit(1))
  }

  print(text: string): void {
    process.stdout.write(text)
  }

  /** Shows `prompt` and waits for a line. @returns null when there is no more input */
  async ask(prompt: string): Promise<string | null> {
    this.print(prompt)
    return this.#nextLine()
  }

  /**
   * The same without echo; ends the prompt's line itself.
   * @param show where the prompt goes, when not to standard output
   */
  async askHidden(prompt: string, show = (text: string): void => this.print(text)): Promise<string | null> {
    // Before the prompt: whoever answers at once must not be shown.
    this.#hidden = true
    show(prompt)
    const line = await this.#nextLine()
    this.#hidden = false
    show('\n')
    return line
  }

  /** Ends the program once everything printed has been handed over. */
  exit(code: number): void {
    process.stdout.write('', () => process.exit(code))
  }

  async #nextLine(): Promise<string | null> {
    while (this.#lines.length === 0 && !this.#ended) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve
      })
    }
    return this.#lines.shift() ?? null
  }

  #typed(chunk: string): void {
    for (const character of chunk) {
      if (character === INTERRUPT) this.exit(INTERRUPTED)
      else if (character === END_OF_INPUT) {
        if (this.#partial === '') this.#end()
      } else if (ERASE.includes(character)) {
        if (this.#partial !== '') this.#echo('\b \b')
        this.#partial = this.#partial.slice(0, -1)
      } else if (character === KILL_LINE) {
        this.#echo('\b \b'.repeat(this.#partial.length))
        this.#partial = ''
      } else if (character === '\r' || character === '\n') {
        this.#echo('\n')
        this.#finishLine()
      } else {
        this.#partial += character
        this.#echo(character)
      }
    }
  }

  #piped(chunk: string): void {
    const parts = (this.#partial + chunk).split('\n')
    this.#partial = parts.pop() ?? ''
    for (const part of parts) this.#lines.push(part.replace(/\r$/, ''))
    this.#notify()
  }

  #finishLine(): void {
    this.#lines.push(this.#partial)
    this.#partial = ''
    this.#notify()
  }

  #echo(text: string): void {
    if (!this.#hidden) this.print(text)
  }

  #end(): void {
    if (this.#partial !== '') this.#finishLine()
    this.#ended = true
    this.#notify()
  }

  #notify(): void {
    const wake = this.#wake
    this.#wake = null
    wake?.()
  }
}
