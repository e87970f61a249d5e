import { describe, expect, test } from '@jest/globals'
import type { HsmId } from '../../../../src/domain/ids.js'
import type { JournalEvent } from '../../../../src/domain/rotation/journal-entry.js'
import { spread } from '../../../../src/use-cases/rotation/effects/spread.js'
import { change, copies, copy, DONE, type Line, login, STORED } from '../../../helpers/journal-lines.js'
import type { MemoryFleet } from '../../../helpers/memory-fleet.js'
import { hsm } from '../../../helpers/rotation.js'
import { type BenchGiven, benchOf, endedBy } from '../../../helpers/run-bench.js'

// Three in the source, four in the destination: b and c are the first wave, e and f the second one, g the restore point.
const [a, d] = [hsm('a'), hsm('d')]
const by = (method: 'sync' | 'change'): JournalEvent => ({ type: 'propagation', method, evidence: 'x' })
const CANARY: readonly Line[] = [
  STORED,
  copies('overwrites'),
  [change(a), DONE],
  [login(a), DONE],
  [copy(a, d), DONE],
  [login(d), DONE],
]
const twoAreNew = (fleet: MemoryFleet) => {
  fleet.give(a, 'new')
  fleet.give(d, 'new')
}
const away =
  (...hsmIds: readonly HsmId[]) =>
  (fleet: MemoryFleet) => {
    twoAreNew(fleet)
    for (const hsmId of hsmIds) fleet.at(hsmId).away = true
  }

const spreading = async (given: BenchGiven = {}) => {
  const bench = benchOf({ hsms: [3, 4], lines: [...CANARY, by('sync')], fleet: twoAreNew, ...given })
  const ended = await endedBy(() => spread(bench.run))
  const writes = bench.written().filter((words) => /^(copy|change)/.test(words))
  return { ...bench, ended, writes }
}

describe('the spread', () => {
  test('copies wave by wave, each cell proved, and leaves the restore point alone', async () => {
    const { ended, writes, fleet, cells } = await spreading()
    expect([ended, writes]).toEqual(['done', ['copy a>b new', 'copy b>c new', 'copy c>e new', 'copy d>f new']])
    expect(fleet.holds()).toBe('a new, b new, c new, d new, e new, f new, g old')
    expect(cells()).toContain('f new (login-new), g old (untouched)')
  })

  test('changes each where that was settled', async () => {
    const { writes } = await spreading({ lines: [...CANARY, by('change')] })
    expect(writes).toEqual(['change b new', 'change c new', 'change e new', 'change f new'])
  })

  test('leaves alone what holds it already', async () => {
    const lines = [...CANARY, by('change'), [change(hsm('c')), DONE] as const, [login(hsm('c')), DONE] as const]
    const { writes } = await spreading({ lines, fleet: (its) => [a, d, hsm('c')].map((one) => its.give(one, 'new')) })
    expect(writes).toEqual(['change b new', 'change e new', 'change f new'])
  })

  test('leaves alone what may stay behind', async () => {
    const debt: JournalEvent = { type: 'debt', debt: { hsmId: hsm('c'), reason: 'x' } }
    const { ended, writes } = await spreading({ lines: [...CANARY, by('change'), debt] })
    expect([ended, writes]).toEqual(['done', ['change b new', 'change e new', 'change f new']])
  })
})

describe('a spread that fails', () => {
  test('on one HSM does the rest of its wave, then pauses and names it', async () => {
    const { ended, writes, written } = await spreading({ fleet: away(hsm('b')) })
    expect([ended, writes]).toEqual(['HSM_UNREACHABLE', ['copy d>c new']])
    expect(written()[0]).toBe('unreachable b')
  })

  test('on as many HSMs as the operator bears goes on with the next wave', async () => {
    const { ended, writes } = await spreading({ fleet: away(hsm('b')), options: { maxErrors: 1 } })
    expect([ended, writes]).toEqual(['HSM_UNREACHABLE', ['copy d>c new', 'copy c>e new', 'copy e>f new']])
  })

  test('on several HSMs for several reasons names them all', async () => {
    const { ended } = await spreading({
      fleet: (its) => {
        away(hsm('b'))(its)
        its.logIn(hsm('c'))
      },
    })
    expect(ended).toBe('SEVERAL_HSMS_FAILED')
  })

  test('because the operator wants to stop ends between two HSMs', async () => {
    const bench = benchOf({ hsms: [3, 4], lines: [...CANARY, by('change')], fleet: twoAreNew })
    bench.fleet.meanwhile('login CU:app', () => {
      bench.stop.requested = true
    })
    expect(await endedBy(() => spread(bench.run))).toBe('INTERRUPTED')
    expect(bench.written().slice(-2)).toEqual(['login b new', 'done'])
  })
})
