import { casesOf } from './crash-case.js'
import { killedRunsOf } from './killed-runs.js'
import { judgeAll, renderTable } from './table.js'
import { VARIANTS } from './variant.js'

// `npm run crash-table [WORD]`: every boundary of every run of every variant, or of those whose name contains WORD.
const LANES = 4
const word = process.argv[2] ?? ''
const began = Date.now()
const seconds = () => Math.round((Date.now() - began) / 1000)
let passed = 0
let failed = 0
for (const variant of VARIANTS.filter(({ name }) => name.includes(word))) {
  const cases = await Promise.all(killedRunsOf(variant).map(casesOf))
  const total = cases.flat().length
  const table = await judgeAll(cases.flat(), LANES, (judged, failures) => {
    for (const { boundary, verdict } of failures) process.stderr.write(`FAILED ${boundary}: ${verdict}\n`)
    if (judged % 25 === 0) process.stderr.write(`${judged} of ${total} after ${seconds()} s\n`)
  })
  process.stdout.write(`${renderTable(variant.name, table)}\n`)
  passed += table.passed
  failed += table.failures.length
}
process.stderr.write(`${seconds()} s\n`)
process.stdout.write(`${passed} passed, ${failed} failed\n`)
process.exitCode = failed === 0 && passed > 0 ? 0 : 1
