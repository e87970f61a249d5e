import { printable } from '../../adapters/terminal/printable.js'
import type { CellState } from '../../domain/rotation/cell.js'
import type { RotationDocument, ShownDebt } from '../../domain/rotation/outcome.js'
import { capabilitiesOf } from '../../domain/utility/capabilities.js'
import type { OwedElsewhere } from '../../use-cases/rotation/find-rotation.js'
import type { RollbackOutlook } from '../../use-cases/rotation/open/rollback-outlook.js'
import type { RotationHolder } from '../../use-cases/rotation/rotation-holder.js'
import { flagsAgainst } from '../../use-cases/rotation/run/pause.js'
import { renderMatrix } from './matrix.js'
import {
  cellInWords,
  coverageInWords,
  inOneLine,
  isUnproved,
  listCells,
  standing,
  unseenRegionsInWords,
} from './words.js'

/**
 * The whole truth about a rotation: matrix, coverage, and what is owed.
 * @param outcome a word for how it stands
 */
export const renderRotation = (document: RotationDocument, outcome: string = document.outcome): string => {
  const { rotationId, cells, users } = document
  const lines = [
    renderMatrix(users, cells, (cell) => cellInWords(cell, document)),
    '',
    `${rotationId}: ${standing(document, outcome)}; ${coverageInWords(document)}`,
    ...howInWords(document),
    ...withoutProofInWords(document),
  ]
  const lost = [...document.debts, ...document.gone].flatMap((debt) => ('clusterId' in debt ? [debt.clusterId] : []))
  const byChoice = document.leftOut.filter((clusterId) => lost.every((one) => one !== clusterId))
  if (byChoice.length > 0) lines.push(`left on the old credential by choice: ${byChoice.join(', ')}`)
  for (const debt of document.debts) lines.push(debtInWords(debt, document.direction))
  lines.push(...settledInWords(document), ...unseenInWords(document))
  for (const gone of document.gone) lines.push(goneInWords(gone))
  if (document.overwritten.length > 0) lines.push(`overwritten by choice: ${listCells(document.overwritten)}`)
  if (document.failedLogins > 0)
    lines.push(
      `failed logins in this ${document.procedure === 'repair' ? 'repair' : 'rotation'}: ${document.failedLogins}`,
    )
  return lines.join('\n')
}

/** How passwords travelled, and what of it nobody can prove. */
const howInWords = (document: RotationDocument): string[] => {
  const { procedure, direction, propagation, utility, from, store } = document
  const { copy, change } = capabilitiesOf(utility).words
  if (procedure === 'rotate') {
    if (propagation === null) return []
    const by = propagation === 'sync' ? copy : change
    return [direction === 'back' ? `the new password had been propagated by ${by}` : `propagated by ${by}`]
  }
  if (direction === 'back') return []
  if (from === undefined) return [`gives CURRENT of ${printable(store ?? 'the store')}`]
  // Where its password is known it is changed as well, wherever a copy would not do.
  return isUnproved(document.cells)
    ? [`gives what ${from} holds, by ${copy}; not proved: no password was given, so nobody logged in with it`]
    : [`gives what ${from} holds`]
}

/** A rollback that is through, as far as nobody can say that it gave back what was there. */
const withoutProofInWords = ({ outcome, withoutProof, cells }: RotationDocument): string[] => {
  if (outcome !== 'rolled-back' || withoutProof.length === 0) return []
  const states = new Map<string, CellState>(cells.map(({ user, hsmId, state }) => [`${hsmId} ${user}`, state]))
  const isOld = ({ user, hsmId }: RotationDocument['withoutProof'][number]) => states.get(`${hsmId} ${user}`) === 'old'
  const [given, others] = [withoutProof.filter(isOld), withoutProof.filter((cell) => !isOld(cell))]
  return [
    ...(given.length === 0
      ? []
      : [`given the old password of another HSM without proof that they held it before: ${listCells(given)}`]),
    ...(others.length === 0 ? [] : [`not shown to hold what they held before: ${listCells(others)}`]),
  ]
}

/** Where nobody looked for members of the family: what goes back changes nothing there. */
const unseenInWords = ({ rotationId, unseenRegions, direction, procedure }: RotationDocument): string[] => {
  if (unseenRegions.length === 0 || direction === 'back') return []
  const [what, next] =
    procedure === 'repair'
      ? ['may not hold it', 'lockstep clusters list   shows them once AWS answers']
      : [
          'may still hold the old credential',
          `once AWS answers, lockstep rotate resume --rotation ${rotationId}   finds them`,
        ]
  return [
    `not seen when it began: ${unseenRegionsInWords(unseenRegions)}; members of the family there ${what}: ${next}`,
  ]
}

const debtInWords = (debt: ShownDebt, direction: RotationDocument['direction']): string => {
  if (direction === 'back') return `debt: ${debt.hsmId} may hold the new password still: ${printable(debt.reason)}`
  return 'clusterId' in debt
    ? `debt: ${debt.region === null ? '' : `${debt.region}/`}${debt.clusterId} is left out until it is back: ${printable(debt.reason)}`
    : `debt: ${debt.hsmId} stays behind: ${printable(debt.reason)}`
}

/** What is owed no more because another run paid it: `settled by r-…: hsm-a, hsm-b`. */
const settledInWords = ({ settled = [] }: RotationDocument): string[] => {
  const byRun = new Map<string, string[]>()
  for (const debt of settled) {
    const what = debt.hsmId ?? `${debt.region === null ? '' : `${debt.region}/`}${debt.clusterId}`
    byRun.set(debt.by, [...(byRun.get(debt.by) ?? []), what])
  }
  return [...byRun].map(([by, places]) => `settled by ${by}: ${places.join(', ')}`)
}

const goneInWords = (gone: ShownDebt): string =>
  'clusterId' in gone
    ? `gone: ${gone.region === null ? '' : `${gone.region}/`}${gone.clusterId} was left out and is owed nothing any more: ${printable(gone.reason)}`
    : `gone: ${gone.hsmId} has left its cluster: ${printable(gone.reason)}`

/**
 * Why it stands still, or what is owed, and how it goes on; for stderr.
 * @param outlook what would come of a rollback; null where that is not known
 * @param gone who worked on it, where that process ended without letting go of it
 * @param superseded why a newer run has to give what is owed; null where this one may
 */
export const renderPause = (
  document: RotationDocument,
  outlook: RollbackOutlook | null,
  gone: RotationHolder | null = null,
  superseded: RotationDocument['error'] | null = null,
): string | null => {
  const { rotationId, stage, outcome, direction } = document
  const error = superseded ?? document.error
  const resume = `lockstep rotate resume --rotation ${rotationId}`
  const goesBack = direction === 'back'
  const isOwed = outcome === 'completed-with-debt' || (outcome === 'rolled-back' && document.debts.length > 0)
  if (isOwed && error === undefined) {
    return `What stays behind is given ${goesBack ? 'what it held before' : 'the credential'} once it is back, by ${resume}${typedAgain(document)}`
  }
  if (outcome !== 'paused' && error === undefined) return null
  const why = error === undefined ? unfinishedInWords(gone) : printable(error.message)
  const rollback = `lockstep rotate rollback --rotation ${rotationId}`
  const isCommand = (command: string) => (one: string) => one === command || one.startsWith(`${command} --`)
  // Both are named below, in the words that fit the direction, and with the flags they need to be taken.
  const suggestions = error?.suggestions.filter((one) => !isCommand(resume)(one) && !isCommand(rollback)(one)) ?? []
  const withFlags = (command: string, flags = '') => error?.suggestions.find(isCommand(command)) ?? `${command}${flags}`
  const standing = isOwed ? 'A debt remains' : 'Not gone on with'
  const headline = outcome === 'paused' ? `Paused${goesBack ? ' going back' : ''} at ${stage}` : standing
  return [
    `${headline}: ${why}`,
    ...(error === undefined ? [] : [`Code: ${error.code}`]),
    ...(suggestions.length === 0 ? [] : ['Try this:', ...suggestions.map((suggestion) => `  * ${suggestion}`)]),
    inOneLine(document),
    ...(isOwed && error?.code === 'DEBT_SUPERSEDED' ? [] : [again(goesBack, withFlags(resume))]),
    ...(goesBack || outcome !== 'paused' || outlook === null
      ? []
      : [backInWords(outlook, withFlags(rollback, flagsAgainst(error?.code ?? '')))]),
  ].join('\n')
}

/** What a repair was told that its origin holds, no store keeps. */
const typedAgain = ({ procedure, from, cells, direction }: RotationDocument): string =>
  procedure === 'repair' && from !== undefined && direction === 'forward' && !isUnproved(cells)
    ? ' --new-password SECRET'
    : ''

const again = (goesBack: boolean, resume: string): string =>
  goesBack ? `resume goes on going back: ${resume}` : `resume with ${resume}`

const unfinishedInWords = (gone: RotationHolder | null): string =>
  gone === null
    ? 'the run that worked on it is not finished'
    : `the run that worked on it was killed or has crashed: ${whoIs(gone)} since ${gone.since}, is gone`

const whoIs = ({ user, host, pid }: RotationHolder): string => `${printable(user)}@${printable(host)}, process ${pid}`

/** What newer runs have given since, so that what a rotation says of it is history; for stderr. */
export const renderNewer = (
  newer: readonly { readonly rotationId: string; readonly user: string; readonly clusterId: string }[],
): string => {
  const byRun = new Map<string, Map<string, string[]>>()
  for (const { rotationId, user, clusterId } of newer) {
    const users = byRun.get(rotationId) ?? new Map<string, string[]>()
    byRun.set(rotationId, users.set(user, [...(users.get(user) ?? []), clusterId]))
  }
  return [...byRun]
    .flatMap(([by, users]) =>
      [...users].map(
        ([user, clusters]) =>
          `${by} is newer and gave ${user} another password on ${clusters.join(', ')}: what is shown above of it was so before`,
      ),
    )
    .join('\n')
}

/** What other rotations owe, and what pays it; for stderr. */
export const renderOwed = (owed: readonly OwedElsewhere[]): string =>
  owed
    .flatMap(({ rotationId, startedAt, direction, debts }) => [
      `${rotationId}, started ${startedAt}, still owes what it ${direction === 'back' ? 'was to give back' : 'gave'}:`,
      ...debts.map((debt) => `  ${debtInWords(debt, direction)}`),
      `  * lockstep rotate status --rotation ${rotationId}`,
    ])
    .join('\n')

const backInWords = (outlook: RollbackOutlook, rollback: string): string => {
  if (outlook.kind === 'taken') return `or go back with ${rollback}`
  const why = printable(outlook.why)
  return outlook.kind === 'refused' ? `no way back: ${why}` : `no way back but with --current-password SECRET: ${why}`
}

/** That somebody works on it right now, for stderr. @param last what was done last */
export const renderHolder = (document: RotationDocument, holder: RotationHolder, last: string): string => {
  const who = whoIs(holder)
  const claim = holder.runs
    ? `${who}, works on it since ${holder.since}`
    : `${who}, holds it since ${holder.since}; whether that process still runs is not seen from here`
  const next = holder.runs
    ? 'nothing is to be resumed meanwhile'
    : `if it is certainly gone: lockstep rotate unlock --rotation ${document.rotationId}`
  return [`${claim}; last action: ${printable(last)}`, `${inOneLine(document)}; ${next}`].join('\n')
}
