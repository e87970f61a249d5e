import { describe, expect, test } from '@jest/globals'
import { change } from '../../../../src/use-cases/rotation/effects/change.js'
import { prove } from '../../../../src/use-cases/rotation/effects/prove.js'
import { change as changing, copies, DONE, type Line, login, RESUMED, STORED } from '../../../helpers/journal-lines.js'
import { hsm } from '../../../helpers/rotation.js'
import { type BenchGiven, benchOf, besideIn, endedBy } from '../../../helpers/run-bench.js'

const [a, b] = [hsm('a'), hsm('b')]
const READY: readonly Line[] = [STORED, copies('accepted')]
const CHANGED: readonly Line[] = [...READY, [changing(a), DONE]]

const doing = async (effect: typeof change, given: BenchGiven) => {
  const bench = benchOf(given)
  const ended = await endedBy(() => effect(bench.run))
  return { ...bench, ended }
}

describe('the first change', () => {
  test('is made on one HSM of the source, after the operator’s command', async () => {
    const { ended, written, fleet, hooks } = await doing(change, { lines: READY })
    expect([ended, written(), hooks.ran]).toEqual(['done', ['change a new', 'done'], ['before-change']])
    expect(fleet.holds()).toBe('a new, b old, c old, d old')
  })

  test('is made on every HSM of a cluster that is written as a whole', async () => {
    const { written } = await doing(change, { lines: READY, utility: 'cloudhsm-cli' })
    expect(written().slice(1)).toEqual(['change a b new', 'done'])
  })

  test('is made for those users alone that do not hold it', async () => {
    const { written } = await doing(change, {
      users: ['app', 'batch'],
      lines: [...CHANGED, [login(a), DONE]],
      fleet: (its) => its.give(a, 'new'),
    })
    expect(written()).toEqual(['change CU:batch a new', 'done'])
  })

  test('is made again where it was never answered', async () => {
    const { ended, written, fleet } = await doing(change, { lines: [...READY, [changing(a)], RESUMED] })
    expect([ended, written()]).toEqual(['done', ['change a new', 'done']])
    expect(fleet.holds()).toContain('a new')
  })

  test('is not made where copies alone are wanted and were refused: nothing would bring it to the rest', async () => {
    const lines = [STORED, copies('refused')]
    const { ended, written, hooks } = await doing(change, { lines, options: { propagate: 'sync' } })
    expect([ended, written(), hooks.ran]).toEqual(['SYNC_REFUSED', [], []])
    const begun = await doing(change, { lines: [...lines, [changing(a)]], options: { propagate: 'sync' } })
    expect(begun.ended).toBe('done')
  })

  test('is not made where the operator’s command fails', async () => {
    const bench = benchOf({ lines: READY })
    bench.hooks.fails = true
    expect([await endedBy(() => change(bench.run)), bench.written()]).toEqual(['HOOK_FAILED', []])
  })
})

describe('the proof of the first one', () => {
  const holds: BenchGiven = { lines: CHANGED, fleet: (its) => its.give(a, 'new') }

  test('is one login there', async () => {
    const { ended, written, cells } = await doing(prove, holds)
    expect([ended, written()]).toEqual(['done', ['listed a', 'login a new', 'done']])
    expect(cells()).toContain('a new (login-new)')
  })

  test('is made in every invocation, and once in each', async () => {
    const lines = [...CHANGED, [login(a), DONE] as const]
    expect((await doing(prove, { ...holds, lines })).written()).toEqual([])
    const { written } = await doing(prove, { ...holds, lines: [...lines, RESUMED] })
    expect(written()).toEqual(['listed a', 'login a new', 'done'])
  })

  test('that is refused pauses: it was written there', async () => {
    const { ended, written } = await doing(prove, { lines: CHANGED })
    expect([ended, written()]).toEqual(['NEW_CREDENTIAL_REFUSED', ['listed a', 'login a new', 'login-refused']])
  })

  test('of a cell that was not written for certain is a write first', async () => {
    const { ended, written } = await doing(prove, { lines: [...READY, [changing(a)], RESUMED] })
    expect([ended, written()]).toEqual(['done', ['change a new', 'done', 'listed a', 'login a new', 'done']])
  })

  test('of a cluster that an HSM joined gives that one the credential first', async () => {
    const joined = besideIn(benchOf().run.plan.roster, b, 'e')
    const { ended, written, fleet } = await doing(prove, {
      utility: 'cloudhsm-cli',
      lines: [...READY, [changing([a, b]), DONE], { type: 'targets-added', roster: [joined] }],
      fleet: (its) => {
        its.give(a, 'new')
        its.give(b, 'new')
        its.add(joined)
      },
    })
    expect(ended).toBe('done')
    expect(written().slice(1)).toEqual(['change a b e new', 'done', 'listed a, b, e', 'login a b e new', 'done'])
    expect(fleet.holds()).toBe('a new, b new, c old, d old, e new')
  })
})
