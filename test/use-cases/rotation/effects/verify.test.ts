import { describe, expect, test } from '@jest/globals'
import type { HsmId } from '../../../../src/domain/ids.js'
import type { JournalEvent } from '../../../../src/domain/rotation/journal-entry.js'
import { verify } from '../../../../src/use-cases/rotation/effects/verify.js'
import { change, copies, DONE, type Line, listing, login, RESUMED, STORED } from '../../../helpers/journal-lines.js'
import type { MemoryFleet } from '../../../helpers/memory-fleet.js'
import { APP, hsm } from '../../../helpers/rotation.js'
import { type Bench, type BenchGiven, benchOf, besideIn, endedBy, reported } from '../../../helpers/run-bench.js'

const [a, b, c, d] = [hsm('a'), hsm('b'), hsm('c'), hsm('d')]
const BY_CHANGE: JournalEvent = { type: 'propagation', method: 'change', evidence: 'x' }
const given = (hsmId: HsmId): Line[] => [
  [change(hsmId), DONE],
  [login(hsmId), DONE],
]
/** All but the restore point d hold it. */
const SPREAD: readonly Line[] = [STORED, copies('overwrites'), BY_CHANGE, ...[a, b, c].flatMap(given)]
const allButD = (fleet: MemoryFleet) => {
  for (const hsmId of [a, b, c]) fleet.give(hsmId, 'new')
}
const READ = ['listed a', 'listed b', 'listed c', 'listed d']
const logins = (...letters: string[]) =>
  letters.flatMap((letter) => [`listed ${letter}`, `login ${letter} new`, 'done'])

const verified = async (how: BenchGiven = {}, prepare: (bench: Bench) => void = () => {}) => {
  const bench = benchOf({ lines: SPREAD, fleet: allButD, ...how })
  prepare(bench)
  const ended = await endedBy(() => verify(bench.run))
  return { ...bench, ended }
}

describe('reading everything again', () => {
  test('lists every HSM and asks AWS; what was proved in this invocation is not asked again', async () => {
    const { ended, written } = await verified()
    expect([ended, written()]).toEqual(['done', [...READ, 'aws agrees']])
  })

  test('asks every cell again that an earlier invocation proved, by one login', async () => {
    const { ended, written, fleet } = await verified({ lines: [...SPREAD, RESUMED] })
    expect([ended, written()]).toEqual(['done', [...logins('a', 'b', 'c'), ...READ, 'aws agrees']])
    expect(fleet.heard.filter((words) => words.startsWith('login'))).toHaveLength(3)
  })

  test('leaves the restore point on the old credential', async () => {
    const { fleet } = await verified({ lines: [...SPREAD, RESUMED] })
    expect(fleet.holds()).toBe('a new, b new, c new, d old')
  })

  test('asks the restore point as well once it followed', async () => {
    const { written } = await verified({
      lines: [...SPREAD, ...given(d), RESUMED],
      fleet: (its) => {
        allButD(its)
        its.give(d, 'new')
      },
    })
    expect(written().filter((words) => words.startsWith('login'))).toHaveLength(4)
  })

  test('gives HSMs that were added since the new credential', async () => {
    const joined = besideIn(benchOf().run.plan.roster, c, 'e')
    const { ended, written, fleet } = await verified(
      {
        lines: [...SPREAD, { type: 'targets-added', roster: [joined] }],
        fleet: (its) => {
          allButD(its)
          its.add(joined)
        },
      },
      ({ aws, run }) => {
        aws.clusters = reported(run.plan.roster)
      },
    )
    expect([ended, fleet.holds()]).toEqual(['done', 'a new, b new, c new, d old, e new'])
    expect(written()).toEqual([
      'listed e',
      'change e new',
      'done',
      'listed e',
      'login e new',
      'done',
      ...READ,
      'listed e',
      'aws agrees',
    ])
  })

  test('gives it again to a cell that clients locked since', async () => {
    const { ended, written, fleet } = await verified({
      fleet: (its) => {
        allButD(its)
        its.fail(b, 5)
      },
    })
    expect(ended).toBe('done')
    expect(written()).toContain('listed b locked failed 5')
    expect(written().slice(4, 9)).toEqual(['change b new', 'done', 'listed b', 'login b new', 'done'])
    expect([written().at(-1), fleet.failures()]).toEqual(['aws agrees', [0, 0, 0, 0]])
  })
})

describe('what has changed since it was proved', () => {
  test('by somebody’s hand is other, and pauses', async () => {
    const { ended, written, cells } = await verified({
      lines: [...SPREAD, RESUMED],
      fleet: (its) => {
        allButD(its)
        its.give(b, 'other')
      },
    })
    expect(ended).toBe('OTHER_CREDENTIAL')
    expect(written()).toEqual([...logins('a'), 'listed b', 'login b new', 'login-refused', ...logins('c')])
    expect(cells()).toContain('b other (none)')
  })

  test('by somebody’s hand is given it again where the operator wants it', async () => {
    const { ended, fleet } = await verified({
      lines: [...SPREAD, RESUMED],
      options: { overwriteOther: true },
      fleet: (its) => {
        allButD(its)
        its.give(b, 'other')
      },
    })
    expect([ended, fleet.holds()]).toEqual(['done', 'a new, b new, c new, d old'])
  })

  test('in its attributes pauses', async () => {
    const { ended, written } = await verified({
      fleet: (its) => {
        allButD(its)
        its.user(c).mofnPubKey = true
      },
    })
    expect([ended, written()]).toEqual([
      'ATTRIBUTES_DIFFER',
      ['listed a', 'listed b', 'listed c different', 'listed d'],
    ])
  })

  test('by being gone pauses', async () => {
    const { ended } = await verified({ lines: [listing(c), ...SPREAD], fleet: (its) => its.remove(c) })
    expect(ended).toBe('USER_MISSING')
  })

  test.each<[string, (bench: Bench) => void]>([
    [
      'one HSM more',
      ({ aws, run }) => {
        const joined = { ...besideIn(run.plan.roster, c, 'e'), eniIp: '127.0.9.9' as never }
        aws.clusters = reported([...run.plan.roster, joined])
      },
    ],
    [
      'one HSM less',
      ({ aws, run }) => {
        aws.clusters = reported(run.plan.roster.filter(({ hsmId }) => hsmId !== b))
      },
    ],
    [
      'one that is not ACTIVE',
      ({ aws }) => {
        aws.clusters = aws.clusters.map((cluster) => ({
          ...cluster,
          hsms: cluster.hsms.map((one) => (one.hsmId === b ? { ...one, state: 'DEGRADED' } : one)),
        }))
      },
    ],
  ])('in AWS’s view pauses: %s', async (_words, prepare) => {
    const { ended, written } = await verified({}, prepare)
    expect([ended, written().at(-1)]).toEqual(['ROSTER_CHANGED', 'aws: 1 differences'])
  })

  test('in AWS’s view of an HSM that may stay behind is no matter', async () => {
    const debt: JournalEvent = { type: 'debt', debt: { hsmId: b, reason: 'x' } }
    const { ended } = await verified({ lines: [...SPREAD, debt] }, ({ aws, run }) => {
      aws.clusters = reported(run.plan.roster.filter(({ hsmId }) => hsmId !== b))
    })
    expect(ended).toBe('done')
  })
})

test('an HSM out of reach pauses, once all others were read', async () => {
  const { ended, written } = await verified({
    lines: [...SPREAD, RESUMED],
    fleet: (its) => {
      allButD(its)
      its.at(b).away = true
    },
  })
  expect([ended, written()]).toEqual(['HSM_UNREACHABLE', [...logins('a'), 'unreachable b', ...logins('c')]])
})

test('a restore point that lacks the user is not missed yet', async () => {
  const { ended } = await verified({
    lines: [listing(d, { absent: [APP] }), ...SPREAD],
    fleet: (its) => {
      allButD(its)
      its.remove(d)
    },
  })
  expect(ended).toBe('done')
})
