import { openSync, writeSync } from 'node:fs'
import { ReadStream } from 'node:tty'
import { Terminal } from '../terminal.js'
import { CommandFailed } from './answer.js'
import { ASSUMED } from './assumed-texts.js'
import type { CliSettings } from './settings.js'
import { TEXTS } from './texts.js'

/** Asks for passwords without echo, once, where the settings say that the program prompts. */
export class PasswordPrompt {
  readonly #stream: CliSettings['cliPromptStream']
  #terminal: Terminal | null = null
  #device: number | null = null

  /** @param terminal what commands are typed at, where there is one already: two readers would share its input */
  constructor(stream: CliSettings['cliPromptStream'], terminal: Terminal | null) {
    this.#stream = stream
    // A here-document is no terminal: where the terminal is asked, it is opened beside it.
    if (stream !== 'terminal' || process.stdin.isTTY) this.#terminal = terminal
  }

  /** @throws {CommandFailed} there is no terminal, or no more input */
  enter(): Promise<string> {
    return this.#ask(TEXTS.enterPassword)
  }

  /** A new password, asked twice. @throws {CommandFailed} the two differ, or there is nobody to ask */
  async choose(): Promise<string> {
    const password = await this.#ask(TEXTS.enterPassword)
    if ((await this.#ask(TEXTS.confirmPassword)) !== password) throw new CommandFailed(ASSUMED.passwordsDiffer)
    return password
  }

  async #ask(prompt: string): Promise<string> {
    const onDevice = this.#stream === 'terminal'
    if (onDevice) this.#device ??= controllingTerminal()
    this.#terminal ??= new Terminal(onDevice && !process.stdin.isTTY ? new ReadStream(this.#opened()) : undefined)
    const typed = await this.#terminal.askHidden(prompt, (text) => this.#show(text))
    if (typed === null) throw new CommandFailed(ASSUMED.inputEnded)
    return typed
  }

  #show(text: string): void {
    if (this.#stream === 'stdout') process.stdout.write(text)
    else if (this.#stream === 'stderr') process.stderr.write(text)
    else writeSync(this.#opened(), text)
  }

  #opened(): number {
    if (this.#device === null) throw new CommandFailed(ASSUMED.noTerminal)
    return this.#device
  }
}

const controllingTerminal = (): number => {
  try {
    return openSync('/dev/tty', 'r+')
  } catch {
    throw new CommandFailed(ASSUMED.noTerminal)
  }
}
