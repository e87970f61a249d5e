import { OperatorError } from '../../../domain/errors.js'
import { type Answer, ConsoleFailure } from '../../../domain/hsm-console.js'
import type { HsmId } from '../../../domain/ids.js'

/** The run stops here; what was done stays done and the journal knows how to go on. */
export class Pause extends Error {
  override readonly name = 'Pause'
  readonly code: string
  readonly suggestions: readonly string[]

  constructor(code: string, message: string, suggestions: readonly string[] = []) {
    super(message)
    this.code = code
    this.suggestions = suggestions
  }
}

const CODES: Record<ConsoleFailure['kind'], string> = {
  unreachable: 'HSM_UNREACHABLE',
  'wrong-hsm': 'WRONG_HSM',
  limited: 'LIMITED_MODE',
  silent: 'HSM_SILENT',
  ended: 'CONNECTION_LOST',
  'not-understood': 'NOT_UNDERSTOOD',
}

const WRONG_HSM_ADVICE = [
  'it may have been replaced a moment ago: lockstep clusters list shows what AWS reports now; then try again',
  'a configuration of your own may be outdated: lockstep config check FILE, or leave --config out',
  'if neither is so, find out who answers at that address before any password is sent there',
]

const withoutAdvice = (hsmIds: readonly HsmId[]): string =>
  `where it stays away, go on without it and leave a debt: ${hsmIds.map((hsmId) => `--allow-unreachable ${hsmId}`).join(' ')} --reason TEXT`

/**
 * The code and words for a broken conversation.
 * @param goesBack whether the rotation goes back: whether it can end without an HSM shows once all others are back
 */
export const describeFailure = (
  failure: ConsoleFailure,
  goesBack: boolean,
): { code: string; message: string; suggestions: string[] } => ({
  code: CODES[failure.kind],
  message: failure.hsmIds.every((hsmId) => failure.message.includes(hsmId))
    ? failure.message
    : `${failure.message} (${failure.hsmIds.join(', ')})`,
  suggestions: [
    ...(failure.kind === 'wrong-hsm' ? WRONG_HSM_ADVICE : []),
    ...(failure.kind === 'unreachable' && !goesBack ? [withoutAdvice(failure.hsmIds)] : []),
    ...(failure.transcript === '' ? [] : [`the last lines of the conversation:\n${indent(failure.transcript)}`]),
  ],
})

/** Any failure in the middle of a run as a pause; null for faults of the program itself. */
export const toPause = (error: unknown, goesBack: boolean): Pause | null => {
  if (error instanceof Pause) return error
  if (error instanceof ConsoleFailure) {
    const { code, message, suggestions } = describeFailure(error, goesBack)
    return new Pause(code, message, suggestions)
  }
  if (error instanceof OperatorError) return new Pause(error.code, error.message, error.suggestions)
  return null
}

/** Throws one pause for all of these, under their code where they share one; faults of the program pass through. */
export const throwTogether = (all: readonly unknown[], goesBack: boolean): void => {
  // A refused officer stops several lanes by one and the same error.
  const failures = [...new Set(all)]
  const [first, second] = failures
  if (first === undefined) return
  const pauses = failures.map((error) => toPause(error, goesBack))
  const fault = pauses.indexOf(null)
  if (fault >= 0) throw failures[fault]
  if (second === undefined) throw pauses[0]
  const codes = new Set(pauses.flatMap((pause) => pause?.code ?? []))
  const [code] = codes
  throw new Pause(
    codes.size === 1 && code !== undefined ? code : 'SEVERAL_HSMS_FAILED',
    [...new Set(pauses.map((pause) => pause?.message))].join('; '),
    [...new Set(pauses.flatMap((pause) => pause?.suggestions ?? []))],
  )
}

/** An answer that is no success. */
export type FailedAnswer = Exclude<Answer, { kind: 'done' }>

/** The pause after a command that was refused or not understood, with what the operator can do. */
export const pauseAfter = (what: string, where: string, answer: FailedAnswer): Pause => {
  if (answer.kind === 'unclear' && answer.partly === true) {
    return new Pause(
      'PARTLY_DONE',
      `${what} on ${where} was done on some of its HSMs and not on others: "${answer.text}"`,
      [
        'the user may be logged in on some of them: stop the applications that use it, or --wait-for-drain 10m',
        'resume does it again on all of them, which is harmless',
      ],
    )
  }
  if (answer.kind === 'unclear') {
    return new Pause('NOT_UNDERSTOOD', `${what} on ${where} gave no clear answer: "${answer.text}"`)
  }
  switch (answer.reason) {
    case 'user-logged-in':
      return new Pause('USER_LOGGED_IN', `${what} on ${where} was refused: the user is logged in there`, [
        'stop the applications that use this user, then resume',
      ])
    case 'quorum':
      return new Pause('QUORUM_REQUIRED', `${what} on ${where} needs the approval of several officers`, [
        'this version cannot carry a quorum approval through',
      ])
    case 'copy-refused':
      return new Pause('HSM_REFUSED', `${what} on ${where} was refused: ${answer.text}`, [
        'the user may have another role, lock, quorum key or second factor there, or the clusters are no clones: lockstep users drift',
        'if neither is so: resume with --propagate change, and --current-password to keep a way back',
      ])
    case 'inconsistent':
      return new Pause('USER_INCONSISTENT', `${what} on ${where} was refused: ${answer.text}`, [
        'the HSMs of the cluster that is copied from disagree about the user: lockstep users drift says in what, and what repairs it',
        'where some of them lack the user, an officer makes it there by user create, with the password the others hold; then resume',
      ])
    default:
      return new Pause('HSM_REFUSED', `${what} on ${where} was refused: ${answer.text}`)
  }
}

const indent = (text: string): string =>
  text
    .split('\n')
    .map((line) => `      | ${line}`)
    .join('\n')
