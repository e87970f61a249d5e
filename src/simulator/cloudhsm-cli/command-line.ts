import { Shown, UsageError } from './answer.js'
import { ASSUMED } from './assumed-texts.js'
import type { CliCommand, Option, Values } from './command.js'
import { commandHelp, groupHelp } from './help.js'
import { atLeast, type CliSettings, SINCE } from './settings.js'

const PROGRAM = 'cloudhsm-cli'
const CONFIG: Option = { name: 'config', value: 'CONFIG', about: 'Path of the configuration file' }

/** The words of one command, understood. */
export interface Parsed {
  readonly command: CliCommand
  readonly values: Values
}

/**
 * Finds the command the words name and reads its options. The texts of mistakes have the form of the real program's
 * argument parser.
 * @param commands what can be typed here
 * @throws {UsageError}
 * @throws {Shown} help or the version was asked for
 */
export const parseCommand = (
  words: readonly string[],
  commands: readonly CliCommand[],
  settings: CliSettings,
): Parsed => {
  const known = commands.filter(({ since }) => since === undefined || atLeast(settings, since))
  const values = new Map<string, string>()
  const path: string[] = []
  const rest = [...words]
  for (;;) {
    const command = known.find((entry) => entry.path.join(' ') === path.join(' '))
    const word = rest.shift()
    if (command) {
      if (word !== undefined) rest.unshift(word)
      readOptions(command, rest, values, settings)
      return { command, values }
    }
    if (word === undefined) throw new UsageError(groupHelp(PROGRAM, path, known))
    if (word === '--help' || word === '-h') throw new Shown(groupHelp(PROGRAM, path, known))
    if (word === 'help') throw new Shown(helpAbout([...path, ...rest], known, settings))
    if ((word === '--version' || word === '-V') && path.length === 0) {
      throw new Shown(ASSUMED.version(settings.cliVersion))
    }
    if (word.startsWith('-')) {
      if (
        !readOption(
          [CONFIG].filter(() => settings.cliConfigOption),
          word,
          rest,
          values,
        )
      ) {
        throw unexpected(word, path)
      }
      continue
    }
    path.push(word)
    if (!known.some((entry) => path.every((part, at) => entry.path[at] === part))) {
      throw new UsageError(
        `error: unrecognized subcommand '${word}'\n\nUsage: ${[PROGRAM, ...path.slice(0, -1)].join(' ')} <COMMAND>\n\nFor more information, try '--help'.\n`,
      )
    }
  }
}

const helpAbout = (path: readonly string[], known: readonly CliCommand[], settings: CliSettings): string => {
  const command = known.find((entry) => entry.path.join(' ') === path.join(' '))
  return command ? commandHelp(PROGRAM, command, optionsOf(command, settings)) : groupHelp(PROGRAM, path, known)
}

/** The command's options in this version, with those that all commands have. */
const optionsOf = (command: CliCommand, settings: CliSettings): readonly Option[] => [
  ...command.options.filter(({ name }) => name !== 'cluster-id' || atLeast(settings, SINCE.multiCluster)),
  ...(settings.cliConfigOption ? [CONFIG] : []),
]

const readOptions = (command: CliCommand, rest: string[], values: Map<string, string>, settings: CliSettings): void => {
  const options = optionsOf(command, settings)
  for (let word = rest.shift(); word !== undefined; word = rest.shift()) {
    if (word === '--help' || word === '-h') throw new Shown(commandHelp(PROGRAM, command, options))
    if (!readOption(options, word, rest, values)) throw unexpected(word, command.path)
  }
  const missing = options.filter(({ name, required }) => required && !values.has(name))
  if (missing.length === 0) return
  const list = missing.map(({ name, value }) => `  --${name} <${value}>\n`).join('')
  throw new UsageError(
    `error: the following required arguments were not provided:\n${list}\n${usageOf(command)}\n\nFor more information, try '--help'.\n`,
  )
}

/** Reads one option, as `--name value` or `--name=value`. @returns false where there is none of that name */
const readOption = (options: readonly Option[], word: string, rest: string[], values: Map<string, string>): boolean => {
  const [, name = '', , given] = /^--([a-z-]+)(=(.*))?$/s.exec(word) ?? []
  const option = options.find((entry) => entry.name === name)
  if (!option) return false
  if (values.has(name)) {
    throw mistake(`the argument '--${name}${option.value ? ` <${option.value}>` : ''}' cannot be used multiple times`)
  }
  if (option.value === undefined) {
    values.set(name, '')
    return true
  }
  const value = given ?? rest.shift()
  const shown = `--${name} <${option.value}>`
  if (value === undefined) throw mistake(`a value is required for '${shown}' but none was supplied`)
  if (option.possible && !option.possible.includes(value)) {
    throw mistake(`invalid value '${value}' for '${shown}'\n  [possible values: ${option.possible.join(', ')}]`)
  }
  values.set(name, value)
  return true
}

const usageOf = (command: CliCommand): string => `Usage: ${[PROGRAM, ...command.path].join(' ')} [OPTIONS]`
const mistake = (text: string): UsageError => new UsageError(`error: ${text}\n\nFor more information, try '--help'.\n`)
const unexpected = (word: string, path: readonly string[]): UsageError =>
  new UsageError(
    `error: unexpected argument '${word}' found\n\nUsage: ${[PROGRAM, ...path].join(' ')} [OPTIONS]\n\nFor more information, try '--help'.\n`,
  )
