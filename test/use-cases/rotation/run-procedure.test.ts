import { describe, expect, test } from '@jest/globals'
import { OperatorError } from '../../../src/domain/errors.js'
import { runProcedure } from '../../../src/use-cases/rotation/run/run-procedure.js'
import { back, change, copies, DONE, type Line, login, PROMOTED, STORED, TOLD } from '../../helpers/journal-lines.js'
import { hsm } from '../../helpers/rotation.js'
import { type Bench, type BenchGiven, benchOf, keepPending } from '../../helpers/run-bench.js'

const [a, b, c, d] = [hsm('a'), hsm('b'), hsm('c'), hsm('d')]
const given = (...hsmIds: (typeof a)[]): Line[] =>
  hsmIds.flatMap((hsmId): Line[] => [
    [change(hsmId), DONE],
    [login(hsmId), DONE],
  ])

const run = async (how: BenchGiven = {}, prepare: (bench: Bench) => unknown = () => {}) => {
  const bench = benchOf(how)
  await prepare(bench)
  const rotation = await runProcedure(bench.run)
  return { ...bench, rotation }
}

describe('a rotation', () => {
  test('runs from its first row to its end, each completed row a marker', async () => {
    const { rotation, written, fleet } = await run()
    expect([rotation.outcome, rotation.closed, fleet.holds()]).toEqual([
      'completed',
      true,
      'a new, b new, c new, d new',
    ])
    expect(written().filter((words) => /^(completed|finished)/.test(words))).toEqual([
      ...[
        'store-pending',
        'rehearse',
        'change',
        'prove',
        'canary',
        'spread',
        'verify',
        'restore-point',
        'finalize',
      ].map((stage) => `completed ${stage}`),
      'finished completed',
    ])
  })

  test('costs no failed login where copies overwrite, and one where they do not', async () => {
    const overwriting = await run()
    const ignoring = await run({ behaviour: { syncUserExisting: 'ignore' } })
    expect([overwriting.rotation.failedLogins, ignoring.rotation.failedLogins]).toEqual([0, 1])
  })

  test('by cloudhsm-cli ends the same', async () => {
    const { rotation, fleet } = await run({ utility: 'cloudhsm-cli' })
    expect([rotation.outcome, fleet.holds()]).toEqual(['completed', 'a new, b new, c new, d new'])
  })

  test.each<[string, BenchGiven]>([
    ['one HSM', { hsms: [1, 0] }],
    ['one cluster of two', { hsms: [2, 0] }],
    ['one cluster of three', { hsms: [3, 0] }],
    ['one cluster that is written as a whole', { hsms: [3, 0], utility: 'cloudhsm-cli' }],
  ])('over %s ends the same', async (_words, how) => {
    const { rotation, fleet } = await run({ ...how, facts: { acceptedNoWayBack: true } })
    expect([rotation.outcome, fleet.holds()]).toEqual(['completed', expect.not.stringContaining('old')])
  })

  test('begins with what is not done, and does nothing twice', async () => {
    const lines = [STORED, copies('overwrites'), ...given(a, b, c)]
    const { written } = await run(
      {
        lines: [...lines, { type: 'propagation', method: 'sync', evidence: 'x' }],
        fleet: (its) => {
          for (const hsmId of [a, b, c]) its.give(hsmId, 'new')
        },
      },
      keepPending,
    )
    expect(written().filter((words) => /^(change|copy|rehearse|login)/.test(words))).toEqual([
      'copy a>d new',
      'login d new',
    ])
  })

  test('that is through says so again and asks no HSM', async () => {
    const { rotation, written, fleet } = await run({ lines: [STORED, ...given(a, b, c, d), PROMOTED, TOLD] })
    expect([rotation.outcome, written(), fleet.heard]).toEqual(['completed', ['finished completed'], []])
  })
})

describe('a pause', () => {
  test('as asked is made before the row, and not again once it lies behind', async () => {
    const asked = await run({ options: { pauseBefore: 'canary' } })
    expect([asked.rotation.outcome, asked.rotation.stage, asked.rotation.pause?.code]).toEqual([
      'paused',
      'canary',
      'PAUSED_AS_ASKED',
    ])
    const behind = await run(
      {
        lines: [STORED, copies('accepted'), ...given(a)],
        options: { pauseBefore: 'change' },
        fleet: (its) => its.give(a, 'new'),
      },
      keepPending,
    )
    expect(behind.rotation.outcome).toBe('completed')
  })

  test('before a stage that has nothing to do is made before the next one', async () => {
    const { rotation } = await run({
      hsms: [1, 1],
      options: { pauseBefore: 'spread' },
      facts: { acceptedNoWayBack: true },
    })
    expect([rotation.pause?.code, rotation.stage]).toEqual(['PAUSED_AS_ASKED', 'verify'])
  })

  test('tells its stage, its reason, and that resume goes on', async () => {
    const { rotation, written } = await run({ fleet: (its) => its.logIn(a) })
    expect(written().at(-1)).toBe('paused at change: USER_LOGGED_IN')
    expect(rotation.pause?.suggestions).toEqual([
      'stop the applications that use this user, then resume',
      'lockstep rotate resume --rotation r-20260301-031500-test',
    ])
  })

  test('for an HSM out of reach writes down that it is', async () => {
    const { written, rotation } = await run({
      fleet: (its) => {
        its.at(a).away = true
      },
    })
    expect(written().slice(-2)).toEqual(['unreachable a', 'paused at change: HSM_UNREACHABLE'])
    expect(rotation.cells.map(({ state }) => state)).toEqual(['unreachable', 'old', 'old', 'old'])
  })

  test('that the operator wants comes between two HSMs, but not within the last stage', async () => {
    const stopped = await run({}, ({ fleet, stop }) => {
      fleet.meanwhile('login CU:app a', () => {
        stop.requested = true
      })
    })
    expect([stopped.rotation.pause?.code, stopped.rotation.stage]).toEqual(['INTERRUPTED', 'canary'])
    const late = await run({}, ({ store, stop }) => {
      const promote = store.promote.bind(store)
      store.promote = async (rotationId) => {
        stop.requested = true
        await promote(rotationId)
      }
    })
    expect(late.rotation.outcome).toBe('completed')
  })

  test('is told although the journal cannot be written any more', async () => {
    const { rotation } = await run({}, ({ run: its }) => {
      const { journal } = its.parts
      const { append } = journal
      let lines = 0
      journal.append = async (event) => {
        lines += 1
        if (lines > 6) throw new OperatorError('JOURNAL_UNWRITABLE', 'no space is left')
        return append(event)
      }
    })
    expect([rotation.outcome, rotation.pause?.code]).toEqual(['paused', 'JOURNAL_UNWRITABLE'])
  })

  test('is none for a fault of the program: it is thrown', async () => {
    const bench = benchOf()
    bench.store.putPending = () => Promise.reject(new TypeError('a mistake of ours'))
    await expect(runProcedure(bench.run)).rejects.toThrow('a mistake of ours')
  })
})

describe('a rollback', () => {
  test('brings back what was written, and removes PENDING', async () => {
    const { rotation, written, fleet, store } = await run(
      {
        lines: [STORED, copies('overwrites'), ...given(a), back()],
        fleet: (its) => its.give(a, 'new'),
        knows: [],
      },
      keepPending,
    )
    expect([rotation.outcome, rotation.direction, fleet.holds()]).toEqual([
      'rolled-back',
      'back',
      'a old, b old, c old, d old',
    ])
    expect(written()).toEqual([
      'copy b>a current',
      'done',
      'completed restore',
      'aws agrees',
      'completed verify',
      'store discard intent',
      'store discard read-back',
      'completed discard',
      'finished rolled-back',
    ])
    expect(store.versions.pending).toBeNull()
  })
})
