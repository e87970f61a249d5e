import { describe, expect, test } from '@jest/globals'
import type { HsmId } from '../../../../src/domain/ids.js'
import type { JournalEvent } from '../../../../src/domain/rotation/journal-entry.js'
import { discard } from '../../../../src/use-cases/rotation/effects/discard.js'
import { restore } from '../../../../src/use-cases/rotation/effects/restore.js'
import { verifyBack } from '../../../../src/use-cases/rotation/effects/verify-back.js'
import {
  back,
  change,
  copies,
  copy,
  DONE,
  type Line,
  listing,
  loggedIn,
  login,
  REFUSED,
  RESUMED,
  STORED,
  STORED_WITH_CURRENT,
} from '../../../helpers/journal-lines.js'
import type { MemoryFleet } from '../../../helpers/memory-fleet.js'
import { APP, hsm } from '../../../helpers/rotation.js'
import {
  type Bench,
  type BenchGiven,
  benchOf,
  besideIn,
  endedBy,
  keepPending,
  reported,
} from '../../../helpers/run-bench.js'

const [a, b, c, d] = [hsm('a'), hsm('b'), hsm('c'), hsm('d')]
/** a and c hold the new credential; b and d were never written. */
const HALF: readonly Line[] = [
  STORED,
  copies('overwrites'),
  [change(a), DONE],
  [login(a), DONE],
  [copy(a, c), DONE],
  [login(c), DONE],
]
const halfNew = (fleet: MemoryFleet) => {
  fleet.give(a, 'new')
  fleet.give(c, 'new')
}
const away =
  (...hsmIds: readonly HsmId[]) =>
  (fleet: MemoryFleet) => {
    halfNew(fleet)
    for (const hsmId of hsmIds) fleet.at(hsmId).away = true
  }

const doing = async (effect: typeof restore, given: BenchGiven = {}, prepare: (bench: Bench) => unknown = () => {}) => {
  const bench = benchOf({ fleet: halfNew, knows: [], ...given })
  await prepare(bench)
  const ended = await endedBy(() => effect(bench.run))
  return { ...bench, ended }
}

describe('bringing every cell back', () => {
  const byCopy = [...HALF, back()]

  test('by copies asks only HSMs that were written, and those they are copied from', async () => {
    const { ended, written, fleet, cells } = await doing(restore, { lines: byCopy })
    expect([ended, written()]).toEqual(['done', ['copy b>a current', 'done', 'copy d>c current', 'done']])
    expect(fleet.holds()).toBe('a old, b old, c old, d old')
    expect(cells()).toBe('a old (copy), b old (untouched), c old (copy), d old (untouched)')
  })

  test('by changes proves each by a login', async () => {
    const { ended, written, cells } = await doing(restore, {
      lines: [STORED_WITH_CURRENT, ...HALF.slice(1), back('change')],
      facts: { observed: [a, b, c, d].map((hsmId) => loggedIn(hsmId)) },
      knows: ['current'],
    })
    expect(ended).toBe('done')
    expect(written()).toEqual(
      ['a', 'c'].flatMap((letter) => [
        `change ${letter} current`,
        'done',
        `listed ${letter}`,
        `login ${letter} current`,
        'done',
      ]),
    )
    // What logged in before the rollback and was not written is history, and untouched.
    expect(cells()).toBe('a old (login-current), b old (untouched), c old (login-current), d old (untouched)')
  })

  test('goes on with what is left', async () => {
    const { written } = await doing(restore, { lines: [...byCopy, [copy(b, a, 'current'), DONE], RESUMED] })
    expect(written()).toEqual(['copy d>c current', 'done'])
  })

  test('repeats a copy that was never answered', async () => {
    const { written } = await doing(restore, { lines: [...byCopy, [copy(b, a, 'current')], RESUMED] })
    expect(written()).toEqual(['copy b>a current', 'done', 'copy d>c current', 'done'])
  })

  test('takes in an HSM that was allowed to stay behind and is in sight', async () => {
    const debt: JournalEvent = { type: 'debt', debt: { hsmId: c, reason: 'x' } }
    const { written } = await doing(restore, { lines: [...HALF, debt, back()] })
    expect(written()).toEqual(['copy b>a current', 'done', 'copy d>c current', 'done'])
  })

  test('brings all that is in sight back, then pauses for one that is not', async () => {
    const lines: Line[] = [...HALF, { type: 'unreachable', hsmId: c, reason: 'x' }, back()]
    const { ended, written } = await doing(restore, { lines, fleet: away(c) })
    expect([ended, written()]).toEqual(['HSM_UNREACHABLE', ['copy b>a current', 'done']])
  })

  test('is no matter of an HSM out of sight that was never written', async () => {
    const lines: Line[] = [...HALF, { type: 'unreachable', hsmId: d, reason: 'x' }, back()]
    const { ended, fleet } = await doing(restore, { lines, fleet: away(d) })
    expect([ended, fleet.holds()]).toEqual(['done', 'a old, b old, c old, d old'])
  })

  test('takes in an HSM that joined a cluster which was written', async () => {
    const joined = besideIn(benchOf().run.plan.roster, c, 'e')
    const { ended, fleet } = await doing(restore, {
      lines: [...HALF, { type: 'targets-added', roster: [joined] }, listing(hsm('e')), back()],
      fleet: (its) => {
        halfNew(its)
        its.add(joined)
        its.give(hsm('e'), 'new')
      },
    })
    expect([ended, fleet.holds()]).toEqual(['done', 'a old, b old, c old, d old, e old'])
  })

  test('leaves alone what somebody else has written', async () => {
    const { ended, written, fleet } = await doing(restore, {
      lines: [...HALF, [login(c), REFUSED], back()],
      fleet: (its) => {
        its.give(a, 'new')
        its.give(c, 'other')
      },
    })
    expect([ended, written()]).toEqual(['OTHER_CREDENTIAL', ['copy b>a current', 'done']])
    expect(fleet.holds()).toBe('a old, b old, c other, d old')
  })

  test('by a copy of a whole cluster from another one', async () => {
    const { ended, written, fleet } = await doing(restore, {
      utility: 'cloudhsm-cli',
      lines: [STORED, copies('overwrites'), [change([a, b]), DONE], [login([a, b]), DONE], back()],
      fleet: (its) => {
        its.give(a, 'new')
        its.give(b, 'new')
      },
    })
    expect([ended, written().slice(2)]).toEqual(['done', ['copy b>a b current', 'done']])
    expect(fleet.holds()).toBe('a old, b old, c old, d old')
  })

  test('gives a user that was missing before nothing', async () => {
    const missing = listing(c, { absent: [APP] })
    const lines: Line[] = [missing, STORED, copies('overwrites'), [change(a), DONE], [login(a), DONE], back()]
    const { ended, written } = await doing(restore, {
      lines,
      fleet: (its) => {
        its.give(a, 'new')
        its.remove(c)
      },
    })
    expect([ended, written()]).toEqual(['done', ['copy b>a current', 'done']])
  })
})

describe('reading again what was given back', () => {
  const backByChange: readonly Line[] = [
    STORED_WITH_CURRENT,
    ...HALF.slice(1),
    back('change'),
    ...[a, c].flatMap((hsmId): Line[] => [
      [change(hsmId, 'current'), DONE],
      [login(hsmId, 'current'), DONE],
    ]),
  ]
  const proved: BenchGiven = {
    facts: { observed: [a, b, c, d].map((hsmId) => loggedIn(hsmId)) },
    knows: ['current'],
    fleet: () => {},
  }

  test('asks AWS alone where it was done in this invocation', async () => {
    const { ended, written } = await doing(verifyBack, { ...proved, lines: backByChange })
    expect([ended, written()]).toEqual(['done', ['aws agrees']])
  })

  test('asks each cell that was written again after another invocation', async () => {
    const { ended, written } = await doing(verifyBack, { ...proved, lines: [...backByChange, RESUMED] })
    expect([ended, written()]).toEqual([
      'done',
      ['listed a', 'login a current', 'done', 'listed c', 'login c current', 'done', 'aws agrees'],
    ])
  })

  test('pauses where somebody changed one in between', async () => {
    const { ended, cells } = await doing(verifyBack, {
      ...proved,
      lines: [...backByChange, RESUMED],
      fleet: (its) => its.give(a, 'other'),
    })
    expect([ended, cells()]).toEqual(['OTHER_CREDENTIAL', expect.stringContaining('a other (none)')])
  })

  test('pauses for a cell that has to be asked again and is out of sight, once the others were', async () => {
    const unreachable = { type: 'unreachable', hsmId: a, reason: 'away' } as const
    const { ended, written } = await doing(verifyBack, {
      ...proved,
      lines: [...backByChange, RESUMED, unreachable],
      fleet: (its) => {
        its.at(a).away = true
      },
    })
    expect([ended, written()]).toEqual(['HSM_UNREACHABLE', ['listed c', 'login c current', 'done', 'aws agrees']])
  })

  test('pauses where an HSM was added; one that is gone is no matter', async () => {
    const inAws = (hsms: 'more' | 'less') =>
      doing(verifyBack, { ...proved, lines: backByChange }, ({ aws, run }) => {
        const { roster } = run.plan
        const joined = { ...besideIn(roster, c, 'e'), eniIp: '127.0.9.9' as never }
        aws.clusters = reported(hsms === 'more' ? [...roster, joined] : roster.slice(0, 3))
      })
    const [more, less] = [await inAws('more'), await inAws('less')]
    expect([more.ended, more.written()]).toEqual(['ROSTER_CHANGED', ['aws: 1 differences']])
    expect([less.ended, less.written()]).toEqual(['done', ['aws agrees']])
  })
})

describe('removing PENDING', () => {
  test('is announced, done and written down, and no HSM hears of it', async () => {
    const { ended, written, store, fleet } = await doing(discard, { lines: [STORED, back('none')] }, keepPending)
    expect([ended, written()]).toEqual(['done', ['store discard intent', 'store discard read-back']])
    expect([store.versions.pending, fleet.heard]).toEqual([null, []])
  })

  test('again is harmless', async () => {
    const { ended } = await doing(discard, { lines: [STORED, back('none')] })
    expect(ended).toBe('done')
  })

  test('leaves the current credential', async () => {
    const { store } = await doing(discard, { lines: [STORED, back('none')] }, (bench) => keepPending(bench, true))
    expect(store.versions.current).not.toBeNull()
  })

  test('is not begun where the lock is not ours any more', async () => {
    const { ended, written, store } = await doing(discard, { lines: [STORED, back('none')] }, async (bench) => {
      await keepPending(bench)
      bench.lock.lost = true
    })
    expect([ended, written()]).toEqual(['LOCK_LOST', []])
    expect(store.versions.pending).not.toBeNull()
  })

  test('of a repair asks no store: it kept none', async () => {
    const { ended, written } = await doing(
      discard,
      { facts: { procedure: 'repair' }, lines: [back('none')] },
      ({ store }) => {
        store.discardPending = () => Promise.reject(new Error('nobody asked for it'))
      },
    )
    expect([ended, written()]).toEqual(['done', ['store discard intent', 'store discard read-back']])
  })
})
