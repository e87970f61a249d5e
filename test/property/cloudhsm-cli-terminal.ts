import type { CliTerminal } from '../../src/adapters/utilities/cloudhsm-cli/conversation.js'
import type { CliPrompt, CliPromptName } from '../../src/adapters/utilities/cloudhsm-cli/prompts.js'
import { type Reply, TalkBroken } from '../../src/adapters/utilities/process/terminal-talk.js'
import type { DirectProgram, Fate } from './cloudhsm-cli-program.js'
import type { Invocation } from './invocation.js'
import { Talk } from './talk.js'

/** Commands that a password is typed for, and how often. */
const PASSWORDS: readonly (readonly [RegExp, readonly CliPromptName[]])[] = [
  [/^login /, ['password']],
  [/^user change-password /, ['password', 'confirmation']],
]
const LOGIN = /^login /
/** Commands that only whoever holds the locks may give. */
const GUARDED = /^(?:login|user change-password|user replicate) /

/** What the adapter of cloudhsm-cli speaks to: no terminal, and answers as the story wants them. */
export class DirectTerminal implements CliTerminal {
  readonly startedAt: string
  readonly pid: number
  readonly ended: Promise<number> = new Promise(() => undefined)
  readonly #invocation: Invocation
  readonly #program: DirectProgram
  readonly #talk: Talk
  #line: string | null = null
  #typed: string[] = []

  constructor(invocation: Invocation, program: DirectProgram) {
    this.#invocation = invocation
    this.#program = program
    this.#talk = new Talk(invocation, {
      // An HSM that is gone takes its line with it, and the program goes on with the others.
      isLost: () => false,
      hangUp: () => program.close(),
      failure: (kind) => new TalkBroken(kind, `the utility is ${kind}`, ''),
    })
    this.pid = this.#talk.process.pid
    this.startedAt = this.#talk.process.startedAt
  }

  send(line: string): void {
    this.#line = line
    this.#typed = []
  }

  async sendHidden(line: string): Promise<void> {
    this.#typed.push(line)
  }

  async expect(expected: readonly CliPromptName[]): Promise<Reply<CliPrompt>> {
    const line = this.#line
    if (line === null) return prompted('command', '')
    const prompts = PASSWORDS.find(([pattern]) => pattern.test(line))?.[1] ?? []
    const asks = prompts[this.#typed.length]
    if (asks !== undefined && expected.includes(asks)) return prompted(asks, '')
    return prompted('command', (await this.#run(line)) ?? 'words that nobody knows')
  }

  redact(text: string): string {
    return text
  }

  transcript(): string {
    return ''
  }

  leave(): void {
    this.#talk.leave()
  }

  close(): Promise<void> {
    return this.#talk.close()
  }

  #run(line: string): Promise<string | null> {
    if (GUARDED.test(line)) this.#invocation.world.witness.isAllowed(this.#invocation)
    const [password = ''] = this.#typed
    const fate = this.#fateOf(line)
    return this.#talk.command(
      () => this.#program.run(line, password, fate),
      (hsm) => this.#program.run(line, password, { what: 'half', hsm }),
    )
  }

  #fateOf(line: string): Fate | null {
    const ofLogin = LOGIN.test(line) ? this.#invocation.struckBy('refuse-login', 'refuse-login-counted') : null
    const struck = ofLogin ?? this.#invocation.struckBy('refuse-one', 'lose-one', 'lose-one-after')
    return struck === null ? null : ({ what: struck.strike, hsm: struck.hsm } as Fate)
  }
}

const prompted = (name: CliPromptName, text: string): Reply<CliPrompt> => ({ prompt: { name }, text, verbatim: text })
