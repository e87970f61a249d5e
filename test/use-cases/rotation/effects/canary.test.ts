import { describe, expect, test } from '@jest/globals'
import type { JournalEvent } from '../../../../src/domain/rotation/journal-entry.js'
import { canary } from '../../../../src/use-cases/rotation/effects/canary.js'
import {
  change,
  copies,
  copy,
  DONE,
  FIRST_PROVED,
  type Line,
  listing,
  login,
  REFUSED,
  RESUMED,
  STORED,
} from '../../../helpers/journal-lines.js'
import type { MemoryFleet } from '../../../helpers/memory-fleet.js'
import { APP, hsm } from '../../../helpers/rotation.js'
import { type BenchGiven, benchOf, besideIn, endedBy } from '../../../helpers/run-bench.js'

const [a, b, c, d] = [hsm('a'), hsm('b'), hsm('c'), hsm('d')]
const BY_CHANGE: JournalEvent = { type: 'propagation', method: 'change', evidence: 'x' }
const sourceIsNew = (fleet: MemoryFleet) => fleet.give(a, 'new')

const tried = async (given: BenchGiven = {}) => {
  const bench = benchOf({ lines: FIRST_PROVED, fleet: sourceIsNew, ...given })
  const ended = await endedBy(() => canary(bench.run))
  return { ...bench, ended }
}

describe('the canary', () => {
  test('is copied to, its listing compared, and its login settles on copies', async () => {
    const { ended, written, fleet, cells } = await tried()
    expect([ended, written()]).toEqual([
      'done',
      ['copy a>c new', 'done', 'listed c', 'login c new', 'done', 'copies overwrites', 'propagation sync'],
    ])
    expect(fleet.heard.slice(0, 5)).toEqual([
      'open a c',
      'list a c',
      'login CO:admin a c',
      'copy CU:app a>c',
      'list a c',
    ])
    expect(cells()).toBe('a new (login-new), b old (untouched), c new (login-new), d old (untouched)')
  })

  test('that refuses the new credential after a copy settles on changes, and is changed', async () => {
    const { ended, written, notices } = await tried({ behaviour: { syncUserExisting: 'ignore' } })
    expect([ended, written()]).toEqual([
      'done',
      [
        'copy a>c new',
        'done',
        'listed c',
        'login c new',
        'login-refused',
        'copies without-effect',
        'propagation change',
        'change c new',
        'done',
        'listed c',
        'login c new',
        'done',
      ],
    ])
    expect(notices.join()).toContain('there is no way back any more: syncUser does not return the old credential')
  })

  test('that joined since shows nothing: it may have been built from one that is new', async () => {
    const joined = besideIn(benchOf().run.plan.roster, c, 'e')
    const { ended, written } = await tried({
      behaviour: { syncUserExisting: 'ignore' },
      lines: [
        ...FIRST_PROVED,
        { type: 'hsm-gone', gone: { hsmId: c, reason: 'replaced' } },
        { type: 'targets-added', roster: [joined] },
        listing(hsm('e')),
        { type: 'hsm-gone', gone: { hsmId: d, reason: 'replaced' } },
      ],
      fleet: (fleet) => {
        sourceIsNew(fleet)
        fleet.add(joined)
        fleet.give(hsm('e'), 'new')
      },
    })
    expect([ended, written().filter((words) => /^(copies|propagation)/.test(words))]).toEqual([
      'done',
      ['propagation change'],
    ])
  })

  test('that refuses the copy settles on changes', async () => {
    const { ended, written } = await tried({ behaviour: { syncUserExisting: 'refuse' } })
    expect([ended, written().slice(0, 5)]).toEqual([
      'done',
      ['copy a>c new', 'user-exists', 'copies refused', 'propagation change', 'change c new'],
    ])
  })

  test('that refuses the copy without a reason is changed, and the verdict stays open', async () => {
    const { ended, written } = await tried({
      utility: 'cloudhsm-cli',
      lines: [STORED, copies('accepted'), [change([a, b]), DONE], [login([a, b]), DONE]],
      behaviour: { userReplicateExisting: 'refuse' },
      fleet: (its) => {
        its.give(a, 'new')
        its.give(b, 'new')
      },
    })
    expect([ended, written().slice(2, 7)]).toEqual([
      'done',
      ['copy a>c d new', 'copy-refused', 'copies unsettled', 'propagation change', 'change c d new'],
    ])
  })

  test('pauses instead where copies alone are wanted', async () => {
    const { ended, written } = await tried({
      behaviour: { syncUserExisting: 'refuse' },
      options: { propagate: 'sync' },
    })
    expect([ended, written()]).toEqual(['SYNC_REFUSED', ['copy a>c new', 'user-exists', 'copies refused']])
  })

  test('stops where the copy changed somebody else', async () => {
    const { ended, written } = await tried({
      fleet: (its) => {
        sourceIsNew(its)
        its.meanwhile('copy', () => its.remove(c, 'bystander'))
      },
    })
    expect([ended, written()]).toEqual(['OTHER_USER_CHANGED', ['copy a>c new', 'done']])
  })

  test('stops where the copied user is not listed afterwards', async () => {
    const { ended, written } = await tried({
      fleet: (its) => {
        sourceIsNew(its)
        its.befall('copy', { answer: { kind: 'done' } })
        its.remove(c)
      },
    })
    expect([ended, written().at(-1)]).toEqual(['USER_MISSING', 'listed c without the user'])
  })
})

describe('a canary of an earlier invocation', () => {
  test('that holds it by a copy settles on copies without another word to an HSM', async () => {
    const lines = [...FIRST_PROVED, [copy(a, c), DONE] as const, [login(c), DONE] as const]
    const { written, fleet } = await tried({ lines })
    expect([written(), fleet.heard]).toEqual([['copies overwrites', 'propagation sync'], []])
  })

  test('that was seen to refuse after a copy is not copied to again', async () => {
    const lines = [...FIRST_PROVED, [copy(a, c), DONE] as const, [login(c), REFUSED] as const, RESUMED]
    const { ended, written } = await tried({ lines })
    expect([ended, written().slice(0, 3)]).toEqual([
      'done',
      ['copies without-effect', 'propagation change', 'change c new'],
    ])
  })

  test('that was changed shows nothing of copies: a sibling has to', async () => {
    const lines = [...FIRST_PROVED, [change(c), DONE] as const, [login(c), DONE] as const, RESUMED]
    const { ended, written } = await tried({
      lines,
      fleet: (its) => {
        sourceIsNew(its)
        its.give(c, 'new')
      },
    })
    expect(ended).toBe('done')
    expect(written()).toEqual([
      'listed a',
      'login a new',
      'done',
      'copy a>b new',
      'done',
      'listed b',
      'login b new',
      'done',
      'copies overwrites',
      'propagation sync',
    ])
  })

  test('and every sibling that was changed leave changes as the only way that is known', async () => {
    const lines: Line[] = [...FIRST_PROVED, ...[b, c].map((hsmId): Line => [change(hsmId), DONE]), RESUMED]
    const { ended, written, fleet } = await tried({ lines })
    expect([ended, written().slice(0, 2)]).toEqual(['done', ['propagation change', 'change c new']])
    expect(fleet.holds()).toBe('a new, b old, c new, d old')
  })

  test('goes on as it was settled', async () => {
    const { written } = await tried({ lines: [...FIRST_PROVED, BY_CHANGE] })
    expect(written()[0]).toBe('change c new')
  })

  test('whose copies were refused before anything was new is changed', async () => {
    const lines: Line[] = [STORED, copies('refused'), [change(a), DONE], [login(a), DONE]]
    const { written } = await tried({ lines })
    expect(written().slice(0, 2)).toEqual(['propagation change', 'change c new'])
    const insisting = await tried({ lines, options: { propagate: 'sync' } })
    expect([insisting.ended, insisting.written()]).toEqual(['SYNC_REFUSED', []])
  })
})

describe('after the journal was lost', () => {
  const lost: BenchGiven = { facts: { recovered: true }, lines: [[login(a), DONE]] }

  test('changes are the way: nobody knows how an HSM came to what it holds', async () => {
    const { ended, written } = await tried(lost)
    expect([ended, written().slice(0, 2)]).toEqual(['done', ['propagation change', 'change c new']])
  })

  test('copies alone are no way', async () => {
    expect((await tried({ ...lost, options: { propagate: 'sync' } })).ended).toBe('SYNC_UNTRIED')
  })
})

test('a canary near its lock-out is written again before it is asked, and another one shows what copies do', async () => {
  const lines: Line[] = [...FIRST_PROVED.slice(0, 1), listing(c, { failures: [[APP, 3]] }), ...FIRST_PROVED.slice(1)]
  const { ended, written, fleet } = await tried({
    lines,
    behaviour: { syncResetsFailures: false },
    fleet: (its) => {
      sourceIsNew(its)
      its.fail(c, 3)
    },
  })
  expect(ended).toBe('done')
  expect(written()).toEqual([
    'copy a>c new',
    'done',
    'listed c failed 3',
    'listed c failed 3',
    'change c new',
    'done',
    'listed c',
    'login c new',
    'done',
    'copy c>b new',
    'done',
    'listed b',
    'login b new',
    'done',
    'copies overwrites',
    'propagation sync',
  ])
  expect(fleet.failures()).toEqual([0, 0, 0, 0])
})

describe('a user that could show nothing on the canary', () => {
  const RESTS: readonly (readonly [string, Line, (fleet: MemoryFleet) => void])[] = [
    ['is missing', listing(c, { absent: [APP] }), (its) => its.remove(c)],
    ['is locked', listing(c, { locked: [APP], failures: [[APP, 5]] }), (its) => its.fail(c, 5)],
    ['has another ID', listing(c, { otherId: [APP] }), () => undefined],
  ]

  test.each(RESTS)('because it %s is not copied there to find out: a sibling shows it', async (_words, seen, make) => {
    const { written, fleet } = await tried({
      lines: [...FIRST_PROVED, seen],
      fleet: (its) => {
        sourceIsNew(its)
        make(its)
      },
    })
    expect(written().slice(0, 6)).toEqual([
      'copy a>b new',
      'done',
      'listed b',
      'login b new',
      'done',
      'copies overwrites',
    ])
    expect(fleet.heard).not.toContain('copy CU:app a>c')
  })

  test('and that nobody wants to be created is asked for', async () => {
    const { ended, fleet } = await tried({
      lines: [...FIRST_PROVED, listing(c, { absent: [APP] })],
      fleet: (its) => {
        sourceIsNew(its)
        its.remove(c)
      },
    })
    expect([ended, fleet.holds()]).toEqual(['USER_MISSING', 'a new, b new, c absent, d old'])
  })

  test('leaves it to the others there', async () => {
    const BATCH = 'CU:batch' as typeof APP
    const { ended, written } = await tried({
      users: ['app', 'batch'],
      lines: [
        ...FIRST_PROVED,
        [change(a, 'new', BATCH), DONE],
        [login(a, 'new', BATCH), DONE],
        listing(c, { locked: [APP], failures: [[APP, 5]] }),
      ],
      fleet: (its) => {
        sourceIsNew(its)
        its.give(a, 'new', 'batch')
        its.fail(c, 5)
      },
    })
    expect(ended).toBe('done')
    expect(written().filter((words) => /^(copy|change|propagation)/.test(words))).toEqual([
      'copy CU:batch a>c new',
      'propagation sync',
      'change c new',
    ])
  })
})
