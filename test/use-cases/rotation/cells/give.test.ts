import { describe, expect, test } from '@jest/globals'
import type { UnitId } from '../../../../src/domain/ids.js'
import type { CredentialName, JournalEvent } from '../../../../src/domain/rotation/journal-entry.js'
import type { Propagation } from '../../../../src/domain/rotation/plan.js'
import { give } from '../../../../src/use-cases/rotation/cells/give.js'
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
} from '../../../helpers/journal-lines.js'
import type { MemoryFleet } from '../../../helpers/memory-fleet.js'
import { APP, hsm } from '../../../helpers/rotation.js'
import { type BenchGiven, benchOf, endedBy } from '../../../helpers/run-bench.js'

const [a, b, c, d] = [hsm('a'), hsm('b'), hsm('c'), hsm('d')]
const CLUSTER_B = 'cluster-bbbbbbbbbbb' as UnitId
/** a was changed, and proved in this invocation. */
const FIRST: readonly Line[] = [
  [change(a), DONE],
  [login(a), DONE],
]
const firstIsNew = (fleet: MemoryFleet) => fleet.give(a, 'new')

const given = async (
  how: BenchGiven,
  unitId: UnitId,
  method: Propagation,
  credential: CredentialName = 'new',
): Promise<ReturnType<typeof benchOf> & { readonly ended: string }> => {
  const bench = benchOf(how)
  const ended = await endedBy(() => give(bench.run, unitId, bench.users, { credential, method }))
  return { ...bench, ended }
}

describe('giving the new credential', () => {
  test('by a copy: from a proved origin, then one login', async () => {
    const { ended, written, fleet, cells } = await given({ lines: FIRST, fleet: firstIsNew }, c, 'sync')
    expect([ended, written()]).toEqual(['done', ['copy a>c new', 'done', 'listed c', 'login c new', 'done']])
    expect(fleet.holds()).toBe('a new, b old, c new, d old')
    expect(cells()).toContain('c new (login-new)')
  })

  test('by a change: then one login', async () => {
    const { ended, written } = await given({}, b, 'change')
    expect([ended, written()]).toEqual(['done', ['change b new', 'done', 'listed b', 'login b new', 'done']])
  })

  test('to a whole cluster, by either', async () => {
    const cli = { utility: 'cloudhsm-cli' } as const
    const changed = await given(cli, CLUSTER_B, 'change')
    expect(changed.written().filter((words) => !/^(serials|listed)/.test(words))).toEqual([
      'change c d new',
      'done',
      'login c d new',
      'done',
    ])
    const lines: Line[] = [
      [change([a, b]), DONE],
      [login([a, b]), DONE],
    ]
    const copied = await given(
      {
        ...cli,
        lines,
        fleet: (its) => {
          its.give(a, 'new')
          its.give(b, 'new')
        },
      },
      CLUSTER_B,
      'sync',
    )
    expect([copied.ended, copied.fleet.holds()]).toEqual(['done', 'a new, b new, c new, d new'])
  })

  test('to a unit that had to show that it holds it: it is not copied again', async () => {
    const { ended, written } = await given({ lines: [...FIRST, RESUMED], fleet: firstIsNew }, a, 'sync')
    expect([ended, written()]).toEqual(['done', ['listed a', 'login a new', 'done']])
  })
})

describe('an origin of a copy', () => {
  test('that was proved by an earlier invocation shows it again first', async () => {
    const { ended, written } = await given({ lines: [...FIRST, RESUMED], fleet: firstIsNew }, c, 'sync')
    expect([ended, written()]).toEqual([
      'done',
      ['listed a', 'login a new', 'done', 'copy a>c new', 'done', 'listed c', 'login c new', 'done'],
    ])
  })

  test('that does not hold it any more was changed by somebody else, and is left alone', async () => {
    const { ended, written, fleet } = await given(
      { lines: [...FIRST, RESUMED], fleet: (its) => its.give(a, 'other') },
      c,
      'sync',
    )
    expect([ended, written()]).toEqual(['OTHER_CREDENTIAL', ['listed a', 'login a new', 'login-refused']])
    expect(fleet.holds()).toBe('a other, b old, c old, d old')
  })

  test('that does not hold it any more is written again where the operator wants it', async () => {
    const { ended, written, fleet } = await given(
      {
        lines: [...FIRST, RESUMED],
        fleet: (its) => its.give(a, 'other'),
        options: { overwriteOther: true },
      },
      c,
      'sync',
    )
    expect(ended).toBe('done')
    expect(written().slice(0, 8)).toEqual([
      'listed a',
      'login a new',
      'login-refused',
      'other-overwritten a',
      'change a new',
      'done',
      'listed a',
      'login a new',
    ])
    expect(fleet.holds()).toBe('a new, b old, c new, d old')
  })

  test('that nothing was written to yet is given it', async () => {
    const { ended, written } = await given({}, c, 'sync')
    expect(ended).toBe('done')
    expect(written().slice(0, 5)).toEqual(['change a new', 'done', 'listed a', 'login a new', 'done'])
  })

  test('is another one each time, as far as there are several', async () => {
    const lines = [...FIRST, [change(b), DONE] as const, [login(b), DONE] as const]
    const bench = benchOf({
      lines,
      hsms: [2, 3],
      fleet: (its) => {
        firstIsNew(its)
        its.give(b, 'new')
      },
    })
    const gift = { credential: 'new', method: 'sync' } as const
    for (const unitId of [c, d, hsm('e')]) await give(bench.run, unitId, bench.users, gift)
    expect(bench.written().filter((words) => words.startsWith('copy'))).toEqual([
      'copy a>c new',
      'copy b>d new',
      'copy c>e new',
    ])
  })
})

describe('what a cell allows', () => {
  const missing = listing(c, { absent: [APP] })

  test('a user that is missing is copied, although changes are wanted', async () => {
    const { ended, written, fleet } = await given(
      {
        lines: [missing, ...FIRST],
        facts: { createMissing: true },
        fleet: (its) => {
          firstIsNew(its)
          its.remove(c)
        },
      },
      c,
      'change',
    )
    expect([ended, written()]).toEqual([
      'done',
      ['listed c without the user', 'copy a>c new', 'done', 'listed c', 'login c new', 'done'],
    ])
    expect(fleet.holds()).toBe('a new, b old, c new, d old')
  })

  test('a user that is missing and that nobody wants created is not', async () => {
    const { ended, written } = await given(
      {
        lines: [missing, ...FIRST],
        fleet: (its) => {
          firstIsNew(its)
          its.remove(c)
        },
      },
      c,
      'change',
    )
    expect([ended, written()]).toEqual(['USER_MISSING', ['listed c without the user']])
  })

  test('a user that was missing and is there by now is changed where changes are wanted', async () => {
    const { written } = await given({ lines: [missing], facts: { createMissing: true } }, c, 'change')
    expect(written()).toEqual(['listed c', 'change c new', 'done', 'listed c', 'login c new', 'done'])
  })

  test('a user that is locked is changed, although copies are wanted, and the operator hears of the lock', async () => {
    const { ended, written, fleet, notices } = await given(
      {
        lines: [...FIRST, listing(c, { locked: [APP], failures: [[APP, 5]] })],
        fleet: (its) => {
          firstIsNew(its)
          its.fail(c, 5)
        },
      },
      c,
      'sync',
    )
    expect([ended, written()]).toEqual(['done', ['change c new', 'done', 'listed c', 'login c new', 'done']])
    expect(fleet.failures()).toEqual([0, 0, 0, 0])
    expect(notices.join()).toMatch(/CU:app was locked on .* by failed logins, and changePswd unlocks it/)
  })

  test('what somebody else has written is withheld, once the others have it', async () => {
    const { ended, written, fleet } = await given(
      {
        users: ['app', 'batch'],
        lines: [
          [login(c), REFUSED],
          [login(c, 'current'), REFUSED],
        ],
        fleet: (its) => its.give(c, 'other'),
      },
      c,
      'change',
    )
    expect([ended, written()]).toEqual([
      'OTHER_CREDENTIAL',
      ['change CU:batch c new', 'done', 'listed c', 'login CU:batch c new', 'done'],
    ])
    expect([fleet.holds(), fleet.holds('batch')]).toEqual([
      'a old, b old, c other, d old',
      'a old, b old, c new, d old',
    ])
  })
})

describe('a gift that does not arrive', () => {
  test('because the copy changes nothing pauses after one login', async () => {
    const { ended, written } = await given(
      { lines: FIRST, behaviour: { syncUserExisting: 'ignore' }, fleet: firstIsNew },
      c,
      'sync',
    )
    expect([ended, written()]).toEqual([
      'NEW_CREDENTIAL_REFUSED',
      ['copy a>c new', 'done', 'listed c', 'login c new', 'login-refused'],
    ])
  })

  test('because the copy is refused pauses without a login', async () => {
    const { ended, written } = await given(
      { lines: FIRST, behaviour: { syncUserExisting: 'refuse' }, fleet: firstIsNew },
      c,
      'sync',
    )
    expect([ended, written()]).toEqual(['HSM_REFUSED', ['copy a>c new', 'user-exists']])
  })

  test('because somebody changed the cell in between pauses', async () => {
    const { ended, written } = await given(
      { fleet: (its) => its.meanwhile('login CU:app', () => its.give(c, 'other')) },
      c,
      'change',
    )
    expect([ended, written().at(-1)]).toEqual(['NEW_CREDENTIAL_REFUSED', 'login-refused'])
  })
})

describe('giving the old credential back', () => {
  const BACK: JournalEvent = back()
  const written: readonly Line[] = [copies('overwrites'), ...FIRST, [copy(a, c), DONE], [login(c), DONE]]
  const halfNew = (fleet: MemoryFleet) => {
    fleet.give(a, 'new')
    fleet.give(c, 'new')
  }

  test('by a copy from an untouched HSM of its own cluster, which is all the proof there is', async () => {
    const bench = await given({ lines: [...written, BACK], fleet: halfNew, knows: [] }, c, 'sync', 'current')
    expect([bench.ended, bench.written()]).toEqual(['done', ['copy d>c current', 'done']])
    expect(bench.fleet.holds()).toBe('a new, b old, c old, d old')
    expect(bench.cells()).toContain('c old (copy)')
  })

  test('by a copy that is proved by a login where the current one is known', async () => {
    const bench = await given({ lines: [...written, BACK], fleet: halfNew, knows: ['current'] }, c, 'sync', 'current')
    expect(bench.written()).toEqual(['copy d>c current', 'done', 'listed c', 'login c current', 'done'])
  })

  test('to a locked user is a change to the new one first, which unlocks, where the current one is not known', async () => {
    const bench = await given(
      {
        lines: [...written, listing(c, { locked: [APP], failures: [[APP, 5]] }), BACK],
        behaviour: { syncResetsFailures: false },
        fleet: (its) => {
          halfNew(its)
          its.fail(c, 5)
        },
      },
      c,
      'sync',
      'current',
    )
    expect([bench.ended, bench.written()]).toEqual([
      'done',
      ['change c new', 'done', 'copy d>c current', 'done', 'listed c'],
    ])
    expect([bench.fleet.holds(), bench.fleet.failures()]).toEqual(['a new, b old, c old, d old', [0, 0, 0, 0]])
  })

  test('by a change to the current one, where it is known', async () => {
    const bench = await given(
      { lines: [...written, back('change')], fleet: halfNew, knows: ['current'] },
      a,
      'change',
      'current',
    )
    expect(bench.written()).toEqual(['change a current', 'done', 'listed a', 'login a current', 'done'])
    expect(bench.fleet.holds()).toBe('a old, b old, c new, d old')
  })

  test('from another cluster where its own has nothing untouched', async () => {
    const lines = [...written, [copy(a, d), DONE] as const, BACK]
    const bench = await given({ lines, fleet: halfNew, knows: [] }, c, 'sync', 'current')
    expect(bench.written()).toEqual(['copy b>c current', 'done'])
  })

  test('waits for an HSM out of sight, where no other one holds it', async () => {
    const lines = [
      ...written,
      [copy(a, b), DONE] as const,
      { type: 'unreachable', hsmId: d, reason: 'x' } as const,
      BACK,
    ]
    const bench = benchOf({ lines, fleet: halfNew, knows: [] })
    bench.run.takeAllInSight()
    const gift = { credential: 'current', method: 'sync' } as const
    expect(await endedBy(() => give(bench.run, c, bench.users, gift))).toBe('HSM_UNREACHABLE')
    expect(bench.written()).toEqual([])
  })

  test('is not possible where nothing is left untouched', async () => {
    const lines = [...written, ...[b, d].map((hsmId): Line => [change(hsmId), DONE]), BACK]
    const bench = await given({ lines, fleet: halfNew, knows: [] }, c, 'sync', 'current')
    expect([bench.ended, bench.written()]).toEqual(['NO_WAY_BACK', []])
  })
})

describe('giving what nobody knows', () => {
  const repair = { procedure: 'repair', newCredential: 'unknown', from: a } as const

  test('is a copy from where the operator said, and nobody asks whether it arrived', async () => {
    const { ended, written, cells, fleet } = await given(
      { facts: repair, knows: [], fleet: (its) => its.give(a, 'other') },
      c,
      'sync',
    )
    expect([ended, written()]).toEqual(['done', ['copy a>c new', 'done']])
    expect(fleet.holds()).toBe('a other, b old, c other, d old')
    expect(cells()).toContain('c new (copy)')
  })

  const onLocked = (syncResetsFailures: boolean) =>
    given(
      {
        facts: repair,
        knows: [],
        behaviour: { syncResetsFailures },
        lines: [listing(c, { locked: [APP], failures: [[APP, 5]] })],
        fleet: (its) => its.fail(c, 5),
      },
      c,
      'sync',
    )

  test('to a locked user is a copy all the same, a look whether it unlocked, and another one then', async () => {
    const { ended, written, cells } = await onLocked(true)
    expect([ended, written()]).toEqual(['done', ['copy a>c new', 'done', 'listed c', 'copy a>c new', 'done']])
    expect(cells()).toContain('c new (copy)')
  })

  test('to a user that stays locked pauses: nobody knows a password to change it to', async () => {
    const { ended, written } = await onLocked(false)
    expect([ended, written().at(-1)]).toEqual(['USER_LOCKED', 'listed c locked failed 5'])
  })
})

test('a cluster is given a user that one of its HSMs lacks, where it was to be created', async () => {
  const { ended, fleet } = await given(
    {
      utility: 'cloudhsm-cli',
      facts: { createMissing: true, observed: [loggedIn([a, b])] },
      lines: [listing(c, { inPart: [APP] }), [change([a, b]), DONE], [login([a, b]), DONE]],
      fleet: (its) => {
        its.give(a, 'new')
        its.give(b, 'new')
        its.remove(d)
      },
    },
    CLUSTER_B,
    'change',
  )
  expect([ended, fleet.holds()]).toEqual(['done', 'a new, b new, c new, d new'])
})
