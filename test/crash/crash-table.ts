import { availableParallelism } from 'node:os'
import { casesOf } from './crash-case.js'
import { killedRunsOf } from './killed-runs.js'
import { judgeAll, type Row, renderTable, sumOf } from './table.js'
import { VARIANTS } from './variant.js'

// `npm run crash-table [WORD]`: every boundary of every run of every variant, or of those whose name contains WORD.
// A lane waits for one process after the other, and so keeps less than a core busy.
const LANES = 3 * availableParallelism()
const word = process.argv[2] ?? ''
const began = Date.now()
const seconds = () => Math.round((Date.now() - began) / 1000)
const totals: Row[] = []
let passed = 0
for (const variant of VARIANTS.filter(({ name }) => name.includes(word))) {
  const cases = await Promise.all(killedRunsOf(variant).map(casesOf))
  const total = cases.flat().length
  const table = await judgeAll(cases.flat(), LANES, (judged, failures) => {
    for (const { boundary, verdict } of failures) process.stderr.write(`FAILED ${boundary}: ${verdict}\n`)
    if (judged % 25 === 0) process.stderr.write(`${judged} of ${total} after ${seconds()} s\n`)
  })
  process.stdout.write(`${renderTable(variant.name, table)}\n`)
  totals.push(sumOf(variant.name, table.rows))
  passed += table.passed
}
const all = sumOf('all', totals)
process.stdout.write(`${renderTable('in all', { rows: [...totals, all], failures: [] })}\n`)
process.stderr.write(`${seconds()} s\n`)
process.stdout.write(`${passed} passed, ${all.failed} failed\n`)
process.exitCode = all.failed === 0 && passed > 0 ? 0 : 1
