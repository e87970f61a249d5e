import { askFault } from '../control-client.js'
import {
  FAULTS,
  type FaultKind,
  type FaultOption,
  type FaultOptions,
  type FaultRequest,
  isFaultName,
} from '../faults/catalogue.js'
import { usage } from '../problem.js'
import { readOptions, required } from './options.js'
import { resolveSecret } from './secret.js'

const TEXT = { type: 'string' } as const
const FLAG = { type: 'boolean' } as const
const OPTIONS = {
  user: TEXT,
  operation: TEXT,
  nth: TEXT,
  from: TEXT,
  ms: TEXT,
  count: TEXT,
  times: TEXT,
  region: TEXT,
  cluster: TEXT,
  state: TEXT,
  users: TEXT,
  password: TEXT,
  executes: FLAG,
  counted: FLAG,
  'aws-too': FLAG,
} as const satisfies Record<FaultOption, { type: 'string' | 'boolean' }>

/** A fault command line as a request. @throws {Problem} unknown kind, or an option the kind does not take or lacks */
export const readFault = (
  args: readonly string[],
): { dir: string | undefined; json: boolean; request: FaultRequest } => {
  const { positionals, values } = readOptions(
    args,
    { dir: TEXT, hsm: { type: 'string', multiple: true }, off: FLAG, json: FLAG, ...OPTIONS } as const,
    true,
  )
  const [kind, ...others] = positionals
  if (kind === undefined) throw usage('which fault?', `one of: ${Object.keys(FAULTS).join(', ')}`)
  if (!isFaultName(kind)) throw usage(`unknown fault "${kind}"`, `one of: ${Object.keys(FAULTS).join(', ')}`)
  if (others.length > 0) throw usage(`unexpected argument "${others[0]}"`)
  const { dir, hsm = [], json = false, off = false, ...options } = values
  refuseWrongOptions(kind, FAULTS[kind], options, hsm, off)
  if (options.password !== undefined) options.password = resolveSecret('--password', options.password)
  return { dir, json, request: { kind, off, hsms: hsm, options: { ...options } } }
}

const refuseWrongOptions = (
  kind: string,
  { needs = [], takes, target }: FaultKind,
  options: FaultOptions,
  hsms: readonly string[],
  off: boolean,
): void => {
  const stray = (Object.keys(options) as FaultOption[]).find((name) => !takes.includes(name))
  const list = takes.map((name) => `--${name}`).join(', ') || 'none'
  if (stray !== undefined) throw usage(`fault ${kind} takes no --${stray}`, `its options: ${list}`)
  const lacking = needs.find((name) => options[name] === undefined)
  // Switching off by kind alone is enough, except where users are told apart.
  if (lacking !== undefined && (!off || lacking === 'user' || lacking === 'cluster')) {
    throw usage(`fault ${kind} needs --${lacking}`, `its options: ${list}`)
  }
  if (target !== 'hsm' && hsms.length > 0)
    throw usage(`fault ${kind} takes no --hsm`, `it strikes ${target === 'aws' ? 'AWS calls' : 'a cluster'}`)
}

/** `fault`: switches one on, or off. */
export const fault = async (args: readonly string[]): Promise<number> => {
  const { dir, json, request } = readFault(args)
  const report = await askFault(required(dir, 'dir'), request)
  const what = `${report.kind} ${report.off ? 'off' : 'on'}`
  process.stdout.write(json ? `${JSON.stringify(report)}\n` : `${[what, ...report.hsms].join(' ')}\n`)
  return 0
}
