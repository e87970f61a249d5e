import { renderTable } from '../../adapters/terminal/table.js'
import type { UserKey } from '../../domain/hsm-user.js'
import type { HsmId } from '../../domain/ids.js'
import type { Cell } from '../../domain/rotation/cell.js'
import { inShort } from './words.js'

/** From this many users on, a row counts them instead of showing each in a column. */
const MANY_USERS = 6

/**
 * The matrix of cells: one row per HSM.
 * @param inWords what a cell is
 */
export const renderMatrix = (
  users: readonly UserKey[],
  cells: readonly Cell[],
  inWords: (cell: Cell) => string,
): string => {
  const byHsm = new Map<HsmId, Cell[]>()
  for (const cell of cells) byHsm.set(cell.hsmId, [...(byHsm.get(cell.hsmId) ?? []), cell])
  const columns = users.length < MANY_USERS ? users : [`${users.length} users`]
  const rows = [...byHsm].map(([hsmId, row]) => {
    const [first] = row
    const states =
      users.length < MANY_USERS
        ? users.map((user) => row.flatMap((cell) => (cell.user === user ? [inWords(cell)] : [])).join())
        : [countStates(row, inWords)]
    return [first?.region ?? '', first?.clusterId ?? '', hsmId, ...states]
  })
  return renderTable(['REGION', 'CLUSTER', 'HSM', ...columns], rows)
}

const countStates = (row: readonly Cell[], inWords: (cell: Cell) => string): string => {
  const counts = new Map<string, number>()
  for (const cell of row) {
    const words = inShort(inWords(cell))
    counts.set(words, (counts.get(words) ?? 0) + 1)
  }
  return [...counts].map(([words, count]) => `${words} ${count}`).join(', ')
}
