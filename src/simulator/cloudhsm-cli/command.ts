import type { Answer } from './answer.js'
import type { Program } from './program.js'

/** An option of a command; without `value` it is a flag. */
export interface Option {
  readonly name: string
  readonly value?: string
  readonly required?: boolean
  readonly possible?: readonly string[]
  readonly about: string
}

/** Options as they were typed, by name. */
export type Values = ReadonlyMap<string, string>

/** One command of the program. */
export interface CliCommand {
  /** Its words, e.g. `user` `list`. */
  readonly path: readonly string[]
  readonly about: string
  readonly options: readonly Option[]
  /** First version that has it. */
  readonly since?: string
  readonly run: (program: Program, values: Values) => Promise<Answer>
}
