import Table from 'cli-table3'
import { printable } from './printable.js'

/** What a table is printed on. */
export interface TableStyle {
  /** Lines around the cells; without them columns are set apart by blanks alone. */
  readonly decorated: boolean
}

/** No decoration where the output is no terminal, or where `NO_COLOR` is set to anything. */
export const tableStyle = (
  stream: { isTTY?: boolean } = process.stdout,
  env: NodeJS.ProcessEnv = process.env,
): TableStyle => ({
  decorated: stream.isTTY === true && !env['NO_COLOR'],
})

const NO_LINES = Object.fromEntries(
  [
    'top',
    'top-mid',
    'top-left',
    'top-right',
    'bottom',
    'bottom-mid',
    'bottom-left',
    'bottom-right',
    'left',
    'left-mid',
    'mid',
    'mid-mid',
    'right',
    'right-mid',
  ].map((edge) => [edge, '']),
)

/** Lines of a table, without a final line break. Cells are printable, whatever they hold. */
export const renderTable = (
  head: readonly string[],
  rows: readonly (readonly string[])[],
  style: TableStyle = tableStyle(),
): string => {
  const table = new Table({
    head: [...head],
    ...(style.decorated
      ? {
          chars: { mid: '', 'left-mid': '', 'mid-mid': '', 'right-mid': '' },
          style: { head: [], border: [] },
        }
      : {
          chars: { ...NO_LINES, middle: '  ' },
          style: { head: [], border: [], 'padding-left': 0, 'padding-right': 0 },
        }),
  })
  table.push(...rows.map((row) => row.map(printable)))
  return table
    .toString()
    .split('\n')
    .map((line) => line.trimEnd())
    .join('\n')
}
