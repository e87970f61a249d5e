import { printable } from '../../adapters/terminal/printable.js'
import { oneLine, type RotationDocument } from '../../domain/rotation/outcome.js'
import { UTILITY_WORDS } from '../../domain/utility.js'
import type { RotationHolder } from '../../use-cases/rotation/rotation-holder.js'
import { renderMatrix } from './matrix.js'

/**
 * The whole truth about a rotation: matrix, coverage, and what to do next.
 * @param outcome a word for how it stands
 */
export const renderRotation = (document: RotationDocument, outcome: string = document.outcome): string => {
  const { rotationId, stage, coverage, cells, users } = document
  const counts = coverage.map(({ clusterId, new: done, total }) => `${clusterId} new ${done}/${total}`).join(', ')
  const lines = [
    renderMatrix(users, cells),
    '',
    `${rotationId}: ${outcome}${stage === null ? '' : ` at ${stage}`}; ${counts}`,
  ]
  if (document.propagation !== null) {
    const { copy, change } = UTILITY_WORDS[document.utility]
    lines.push(`propagated by ${document.propagation === 'sync' ? copy : change}`)
  }
  if (document.leftOut.length > 0) lines.push(`left on the old credential by choice: ${document.leftOut.join(', ')}`)
  for (const { hsmId, reason } of document.debts) lines.push(`debt: ${hsmId} stays behind: ${printable(reason)}`)
  for (const { hsmId, reason } of document.gone) lines.push(`gone: ${hsmId} has left its cluster: ${printable(reason)}`)
  for (const { user, hsmId } of document.overwritten) lines.push(`overwritten by choice: ${user} on ${hsmId}`)
  if (document.failedLogins > 0) lines.push(`failed logins in this rotation: ${document.failedLogins}`)
  return lines.join('\n')
}

/** Why it stands still and how it goes on, for stderr. */
export const renderPause = (document: RotationDocument): string | null => {
  if (document.outcome !== 'paused') return null
  const { error, rotationId, cells, stage } = document
  const why = error === undefined ? 'the run that worked on it is not finished' : printable(error.message)
  const resume = `lockstep rotate resume --rotation ${rotationId}`
  const suggestions = error?.suggestions.filter((suggestion) => suggestion !== resume) ?? []
  return [
    `Paused at ${stage}: ${why}`,
    ...(error === undefined ? [] : [`Code: ${error.code}`]),
    ...(suggestions.length === 0 ? [] : ['Try this:', ...suggestions.map((suggestion) => `  * ${suggestion}`)]),
    `${oneLine(cells)}; resume with ${resume}`,
  ].join('\n')
}

/** That somebody works on it right now, for stderr. @param last what was done last */
export const renderHolder = ({ cells, rotationId }: RotationDocument, holder: RotationHolder, last: string): string => {
  const who = `${printable(holder.user)}@${printable(holder.host)}, process ${holder.pid}`
  const claim = holder.runs
    ? `${who}, works on it since ${holder.since}`
    : `${who}, holds it since ${holder.since}; whether that process still runs is not seen from here`
  const next = holder.runs
    ? 'nothing is to be resumed meanwhile'
    : `if it is certainly gone: lockstep rotate unlock --rotation ${rotationId}`
  return [`${claim}; last action: ${printable(last)}`, `${oneLine(cells)}; ${next}`].join('\n')
}
