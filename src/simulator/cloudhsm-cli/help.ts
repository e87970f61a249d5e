import type { CliCommand, Option } from './command.js'

/** Help of one command, in the form of the real program's argument parser. */
export const commandHelp = (program: string, command: CliCommand, options: readonly Option[]): string => {
  const required = options.filter((option) => option.required).map(shown)
  const lines = options.map((option) => `      ${shown(option).padEnd(48)} ${option.about}`)
  const usage = [program, ...command.path, '[OPTIONS]', ...required].join(' ')
  return `${command.about}\n\nUsage: ${usage}\n\nOptions:\n${lines.join('\n')}\n  -h, --help${' '.repeat(43)} Print help\n`
}

/** Help of the words that only lead to commands. */
export const groupHelp = (program: string, path: readonly string[], commands: readonly CliCommand[]): string => {
  const below = commands.filter((command) => path.every((part, at) => command.path[at] === part))
  const words = [...new Set(below.map((command) => command.path[path.length] ?? ''))]
  const about = (word: string): string =>
    below.find((command) => command.path.length === path.length + 1 && command.path[path.length] === word)?.about ?? ''
  const lines = [...words, 'help'].map((word) => `  ${word.padEnd(20)} ${about(word)}`.trimEnd())
  return `Usage: ${[program, ...path].join(' ')} <COMMAND>\n\nCommands:\n${lines.join('\n')}\n\nOptions:\n  -h, --help\n`
}

const shown = ({ name, value }: Option): string => (value === undefined ? `--${name}` : `--${name} <${value}>`)
