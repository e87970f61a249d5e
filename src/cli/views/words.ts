import { printable } from '../../adapters/terminal/printable.js'
import type { UserKey } from '../../domain/hsm-user.js'
import type { UnitId } from '../../domain/ids.js'
import type { Cell } from '../../domain/rotation/cell.js'
import type { RotationDocument } from '../../domain/rotation/outcome.js'
import type { UnseenRegion } from '../../domain/rotation/plan.js'

/** What decides how a rotation is spoken of. */
export type Spoken = Pick<RotationDocument, 'procedure' | 'direction'>

/** A cell in words. In a repair nothing is new: an HSM holds what it shall, or it does not. */
export const cellInWords = ({ state, proof, evidence }: Cell, { procedure }: Spoken): string => {
  if (procedure === 'repair') return repairedInWords({ state, proof, evidence })
  if (state === 'locked') return lockedInWords(evidence)
  // A login on a cluster succeeds although one of its HSMs refuses it: without a write before it, it says so much of one alone.
  if (state === 'unknown' && evidence === 'cluster') return `unknown (${proof} somewhere in its cluster)`
  // A login that reached the whole cluster is the weaker proof; one on the HSM alone goes without saying.
  const why = evidence === 'cluster' ? `${proof}, cluster` : proof
  return proof === 'none' ? state : `${state} (${why})`
}

/** Where a cluster is listed as one, it may be locked on another HSM of it. */
const lockedInWords = (evidence: Cell['evidence']): string =>
  evidence === 'cluster' ? 'locked (somewhere in its cluster)' : 'locked'

const repairedInWords = ({ state, proof, evidence }: Pick<Cell, 'state' | 'proof' | 'evidence'>): string => {
  if (state === 'old') return proof === 'copy' ? 'given back (copy)' : 'as it was'
  if (state === 'locked') return lockedInWords(evidence)
  if (state !== 'new') return state
  if (proof === 'copy') return 'copied, not proved'
  if (proof === 'untouched') return 'copied from'
  return `holds it (${evidence === 'cluster' ? 'login, cluster' : 'login'})`
}

/** Without the proof. */
export const inShort = (words: string): string => words.replace(/ \(.*\)$/, '')

/** What is counted, and what it is called: in a rotation that goes back it is what is as it was. */
const counted = ({
  procedure,
  direction,
  cells,
}: Counted): { readonly words: string; readonly isDone: (cell: Cell) => boolean } => {
  if (procedure === 'rotate') {
    const state = direction === 'back' ? 'old' : 'new'
    return { words: state, isDone: (cell) => cell.state === state }
  }
  if (direction === 'back') {
    return { words: 'as before', isDone: ({ state, proof }) => state === 'old' || proof === 'untouched' }
  }
  return { words: isUnproved(cells) ? 'copied' : 'holds it', isDone: ({ state }) => state === 'new' }
}

type Counted = Spoken & Pick<RotationDocument, 'cells'>

/** Whether cells were given a password that nobody knows. */
export const isUnproved = (cells: readonly Cell[]): boolean =>
  cells.some(({ state, proof }) => state === 'new' && proof === 'copy')

/** `repair paused going back at restore`. @param outcome a word for how it stands */
export const standing = (
  { procedure, direction, stage, cells }: Counted & Pick<RotationDocument, 'stage'>,
  outcome: string,
): string =>
  [
    ...(procedure === 'repair' ? ['repair'] : []),
    outcome,
    ...(direction === 'back' && outcome !== 'rolled-back' ? ['going back'] : []),
    ...(stage === null ? [] : [`at ${stage}`]),
    ...(procedure === 'repair' && outcome === 'completed' && isUnproved(cells) ? ['and not proved'] : []),
  ].join(' ')

/** How many cells of each cluster are where they are going, in the order of the clusters. */
export const coverageInWords = (document: Counted): string => {
  const { words, isDone } = counted(document)
  const clusters = new Map<string, Cell[]>()
  for (const cell of document.cells) clusters.set(cell.clusterId, [...(clusters.get(cell.clusterId) ?? []), cell])
  return [...clusters].map(([clusterId, cells]) => `${clusterId} ${words} ${share(cells, isDone)}`).join(', ')
}

/** The truth in one line: how many cells are where they are going, and how each of the others stands. */
export const inOneLine = (document: Counted): string => {
  const { words, isDone } = counted(document)
  const rest = new Map<string, Set<string>>()
  for (const cell of document.cells) {
    if (isDone(cell)) continue
    const how = inShort(cellInWords(cell, document))
    rest.set(how, (rest.get(how) ?? new Set()).add(`${cell.region} ${cell.hsmId}`))
  }
  const named = [...rest].map(([how, places]) => `${cutShort([...places], ', ', SHOWN_IN_ONE_LINE)} ${how}`)
  return [`${words} ${share(document.cells, isDone)}`, ...named].join('; ')
}

const share = (cells: readonly Cell[], isDone: (cell: Cell) => boolean): string =>
  `${cells.filter(isDone).length}/${cells.length}`

/** How many of a list are shown; all of it is in the JSON document. */
const SHOWN = 5
const SHOWN_IN_ONE_LINE = 3

/** `CU:app on hsm-a, hsm-b; CU:batch on hsm-c`. */
export const listCells = (cells: readonly { readonly user: UserKey; readonly hsmId: UnitId }[]): string => {
  const byUser = new Map<string, string[]>()
  for (const { user, hsmId } of cells) byUser.set(user, [...(byUser.get(user) ?? []), hsmId])
  return cutShort(
    [...byUser].map(([user, hsmIds]) => `${user} on ${cutShort(hsmIds, ', ')}`),
    '; ',
  )
}

/** `eu-west-1 (access denied), ap-south-1 (profile prod: no answer)`. */
export const unseenRegionsInWords = (regions: readonly UnseenRegion[]): string =>
  cutShort(
    regions.map(
      ({ region, profile, error }) =>
        `${printable(region)} (${printable(profile === null ? error : `profile ${profile}: ${error}`)})`,
    ),
    ', ',
    SHOWN_IN_ONE_LINE,
  )

/** Users, or how many there are. */
export const listUsers = (users: readonly UserKey[]): string => cutShort(users, ', ')

const cutShort = (items: readonly string[], between: string, shown = SHOWN): string =>
  items.length <= shown + 1
    ? items.join(between)
    : `${items.slice(0, shown).join(between)} and ${items.length - shown} more`
