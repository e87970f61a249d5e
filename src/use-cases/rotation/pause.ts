import { OperatorError } from '../../domain/errors.js'
import { ConsoleFailure } from '../../domain/hsm-console.js'

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

/** The code and words for a broken conversation. */
export const describeFailure = (failure: ConsoleFailure): { code: string; message: string; suggestions: string[] } => ({
  code: CODES[failure.kind],
  message: failure.hsmIds.every((hsmId) => failure.message.includes(hsmId))
    ? failure.message
    : `${failure.message} (${failure.hsmIds.join(', ')})`,
  suggestions: [
    ...(failure.kind === 'wrong-hsm' ? WRONG_HSM_ADVICE : []),
    ...(failure.transcript === '' ? [] : [`the last lines of the conversation:\n${indent(failure.transcript)}`]),
  ],
})

/** Any failure in the middle of a run as a pause; faults of the program itself pass through. */
export const asPause = (error: unknown): Pause | null => {
  if (error instanceof Pause) return error
  if (error instanceof ConsoleFailure) {
    const { code, message, suggestions } = describeFailure(error)
    return new Pause(code, message, suggestions)
  }
  if (error instanceof OperatorError) return new Pause(error.code, error.message, error.suggestions)
  return null
}

const indent = (text: string): string =>
  text
    .split('\n')
    .map((line) => `      | ${line}`)
    .join('\n')
