import { expect, test } from '@jest/globals'
import { type CrashCase, casesOf } from './crash-case.js'
import { start } from './killed-runs.js'
import { judgeAll } from './table.js'
import { REPLICATE_REFUSES, SMALLEST_CLI, SMALLEST_CMU } from './variant.js'

const LANES = 3
/** The stages in which something is done to an HSM of the smallest fleet, or to the store. */
const STAGES = ['store-pending', 'rehearse', 'change', 'prove', 'canary', 'finalize']
const KINDS = ['before-line', 'after-line', 'torn-line'] as const

/**
 * One boundary of each of these stages with one answer. The kinds take turns, and so do the answers. All boundaries of all
 * variants with both answers are `npm run crash-table`.
 * @param turn whose turn it is in the first stage
 */
const sampleOf = (cases: readonly CrashCase[], turn: number): readonly CrashCase[] =>
  STAGES.flatMap((stage, index) => {
    const ofStage = cases.filter(({ boundary }) => boundary.row === stage)
    const kind = KINDS[(index + turn) % KINDS.length]
    // The last of its kind lies behind what the stage does.
    const chosen = ofStage.findLast(({ boundary }) => boundary.kind === kind) ?? ofStage.at(-1)
    return chosen === undefined ? [] : [{ ...chosen, answers: [(index + turn) % 2 === 0 ? 'resume' : 'rollback'] }]
  })

test.each([
  ['cloudhsm_mgmt_util', SMALLEST_CMU, 0],
  ['cloudhsm-cli', SMALLEST_CLI, 1],
] as const)(
  'a rotation by %s killed with SIGKILL ends all new by resume, all old by rollback',
  async (_name, variant, turn) => {
    const sample = sampleOf(await casesOf(start(variant)), turn)

    const { rows, failures } = await judgeAll(sample, LANES)

    expect(failures).toEqual([])
    expect(rows.map(({ name, resumed, rolledBack }) => [name, resumed + rolledBack])).toEqual(
      STAGES.map((stage) => [stage, 1]),
    )
  },
  300_000,
)

test.each([
  ['refuses', 'copies', 'propagation', REPLICATE_REFUSES],
  ['does nothing', 'the refused login', 'copies', { ...REPLICATE_REFUSES, copy: 'ignore' }],
] as const)('a copy that %s, killed after the line of %s: resume goes on without another copy', async (...given) => {
  const [, , next, variant] = given
  const cases = (await casesOf(start(variant)))
    .filter(({ boundary: { row, kind, event } }) => row === 'canary' && kind === 'before-line' && event === next)
    .map((crashCase) => ({ ...crashCase, answers: ['resume'] as const }))

  const { passed, failures } = await judgeAll(cases, LANES)

  expect(failures).toEqual([])
  expect(passed).toBe(1)
}, 300_000)
