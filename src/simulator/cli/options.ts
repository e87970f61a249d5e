import { parseArgs } from 'node:util'
import { usage } from '../problem.js'

type OptionTypes = NonNullable<NonNullable<Parameters<typeof parseArgs>[0]>['options']>

/** `parseArgs`, with its complaints as usage problems. */
export const readOptions = <T extends OptionTypes>(args: readonly string[], options: T, positionals = false) => {
  try {
    return parseArgs({ args: [...args], options, allowPositionals: positionals, strict: true })
  } catch (error) {
    throw usage((error as Error).message.split('. ')[0] ?? 'bad options', 'lockstep-sim --help')
  }
}

/** An option that must be given. */
export const required = (value: string | undefined, name: string): string => {
  if (value === undefined || value === '') throw usage(`missing option --${name}`, 'lockstep-sim --help')
  return value
}
