import { Command, type Errors, ux } from '@oclif/core'
import { painted } from '../adapters/terminal/painted.js'
import { pasteable } from '../adapters/terminal/pasteable.js'
import { printable, printableJson, printableLines } from '../adapters/terminal/printable.js'
import { EXIT, OperatorError } from '../domain/errors.js'
import { type Wiring, wiring } from '../wiring.js'
import { refuseDiagnostics } from './diagnostics.js'

/** The document every failing `--json` command prints before a rotation exists. */
export interface ErrorDocument {
  readonly error: { readonly code: string; readonly message: string; readonly suggestions: readonly string[] }
}

/** `error` as scripts read it; never a stack trace. */
export const errorDocument = (error: Error & { code?: unknown; suggestions?: unknown }): ErrorDocument['error'] => ({
  code: typeof error.code === 'string' ? error.code : isUsage(error) ? 'USAGE' : 'UNEXPECTED',
  message: error.message,
  suggestions: Array.isArray(error.suggestions) ? error.suggestions.map(String) : [],
})

/** Exit code an error ends the program with: its own, or 1. oclif's parser errors carry 2. */
export const exitCodeOf = (error: unknown): number => {
  if (error instanceof OperatorError) return error.exitCode
  const oclif = (error as { oclif?: { exit?: unknown } } | null)?.oclif
  return typeof oclif?.exit === 'number' ? oclif.exit : EXIT.unexpected
}

const isUsage = (error: unknown): boolean => exitCodeOf(error) === EXIT.usage

/** What every command shares: `--json` on stdout, words for people on stderr, errors without a stack. */
export abstract class BaseCommand extends Command {
  static override enableJsonFlag = true

  /** What stands behind the ports; a test puts its own here. */
  static wiring: Wiring = wiring

  protected get wiring(): Wiring {
    return BaseCommand.wiring
  }

  protected override async init(): Promise<void> {
    await super.init()
    refuseDiagnostics(process.env, process.execArgv)
  }

  /**
   * What a person asked for, on stdout. This, `note`, `catch` and `logJson` are where words leave the program: none of
   * what AWS, an HSM or a file says steers the terminal. What is said of a command stands behind it as a comment.
   */
  override log(text = ''): void {
    if (this.jsonEnabled()) return
    const lines = pasteable(printableLines(text))
    ux.stdout(process.stdout.isTTY === true && !process.env['NO_COLOR'] ? painted(lines) : lines)
  }

  override logJson(document: unknown): void {
    ux.stdout(printableJson(JSON.stringify(document, null, 2)))
  }

  /** A line for people on stderr, under `--json` too: stdout then holds the document alone. */
  protected note(text: string): void {
    ux.stderr(pasteable(printableLines(text)))
  }

  protected override toErrorJson(error: unknown): unknown {
    return { error: this.describe(error as Error) }
  }

  /** A mistake in the command line is answered at least by where the flags are explained. */
  protected describe(error: Error): ErrorDocument['error'] {
    const described = errorDocument(error)
    if (described.suggestions.length > 0 || !isUsage(error)) return described
    return { ...described, suggestions: [`lockstep ${this.id?.replaceAll(':', ' ')} --help`] }
  }

  protected override async catch(error: Errors.CLIError & { code?: string; suggestions?: string[] }): Promise<unknown> {
    // oclif ends `--help` and `this.exit()` through this path as well.
    if (error.oclif?.exit === 0) throw error
    process.exitCode = exitCodeOf(error)
    if (this.jsonEnabled()) {
      this.logJson(this.toErrorJson(error))
      return undefined
    }
    this.note(renderError(this.describe(error)))
    if (process.env['DEBUG'] && !(error instanceof OperatorError)) this.note(error.stack ?? '')
    return undefined
  }
}

/** An error in words, with what can be done about it. */
export const renderError = ({ code, message, suggestions }: ErrorDocument['error']): string => {
  // The command framework's own messages have several lines; in others a line end comes from outside.
  const said = code === 'USAGE' ? message : printable(message)
  const lines = [`Error: ${said}`, `Code: ${code}`]
  if (suggestions.length > 0) lines.push('Try this:', ...suggestions.map((suggestion) => `  * ${suggestion}`))
  if (code === 'UNEXPECTED') lines.push('This is a fault of lockstep; set DEBUG=1 to see where, and please report it.')
  return lines.join('\n')
}
