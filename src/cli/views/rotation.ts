import { printable } from '../../adapters/terminal/printable.js'
import type { CellState } from '../../domain/rotation/cell.js'
import type { RotationDocument, ShownDebt } from '../../domain/rotation/outcome.js'
import { capabilitiesOf } from '../../domain/utility/capabilities.js'
import type { RollbackOutlook } from '../../use-cases/rotation/open/rollback.js'
import type { RotationHolder } from '../../use-cases/rotation/rotation-holder.js'
import { renderMatrix } from './matrix.js'
import { cellInWords, coverageInWords, inOneLine, isUnproved, listCells, standing } from './words.js'

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
    return propagation === null ? [] : [`propagated by ${propagation === 'sync' ? copy : change}`]
  }
  if (direction === 'back') return []
  if (from === undefined) return [`gives CURRENT of ${printable(store ?? 'the store')}`]
  const proof = isUnproved(document.cells) ? '; not proved: no password was given, so nobody logged in with it' : ''
  return [`gives what ${from} holds, by ${copy}${proof}`]
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

const debtInWords = (debt: ShownDebt, direction: RotationDocument['direction']): string => {
  if (direction === 'back') return `debt: ${debt.hsmId} may hold the new password still: ${printable(debt.reason)}`
  return 'clusterId' in debt
    ? `debt: ${debt.region === null ? '' : `${debt.region}/`}${debt.clusterId} is left out until it is back: ${printable(debt.reason)}`
    : `debt: ${debt.hsmId} stays behind: ${printable(debt.reason)}`
}

const goneInWords = (gone: ShownDebt): string =>
  'clusterId' in gone
    ? `gone: ${gone.region === null ? '' : `${gone.region}/`}${gone.clusterId} was left out and is owed nothing any more: ${printable(gone.reason)}`
    : `gone: ${gone.hsmId} has left its cluster: ${printable(gone.reason)}`

/**
 * Why it stands still, or what is owed, and how it goes on; for stderr.
 * @param outlook what would come of a rollback; null where that is not known
 */
export const renderPause = (document: RotationDocument, outlook: RollbackOutlook | null): string | null => {
  const { error, rotationId, stage, outcome, direction } = document
  const resume = `lockstep rotate resume --rotation ${rotationId}`
  const goesBack = direction === 'back'
  const isOwed = outcome === 'completed-with-debt' || (outcome === 'rolled-back' && document.debts.length > 0)
  if (isOwed && error === undefined) {
    return `What stays behind is given ${goesBack ? 'what it held before' : 'the credential'} once it is back, by ${resume}`
  }
  if (outcome !== 'paused' && error === undefined) return null
  const why = error === undefined ? 'the run that worked on it is not finished' : printable(error.message)
  const rollback = `lockstep rotate rollback --rotation ${rotationId}`
  // Both are named below, in the words that fit the direction.
  const suggestions = error?.suggestions.filter((one) => one !== resume && one !== rollback) ?? []
  const standing = isOwed ? 'A debt remains' : 'Not gone on with'
  const headline = outcome === 'paused' ? `Paused${goesBack ? ' going back' : ''} at ${stage}` : standing
  return [
    `${headline}: ${why}`,
    ...(error === undefined ? [] : [`Code: ${error.code}`]),
    ...(suggestions.length === 0 ? [] : ['Try this:', ...suggestions.map((suggestion) => `  * ${suggestion}`)]),
    inOneLine(document),
    goesBack ? `resume goes on going back: ${resume}` : `resume with ${resume}`,
    ...(goesBack || outcome !== 'paused' || outlook === null ? [] : [backInWords(outlook, rollback)]),
  ].join('\n')
}

const backInWords = (outlook: RollbackOutlook, rollback: string): string => {
  if (outlook.kind === 'taken') return `or go back with ${rollback}`
  const why = printable(outlook.why)
  return outlook.kind === 'refused' ? `no way back: ${why}` : `no way back but with --current-password SECRET: ${why}`
}

/** That somebody works on it right now, for stderr. @param last what was done last */
export const renderHolder = (document: RotationDocument, holder: RotationHolder, last: string): string => {
  const who = `${printable(holder.user)}@${printable(holder.host)}, process ${holder.pid}`
  const claim = holder.runs
    ? `${who}, works on it since ${holder.since}`
    : `${who}, holds it since ${holder.since}; whether that process still runs is not seen from here`
  const next = holder.runs
    ? 'nothing is to be resumed meanwhile'
    : `if it is certainly gone: lockstep rotate unlock --rotation ${document.rotationId}`
  return [`${claim}; last action: ${printable(last)}`, `${inOneLine(document)}; ${next}`].join('\n')
}
