import { Flags } from '@oclif/core'
import { usageError } from '../domain/errors.js'
import { type HsmId, isHsmId, isRotationId, type RotationId } from '../domain/ids.js'
import type { RotationFacts } from '../domain/rotation/journal-entry.js'
import { DEFAULT_LOCKOUT_LIMIT } from '../domain/rotation/login-budget.js'
import { REPAIR } from '../domain/rotation/procedures/repair.js'
import { ROLLBACK_STAGES, STAGES, type Stage } from '../domain/rotation/stage.js'
import type { UtilityName } from '../domain/utility/utility.js'
import type { RunOptions } from '../use-cases/rotation/ports.js'
import { repeatable, utilityChoiceFlag } from './flags.js'

/**
 * How long a utility may be silent while it connects and while it runs a command, in seconds. The banner of
 * cloudhsm_mgmt_util says that connecting may take long; a user command is a matter of milliseconds there. cloudhsm-cli
 * tries again by itself: a blocked operation was measured to take 87 s before its error appeared.
 */
const SILENCE_S: Readonly<Record<UtilityName, { readonly startup: number; readonly command: number }>> = {
  cmu: { startup: 120, command: 30 },
  'cloudhsm-cli': { startup: 180, command: 180 },
}

/** How long the utility may be silent, in milliseconds. */
export const silenceLimits = (
  flags: { readonly 'silence-timeout'?: number | undefined },
  utility: UtilityName,
): { readonly startupMs: number; readonly commandMs: number } => ({
  startupMs: (flags['silence-timeout'] ?? SILENCE_S[utility].startup) * 1000,
  commandMs: (flags['silence-timeout'] ?? SILENCE_S[utility].command) * 1000,
})

/** Flags of every command that talks to HSMs. */
export const utilityFlags = {
  cmu: Flags.string({
    description: 'cloudhsm_mgmt_util, where AWS did not install it in its usual place.',
    env: 'LOCKSTEP_CMU',
    helpGroup: 'UTILITY',
    helpValue: 'PATH',
  }),
  'cloudhsm-cli': Flags.string({
    description: 'cloudhsm-cli, where AWS did not install it in its usual place.',
    env: 'LOCKSTEP_CLOUDHSM_CLI',
    helpGroup: 'UTILITY',
    helpValue: 'PATH',
  }),
  concurrency: Flags.integer({
    description: 'How many sessions of the utility may be open at once.',
    default: 8,
    min: 1,
    max: 64,
    helpGroup: 'UTILITY',
  }),
  'silence-timeout': Flags.integer({
    description: `How many seconds the utility may be silent before the HSM counts as not answering. Without it: ${SILENCE_S.cmu.startup} while cmu connects and ${SILENCE_S.cmu.command} while it runs a command; ${SILENCE_S['cloudhsm-cli'].command} for cloudhsm-cli.`,
    min: 1,
    max: 3600,
    helpGroup: 'UTILITY',
  }),
}

/** For `--allow-unreachable` and `--leave-out`; who takes only one of them says so. */
const reasonFlag = {
  reason: Flags.string({ description: 'Why an HSM, or a cluster that is lost, may stay behind.', helpValue: 'TEXT' }),
}

/** Which clusters and users a rotation is about. */
export const planFlags = {
  ...utilityChoiceFlag,
  source: Flags.string({ description: 'Cluster that is changed first.', helpValue: 'CLUSTER' }),
  destination: Flags.string({
    description: 'Cluster that follows; may be given several times. Without it the source is rotated by itself.',
    helpValue: 'CLUSTER',
    ...repeatable,
  }),
  user: Flags.string({
    description: 'User to rotate, e.g. CU:app_crypto; may be given several times.',
    helpValue: 'CU:NAME',
    ...repeatable,
  }),
  'leave-out': Flags.string({
    description:
      'Member of the clone family that stays on the old credential. One that is lost, or is left out with --reason, is a debt.',
    helpValue: 'CLUSTER',
    ...repeatable,
  }),
  ...reasonFlag,
  'create-missing': Flags.boolean({ description: 'Copy a user to HSMs on which it does not exist.' }),
  'allow-kmsuser': Flags.boolean({ description: 'Allow kmsuser, which belongs to an AWS KMS custom key store.' }),
  'accept-unproven-clone': Flags.boolean({
    description: 'Go on although AWS shows no proof that the clusters are clones.',
  }),
  'lockout-limit': Flags.integer({
    description: 'The failed login that locks a user.',
    default: DEFAULT_LOCKOUT_LIMIT,
    min: 3,
    max: 50,
  }),
}

/** Where credentials are kept. */
export const storeFlags = {
  store: Flags.string({
    description: 'Where credentials are kept: file:PATH, secretsmanager:ID or command:CMD.',
    helpValue: 'STORE',
    helpGroup: 'STORE',
  }),
  'store-passphrase': Flags.string({
    description: 'Passphrase of a file store.',
    helpValue: 'SECRET',
    helpGroup: 'STORE',
  }),
  'store-recipient': Flags.string({
    description: 'age recipient a file store is encrypted to; may be given several times.',
    helpValue: 'KEY',
    helpGroup: 'STORE',
    ...repeatable,
  }),
  'store-identity': Flags.string({
    description: 'age identity that reads a store encrypted to recipients.',
    helpValue: 'SECRET',
    helpGroup: 'STORE',
  }),
}

/** A lock that other machines see. */
export const lockFlags = {
  lock: Flags.string({
    description: 'Lock that other machines see as well, beside the one on this machine.',
    env: 'LOCKSTEP_LOCK',
    helpValue: 'dynamodb:TABLE',
  }),
}

/** Who does the work, and how. */
export const runFlags = {
  ...lockFlags,
  officer: Flags.string({
    description: 'Crypto officer who does the work; with CLUSTER= on that cluster alone. May be given several times.',
    helpValue: '[CLUSTER=]NAME',
    ...repeatable,
  }),
  'officer-password': Flags.string({
    description: "The officer's password; with CLUSTER= on that cluster alone. May be given several times.",
    helpValue: '[CLUSTER=]SECRET',
    ...repeatable,
  }),
  'retry-officer': Flags.boolean({ description: "Try the officer's password although it was refused before." }),
  'current-password': Flags.string({
    description: 'Current password, for every user or per user; proved on each HSM and kept as a way back.',
    helpValue: '[USER=]SECRET',
    ...repeatable,
  }),
  propagate: Flags.string({
    description: 'How the password reaches the HSMs after the first.',
    options: ['auto', 'sync', 'change'],
    default: 'auto',
  }),
  'accept-no-way-back': Flags.boolean({ description: 'Go on although nothing could give the old credential back.' }),
  'overwrite-other': Flags.boolean({
    description: 'Write also where somebody else has changed the password meanwhile.',
  }),
  'pause-before': Flags.string({ description: 'Pause before this stage.', helpValue: 'STAGE' }),
  'wait-for-drain': Flags.string({
    description: 'How long to wait for a user that is logged in somewhere, e.g. 90s, 10m, 1h.',
    helpValue: 'TIME',
    default: '0s',
  }),
  'allow-unreachable': Flags.string({
    description:
      'HSM that may stay behind if it cannot be reached; the rotation then completes with debt. A rollback leaves an HSM that was written behind only with a whole cluster of which none answers.',
    helpValue: 'HSM',
    dependsOn: ['reason'],
    ...repeatable,
  }),
  ...reasonFlag,
  'max-errors': Flags.integer({
    description: 'How many HSMs of a wave may fail before the waves after it are left alone.',
    default: 0,
    min: 0,
  }),
  'before-change': Flags.string({
    description: 'Command to run before the first change; the run pauses when it fails.',
    helpValue: 'CMD',
  }),
  'after-finalize': Flags.string({
    description: 'Command to run once every HSM holds the password.',
    helpValue: 'CMD',
  }),
  'accept-new-serials': Flags.string({
    description:
      'Cluster whose HSMs may show other serial numbers than before, because AWS has replaced some under their IDs.',
    helpValue: 'CLUSTER',
    ...repeatable,
  }),
  yes: Flags.boolean({ description: 'Answer the question before the first change with yes.', char: 'y' }),
}

/** @throws {OperatorError} `ROTATION_MALFORMED` (exit 2) */
export const parseRotationId = (text: string): RotationId => {
  if (isRotationId(text)) return text
  throw usageError('ROTATION_MALFORMED', `"${text}" is not the ID of a rotation`, ['lockstep rotate list'])
}

/** Nothing is written down before store-pending, so there is nothing to pause. */
const ROTATE_STAGES: readonly Stage[] = STAGES.filter((stage) => stage !== 'preflight')

export const REPAIR_STAGES: readonly Stage[] = [...new Set(REPAIR.map(({ stage }) => stage))]

/** The stages that a rotation which is taken up can be paused before. */
export const stagesOf = (procedure: RotationFacts['procedure'], goesBack: boolean): readonly Stage[] => {
  if (goesBack) return ROLLBACK_STAGES
  return procedure === 'repair' ? REPAIR_STAGES : ROTATE_STAGES
}

/** @throws {OperatorError} `UNKNOWN_STAGE` (exit 2) */
const parsePauseBefore = (text: string | undefined, stages: readonly Stage[]): Stage | null => {
  if (text === undefined) return null
  const stage = stages.find((candidate) => candidate === text)
  if (stage !== undefined) return stage
  throw usageError('UNKNOWN_STAGE', `there is no stage "${text}" to pause before`, [`stages: ${stages.join(', ')}`])
}

const UNITS: Readonly<Record<string, number>> = { s: 1_000, m: 60_000, h: 3_600_000 }

/**
 * A time such as `90s`, `10m` or `1h`, in milliseconds.
 * @throws {OperatorError} `BAD_TIME` (exit 2)
 */
export const parseTime = (text: string, flag: string): number => {
  const match = /^(\d{1,6})([smh])$/.exec(text)
  if (match !== null) return Number(match[1]) * (UNITS[match[2] ?? 's'] ?? 0)
  throw usageError('BAD_TIME', `${flag} "${text}" is not a time`, [`${flag} 90s`, `${flag} 10m`, `${flag} 1h`])
}

/**
 * The options of a run as its flags say them.
 * @param stages those that it can be paused before
 */
export const runOptions = (flags: RunFlagValues, stages: readonly Stage[] = ROTATE_STAGES): RunOptions => ({
  propagate: (flags.propagate ?? 'auto') as RunOptions['propagate'],
  acceptNoWayBack: flags['accept-no-way-back'] ?? false,
  overwriteOther: flags['overwrite-other'] ?? false,
  pauseBefore: parsePauseBefore(flags['pause-before'], stages),
  drainMs: parseTime(flags['wait-for-drain'], '--wait-for-drain'),
  maxErrors: flags['max-errors'] ?? 0,
  mayStayBehind: { hsmIds: (flags['allow-unreachable'] ?? []).map(parseHsmId), reason: flags.reason ?? '' },
})

interface RunFlagValues {
  readonly propagate?: string
  readonly 'accept-no-way-back'?: boolean
  readonly 'overwrite-other'?: boolean
  readonly 'pause-before'?: string | undefined
  readonly 'wait-for-drain': string
  readonly 'max-errors'?: number
  readonly 'allow-unreachable'?: readonly string[] | undefined
  readonly reason?: string | undefined
}

const parseHsmId = (text: string): HsmId => {
  if (isHsmId(text)) return text
  throw usageError('BAD_HSM', `--allow-unreachable "${text}" is not the ID of an HSM`, [
    'lockstep clusters list --json',
  ])
}

/** A flag a command cannot do without, asked for in our own words. */
export const requireFlag = <T>(value: T | undefined, flag: string, example: string): T => {
  if (value !== undefined) return value
  throw usageError('FLAG_MISSING', `${flag} is missing`, [example])
}
