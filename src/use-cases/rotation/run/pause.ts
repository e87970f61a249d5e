import { showCluster } from '../../../domain/cluster.js'
import { OperatorError } from '../../../domain/errors.js'
import { type Answer, ConsoleFailure } from '../../../domain/hsm-console.js'
import type { HsmId } from '../../../domain/ids.js'
import { allowUnreachable, type Roster } from '../../../domain/roster.js'

/** The run stops here; what was done stays done and the journal knows how to go on. */
export class Pause extends Error {
  override readonly name = 'Pause'
  readonly code: string
  readonly suggestions: readonly string[]
  /** HSMs that it speaks of because they cannot be reached. */
  readonly away: readonly HsmId[]

  constructor(code: string, message: string, suggestions: readonly string[] = [], away: readonly HsmId[] = []) {
    super(message)
    this.code = code
    this.suggestions = suggestions
    this.away = away
  }
}

/**
 * The flags without which a command on the rotation would be refused again for what stopped it, each with a blank before it.
 */
export const flagsAgainst = (code: string): string => (code.startsWith('OFFICER_REFUSED') ? ' --retry-officer' : '')

const CODES: Record<ConsoleFailure['kind'], string> = {
  unreachable: 'HSM_UNREACHABLE',
  'wrong-hsm': 'WRONG_HSM',
  limited: 'LIMITED_MODE',
  silent: 'HSM_SILENT',
  ended: 'CONNECTION_LOST',
  'not-understood': 'NOT_UNDERSTOOD',
}

const WRONG_HSM_ADVICE = [
  'it may have been replaced a moment ago: lockstep clusters list   shows what AWS reports now; then try again',
  'a configuration of your own may be outdated: lockstep config check FILE   tells; or leave --config out',
  'if neither is so, find out who answers at that address before any password is sent there',
]

const withoutAdvice = (hsmIds: readonly HsmId[]): string => {
  const flags = allowUnreachable(hsmIds.map((hsmId) => ({ hsmId })))
  return hsmIds.length === 1
    ? `where it stays away, go on without it and leave a debt: ${flags} --reason TEXT`
    : `where they stay away, go on without them and leave debts: ${flags} --reason TEXT`
}

/** Which of these HSMs are all of a cluster that has several: `no HSM of eu-west-1/cluster-… can be reached: hsm-…, hsm-…`. */
const lostClusters = (hsmIds: readonly HsmId[], roster: Roster): ReadonlyMap<string, readonly HsmId[]> => {
  const clusters = new Map<string, HsmId[]>()
  for (const server of roster) {
    const shown = showCluster(server)
    clusters.set(shown, [...(clusters.get(shown) ?? []), server.hsmId])
  }
  return new Map([...clusters].filter(([, all]) => all.length > 1 && all.every((hsmId) => hsmIds.includes(hsmId))))
}

const lostInWords = (lost: ReadonlyMap<string, readonly HsmId[]>): string[] =>
  [...lost].map(([cluster, all]) => `no HSM of ${cluster} can be reached: ${all.join(', ')}`)

/**
 * Several broken conversations as one: every HSM that cannot be reached is named, in one piece of advice, and a cluster
 * of which none can be as a whole.
 * @param mayStay whether the command takes `--allow-unreachable`
 */
export const describeTogether = (
  failures: readonly ConsoleFailure[],
  roster: Roster,
  mayStay: boolean,
): { readonly code: string; readonly message: string; readonly suggestions: readonly string[] } => {
  const away = awayIn(failures, roster)
  const lost = lostClusters(away, roster)
  const ofLost = [...lost.values()].flat()
  const rest = failures.filter(
    ({ kind, hsmIds }) => kind !== 'unreachable' || !hsmIds.every((hsmId) => ofLost.includes(hsmId)),
  )
  const messages = [...lostInWords(lost), ...rest.map((failure) => describeFailure(failure, true).message)]
  const advice = failures.map((failure) => describeFailure(failure, true).suggestions)
  return {
    code: failures[0] === undefined ? CODES.unreachable : CODES[failures[0].kind],
    message: [...new Set(messages)].join('; '),
    suggestions: [
      ...(away.length > 0 && mayStay ? [withoutAdvice(away)] : []),
      ...(advice.find((suggestions) => suggestions.length > 0) ?? []),
    ],
  }
}

/** In the order of the roster, where it lists them. */
const awayIn = (failures: readonly ConsoleFailure[], roster: Roster): readonly HsmId[] => {
  const away = failures.flatMap(({ kind, hsmIds }) => (kind === 'unreachable' ? hsmIds : []))
  const listed = roster.map(({ hsmId }) => hsmId).filter((hsmId) => away.includes(hsmId))
  return [...new Set([...listed, ...away])]
}

/**
 * A pause over HSMs that cannot be reached, where others of their clusters cannot be either: naming one after the other
 * would cost a run for each.
 * @param others known to be out of reach as well
 */
export const withOthersAway = (pause: Pause, others: readonly HsmId[], roster: Roster, goesBack: boolean): Pause => {
  const added = others.filter((hsmId) => !pause.away.includes(hsmId))
  if (pause.away.length === 0 || added.length === 0) return pause
  const away = [...pause.away, ...added]
  const lost = lostInWords(lostClusters(away, roster))
  const told = lost.length > 0 ? lost.join('; ') : `nor can ${added.join(', ')}`
  return new Pause(pause.code, `${pause.message}; ${told}`, adviceFor(pause, away, goesBack), away)
}

const adviceFor = ({ suggestions, away: own }: Pause, away: readonly HsmId[], goesBack: boolean): readonly string[] => [
  ...(away.length > 0 && !goesBack ? [withoutAdvice(away)] : []),
  ...suggestions.filter((one) => one !== withoutAdvice(own)),
]

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
    ...(failure.transcript === '' ? [] : [`the last lines of the conversation:\n${indent(tellingPart(failure))}`]),
  ],
})

/** How many lines are enough where nothing was said that has to be understood. */
const TELLING_LINES: Partial<Record<ConsoleFailure['kind'], number>> = { silent: 2, unreachable: 3 }

/** A line of a document, as those are that show HSMs which are well. */
const OF_A_DOCUMENT = /^\s*["{}[\]]/

/** Of a talk that fell silent, or reached too few, the message says what was asked; the rest of it says nothing more. */
const tellingPart = ({ kind, transcript }: ConsoleFailure): string => {
  const most = TELLING_LINES[kind]
  if (most === undefined) return transcript
  const lines = transcript.split('\n').filter((line) => line.trim() !== '')
  const telling = lines.filter((line) => !OF_A_DOCUMENT.test(line))
  return (telling.length > 0 ? telling : lines).slice(-most).join('\n')
}

/** Any failure in the middle of a run as a pause; null for faults of the program itself. */
export const toPause = (error: unknown, goesBack: boolean): Pause | null => {
  if (error instanceof Pause) return error
  if (error instanceof ConsoleFailure) {
    const { code, message, suggestions } = describeFailure(error, goesBack)
    return new Pause(code, message, suggestions, error.kind === 'unreachable' ? error.hsmIds : [])
  }
  if (error instanceof OperatorError) return new Pause(error.code, error.message, error.suggestions)
  return null
}

/** Throws one pause for all of these, under their code where they share one; faults of the program pass through. */
export const throwTogether = (thrown: readonly unknown[], goesBack: boolean): void => {
  // A refused officer stops several lanes by one and the same error.
  const failures = [...new Set(thrown)]
  const [first, second] = failures
  if (first === undefined) return
  const pauses = failures.map((error) => toPause(error, goesBack))
  const fault = pauses.indexOf(null)
  if (fault >= 0) throw failures[fault]
  if (second === undefined) throw pauses[0]
  const all = pauses.flatMap((pause) => pause ?? [])
  const codes = new Set(all.map(({ code }) => code))
  const [code] = codes
  const away = [...new Set(all.flatMap((pause) => pause.away))]
  const rest = all.flatMap((pause) => adviceFor(pause, [], goesBack))
  throw new Pause(
    codes.size === 1 && code !== undefined ? code : 'SEVERAL_HSMS_FAILED',
    [...new Set(all.map(({ message }) => message))].join('; '),
    [...new Set([...(away.length > 0 && !goesBack ? [withoutAdvice(away)] : []), ...rest])],
    away,
  )
}

/** An answer that is no success. */
export type FailedAnswer = Exclude<Answer, { kind: 'done' }>

/**
 * The pause after a command that was refused or not understood, with what the operator can do.
 * @param more what else can be done where it goes on like that
 */
export const pauseAfter = (what: string, where: string, answer: FailedAnswer, more: readonly string[] = []): Pause => {
  if (answer.kind === 'unclear' && answer.partly === true) {
    return new Pause(
      'PARTLY_DONE',
      `${what} on ${where} was done on some of its HSMs and not on others: "${answer.text}"`,
      [
        'the user may be logged in on some of them: stop the applications that use it, or --wait-for-drain 10m',
        'resume does it again on all of them, which is harmless',
        ...more,
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
        'the user may have another role, lock, quorum key or second factor there, or the clusters are no clones: lockstep users drift --config FILE',
        'if neither is so: resume with --propagate change, and --current-password to keep a way back',
      ])
    case 'inconsistent':
      return new Pause('USER_INCONSISTENT', `${what} on ${where} was refused: ${answer.text}`, [
        'the HSMs of the cluster that is copied from disagree about the user: lockstep users drift --config FILE   says in what, and what repairs it',
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
