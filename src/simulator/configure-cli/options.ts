/** The words typed are no use of the program; the text is that of its argument parser. */
export class UsageError extends Error {
  override readonly name = 'UsageError'

  constructor(message: string) {
    super(`error: ${message}\n\nFor more information, try '--help'.\n`)
  }
}

/** What each option takes; `flag` nothing, `list` all words up to the next option. */
const CLUSTER_OPTIONS = {
  '--cluster-id': 'value',
  '--region': 'value',
  '--endpoint': 'value',
  '--hsm-ca-cert': 'value',
  '--client-cert-hsm-tls-file': 'value',
  '--client-key-hsm-tls-file': 'value',
} as const
const ALL_OPTIONS = {
  ...CLUSTER_OPTIONS,
  '-a': 'list',
  '--enable-key-availability-check': 'flag',
  '--disable-key-availability-check': 'flag',
  '--enable-validate-key-at-init': 'flag',
  '--disable-validate-key-at-init': 'flag',
  '--default-retry-mode': 'value',
  '--log-type': 'value',
  '--log-file': 'value',
  '--log-level': 'value',
  '--log-rotation': 'value',
} as const
export type OptionName = keyof typeof ALL_OPTIONS

const TAKES = {
  configure: ALL_OPTIONS,
  'add-cluster': CLUSTER_OPTIONS,
  'remove-cluster': { '--cluster-id': 'value' },
} as const satisfies Record<string, Partial<Record<OptionName, 'value' | 'flag' | 'list'>>>
export type Subcommand = keyof typeof TAKES

const POSSIBLE: Partial<Record<OptionName, readonly string[]>> = {
  '--default-retry-mode': ['off', 'standard'],
  '--log-type': ['term', 'file'],
  '--log-level': ['error', 'warn', 'info', 'debug', 'trace'],
  '--log-rotation': ['never', 'hourly', 'daily'],
}

/** The command line, understood. */
export interface Options {
  readonly subcommand: Subcommand
  readonly values: ReadonlyMap<OptionName, readonly string[]>
}

/** @returns null where help was asked for. @throws {UsageError} */
export const readOptions = (words: readonly string[]): Options | null => {
  if (words.includes('--help') || words.includes('-h')) return null
  const [first = ''] = words
  const named = first !== '' && !first.startsWith('-')
  if (named && first !== 'add-cluster' && first !== 'remove-cluster') {
    throw new UsageError(`unrecognized subcommand '${first}'\n\nUsage: configure-cli [OPTIONS] [COMMAND]`)
  }
  const subcommand: Subcommand = named ? (first as Subcommand) : 'configure'
  const values = new Map<OptionName, readonly string[]>()
  const rest = words.slice(named ? 1 : 0)
  for (let word = rest.shift(); word !== undefined; word = rest.shift()) readOption(subcommand, word, rest, values)
  checkTogether(subcommand, values)
  return { subcommand, values }
}

const readOption = (
  subcommand: Subcommand,
  word: string,
  rest: string[],
  values: Map<OptionName, readonly string[]>,
): void => {
  const takes: Partial<Record<string, 'value' | 'flag' | 'list'>> = TAKES[subcommand]
  const [name = '', ...given] = word.startsWith('--') ? word.split('=') : [word]
  const kind = takes[name]
  if (!kind) throw new UsageError(`unexpected argument '${word}' found`)
  const option = name as OptionName
  if (values.has(option)) throw new UsageError(`the argument '${name}' cannot be used multiple times`)
  if (kind === 'flag') return void values.set(option, [])
  const found = given.length > 0 ? [given.join('=')] : []
  while (rest[0] !== undefined && !rest[0].startsWith('-') && (kind === 'list' || found.length === 0)) {
    found.push(rest.shift() ?? '')
  }
  const [value] = found
  if (value === undefined) throw new UsageError(`a value is required for '${name}' but none was supplied`)
  const possible = POSSIBLE[option]
  if (possible && !possible.includes(value)) {
    throw new UsageError(`invalid value '${value}' for '${name}'\n  [possible values: ${possible.join(', ')}]`)
  }
  values.set(option, found)
}

const checkTogether = (subcommand: Subcommand, values: ReadonlyMap<OptionName, unknown>): void => {
  const needs = (name: OptionName, other: OptionName): void => {
    if (values.has(name) && !values.has(other)) throw missing(other)
  }
  if (subcommand !== 'configure' && !values.has('--cluster-id')) throw missing('--cluster-id')
  if (values.size === 0) throw missing('-a')
  if (values.has('-a') && values.has('--cluster-id')) {
    throw new UsageError("the argument '-a' cannot be used with '--cluster-id'")
  }
  needs('--region', '--cluster-id')
  needs('--endpoint', '--cluster-id')
  needs('--client-cert-hsm-tls-file', '--client-key-hsm-tls-file')
  needs('--client-key-hsm-tls-file', '--client-cert-hsm-tls-file')
  for (const what of ['key-availability-check', 'validate-key-at-init'] as const) {
    if (values.has(`--enable-${what}`) && values.has(`--disable-${what}`)) {
      throw new UsageError(`the argument '--enable-${what}' cannot be used with '--disable-${what}'`)
    }
  }
}

const missing = (name: OptionName): UsageError =>
  new UsageError(`the following required arguments were not provided:\n  ${name}`)

export const HELP = `Usage: configure-cli [OPTIONS]
       configure-cli add-cluster --cluster-id <ID> [OPTIONS]
       configure-cli remove-cluster --cluster-id <ID>

Options:
${Object.keys(ALL_OPTIONS)
  .map((name) => `  ${name}\n`)
  .join('')}  -h, --help
`
