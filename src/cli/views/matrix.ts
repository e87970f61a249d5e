import { renderTable } from '../../adapters/terminal/table.js'
import type { UserKey } from '../../domain/hsm-user.js'
import type { HsmId } from '../../domain/ids.js'
import type { Cell } from '../../domain/rotation/cell.js'

/** From this many users on, a row counts them instead of showing each in a column. */
const MANY_USERS = 6

/** The matrix of cells: one row per HSM. */
export const renderMatrix = (users: readonly UserKey[], cells: readonly Cell[]): string => {
  const byHsm = new Map<HsmId, Cell[]>()
  for (const cell of cells) byHsm.set(cell.hsmId, [...(byHsm.get(cell.hsmId) ?? []), cell])
  const columns = users.length < MANY_USERS ? users : [`${users.length} users`]
  const rows = [...byHsm].map(([hsmId, row]) => {
    const [first] = row
    const states = users.length < MANY_USERS ? users.map((user) => showCell(row, user)) : [countStates(row)]
    return [first?.region ?? '', first?.clusterId ?? '', hsmId, ...states]
  })
  return renderTable(['REGION', 'CLUSTER', 'HSM', ...columns], rows)
}

const showCell = (row: readonly Cell[], user: UserKey): string => {
  const cell = row.find((candidate) => candidate.user === user)
  if (cell === undefined) return ''
  // A login that reached the whole cluster is the weaker proof; one on the HSM alone goes without saying.
  const proof = cell.evidence === 'cluster' ? `${cell.proof}, cluster` : cell.proof
  return cell.proof === 'none' ? cell.state : `${cell.state} (${proof})`
}

const countStates = (row: readonly Cell[]): string => {
  const counts = new Map<string, number>()
  for (const { state } of row) counts.set(state, (counts.get(state) ?? 0) + 1)
  return [...counts].map(([state, count]) => `${state} ${count}`).join(', ')
}
