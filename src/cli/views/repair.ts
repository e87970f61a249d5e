import { printable } from '../../adapters/terminal/printable.js'
import type { Cell, CellRef } from '../../domain/rotation/cell.js'
import { nameUnit } from '../../domain/rotation/plan.js'
import { capabilitiesOf } from '../../domain/utility/capabilities.js'
import type { RepairPreview } from '../../use-cases/rotation/open/repair.js'
import { type RepairWrite, repairWrites } from '../../use-cases/rotation/repair-writes.js'
import { labelled } from './labelled.js'
import { renderMatrix } from './matrix.js'
import { listCells, listUsers } from './words.js'

/** What a repair found and what it would write, for the question before it. */
export const renderRepair = (preview: RepairPreview): string => {
  const { plan, cells, from, isProved } = preview
  const { words } = capabilitiesOf(plan.utility)
  const writes = repairWrites(preview)
  const users = plan.users.map(({ key }) => key)
  return [
    renderMatrix(users, cells, (cell) => foundInWords(cell, preview)),
    '',
    labelled([
      ['users', listUsers(users)],
      ['will hold', from === null ? 'what the store keeps as CURRENT' : `what ${nameUnit(plan.roster, from)} holds`],
      ...(isProved ? [] : [['passwords', NOT_COMPARED] as const]),
      ...failedInWords(preview),
      ...notAskedInWords(preview),
      ...(writes.length === 0
        ? [['writes', 'nothing: every HSM that was asked holds it'] as const]
        : alike(writes).map(
            (same, index) => [index === 0 ? 'writes' : '', writeInWords(same, preview, words)] as const,
          )),
    ]),
  ].join('\n')
}

const NOT_COMPARED =
  'not compared, because none was given: every other HSM is written, whatever it holds now, and nothing of it is proved by a login; --password SECRET compares and proves'

type Entry = readonly [label: string, text: string]

/** Each seen in the log of an HSM, and perhaps by an alarm; of a cluster nobody knows which of its HSMs refused. */
const failedInWords = ({ refusals, plan }: RepairPreview): Entry[] => {
  const failed = refusals.filter(({ isRemembered }) => !isRemembered)
  const places = failed.map(({ user, hsmId, isAlone }) => {
    const clusterId = plan.roster.find((server) => server.hsmId === hsmId)?.clusterId ?? hsmId
    return { user, hsmId: isAlone ? hsmId : clusterId }
  })
  const logins = places.filter(({ user, hsmId }, index) =>
    places.slice(0, index).every((earlier) => earlier.user !== user || earlier.hsmId !== hsmId),
  )
  if (logins.length === 0) return []
  return [
    ['failed logins', `${logins.length} made to find this out, as the log of the HSM shows: ${listCells(logins)}`],
  ]
}

/** Cells that are near their lock-out, each reason once. */
const notAskedInWords = ({ notAsked }: RepairPreview): Entry[] =>
  [...new Set(notAsked.map(({ reason }) => reason))].map(
    (reason): Entry => ['not asked', `${printable(reason)}; it is written without being asked, which clears the count`],
  )

/** Writes that differ in their target alone. */
const alike = (writes: readonly RepairWrite[]): readonly (readonly [RepairWrite, ...RepairWrite[]])[] => {
  const groups = new Map<string, [RepairWrite, ...RepairWrite[]]>()
  for (const write of writes) {
    const key = JSON.stringify([write.act, write.from, write.users])
    const group = groups.get(key)
    if (group === undefined) groups.set(key, [write])
    else group.push(write)
  }
  return [...groups.values()]
}

const writeInWords = (
  same: readonly [RepairWrite, ...RepairWrite[]],
  { isProved }: RepairPreview,
  words: { readonly copy: string; readonly change: string },
): string => {
  const [{ act, from, users }] = same
  const where = same.map(({ unitId }) => unitId).join(', ')
  const whom = listUsers(users)
  if (act === 'change') return `${words.change} of ${whom} on ${where}`
  const orChange = isProved && from !== null ? `; ${words.change} where that is refused` : ''
  return `${words.copy} of ${whom} from ${from ?? 'an HSM that holds it'} to ${where}${orChange}`
}

/** How an HSM stands before the repair. */
const foundInWords = (cell: Cell, preview: RepairPreview): string => {
  const isIts = ({ user, hsmId }: CellRef) => user === cell.user && hsmId === cell.hsmId
  const isInPart = preview.inPart.some(isIts)
  const held = heldInWords(cell, preview.isProved, preview.refusals.find(isIts)?.isAlone === false)
  return `${held}${isInPart ? '; an HSM of its cluster lacks the user' : ''}`
}

const heldInWords = ({ state, proof, evidence }: Cell, isProved: boolean, isRefusedTogether: boolean): string => {
  switch (state) {
    case 'new':
      return proof === 'untouched' ? 'copied from' : `holds it${evidence === 'cluster' ? ' (cluster)' : ''}`
    case 'absent':
      return 'lacks the user'
    case 'unreachable':
      return 'out of reach'
    case 'old':
      return isProved ? 'not asked' : 'not compared'
    case 'unknown':
    case 'other':
      // A cluster refuses as soon as one of its HSMs does, and does not say which.
      return isRefusedTogether ? 'refused by its cluster' : 'another password'
    case 'locked':
      return 'locked'
  }
}
