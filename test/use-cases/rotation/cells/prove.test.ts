import { describe, expect, test } from '@jest/globals'
import type { UnitId } from '../../../../src/domain/ids.js'
import { logInEach, prove } from '../../../../src/use-cases/rotation/cells/prove.js'
import { change, DONE, type Line, listing } from '../../../helpers/journal-lines.js'
import { APP, hsm } from '../../../helpers/rotation.js'
import { type BenchGiven, benchOf, endedBy } from '../../../helpers/run-bench.js'

const [a, b] = [hsm('a'), hsm('b')]
const CLUSTER = 'cluster-aaaaaaaaaaa' as UnitId
/** The new credential was written to a, and nobody proved it. */
const WRITTEN: readonly Line[] = [[change(a), DONE]]
const holdsNew: BenchGiven = { lines: WRITTEN, fleet: (its) => its.give(a, 'new') }

const proved = async (given: BenchGiven, unitId: UnitId = a) => {
  const bench = benchOf(given)
  let refused: readonly string[] = []
  const ended = await endedBy(async () => {
    refused = (await prove(bench.run, unitId, bench.users, 'new')).map(({ key }) => key)
  })
  return { ...bench, ended, refused, heard: bench.fleet.heard }
}

describe('a proof', () => {
  test('is a listing and one login, without an officer, in a session of its own', async () => {
    const { ended, refused, written, heard, cells } = await proved(holdsNew)
    expect([ended, refused, written()]).toEqual(['done', [], ['listed a', 'login a new', 'done']])
    expect(heard).toEqual(['open a', 'list a', 'login CU:app a'])
    expect(cells()).toBe('a new (login-new), b old (untouched), c old (untouched), d old (untouched)')
  })

  test('leaves no session behind: the user can be changed at once', async () => {
    const { fleet } = await proved(holdsNew)
    expect(fleet.at(a).hsm.sessionsOf(fleet.user(a))).toBe(0)
  })

  test('of a cluster is one login on all of its HSMs', async () => {
    const { written, cells } = await proved(
      {
        utility: 'cloudhsm-cli',
        lines: [[change([a, b]), DONE]],
        fleet: (its) => {
          its.give(a, 'new')
          its.give(b, 'new')
        },
      },
      CLUSTER,
    )
    expect(written()).toEqual(['serials SN-a SN-b', 'listed a, b', 'login a b new', 'done'])
    expect(cells()).toContain('a new (login-new), b new (login-new)')
  })

  test('that is refused names the user, and is counted once', async () => {
    const { ended, refused, written, refusedLogins, fleet } = await proved({ lines: WRITTEN })
    expect([ended, refused, written()]).toEqual(['done', [APP], ['listed a', 'login a new', 'login-refused']])
    expect([refusedLogins.counts, fleet.failures()]).toEqual([[[a, 1]], [1, 0, 0, 0]])
  })

  test('of several users asks each, whoever was refused', async () => {
    const { refused, written } = await proved({
      users: ['app', 'batch'],
      lines: WRITTEN,
      fleet: (its) => its.give(a, 'new', 'batch'),
    })
    expect(refused).toEqual([APP])
    expect(written()).toEqual(['listed a', 'login a new', 'login-refused', 'login CU:batch a new', 'done'])
  })

  test('that is interrupted is unanswered', async () => {
    const { ended, written } = await proved({
      lines: WRITTEN,
      fleet: (its) => its.befall('login CU:app', { breaks: 'silent' }),
    })
    expect([ended, written()]).toEqual(['silent', ['listed a', 'login a new', 'unanswered']])
  })

  test('in words that nobody knows pauses', async () => {
    const { ended, cells } = await proved({
      ...holdsNew,
      fleet: (its) => its.befall('login CU:app', { answer: { kind: 'unclear', text: 'hm' } }),
    })
    expect([ended, cells()]).toEqual(['NOT_UNDERSTOOD', expect.stringContaining('a unknown (none)')])
  })

  test('of a user that is missing pauses before any login', async () => {
    const { ended, written } = await proved({ fleet: (its) => its.remove(a) })
    expect([ended, written()]).toEqual(['USER_MISSING', ['listed a without the user']])
  })
})

describe('a proof of a cell without a login left', () => {
  const near: BenchGiven = {
    fleet: (its) => {
      its.give(a, 'new')
      its.fail(a, 3)
    },
  }

  test('that we wrote is written again first, which clears the count', async () => {
    const { ended, written, notices, fleet } = await proved({
      ...near,
      lines: [listing(a, { failures: [[APP, 3]] }), ...WRITTEN],
    })
    expect(ended).toBe('done')
    expect(written()).toEqual(['listed a failed 3', 'change a new', 'done', 'listed a', 'login a new', 'done'])
    expect(notices).toEqual([`no login is left for CU:app on ${a}: written again to clear the count`])
    expect(fleet.failures()).toEqual([0, 0, 0, 0])
  })

  test('that we never wrote is not asked', async () => {
    const { ended, written } = await proved(near)
    expect([ended, written()]).toEqual(['NEAR_LOCKOUT', ['listed a failed 3']])
  })

  test('is left to the caller where it asks for logins alone', async () => {
    const bench = benchOf({ ...near, lines: [listing(a, { failures: [[APP, 3]] }), ...WRITTEN] })
    const { refused, objections } = await logInEach(bench.run, a, bench.users, 'new')
    expect([refused, [...objections.values()].map(({ code }) => code)]).toEqual([[], ['NEAR_LOCKOUT']])
    expect(bench.written()).toEqual(['listed a failed 3'])
  })

  test('asks nobody else of the session either, before it was written again', async () => {
    const { written } = await proved({
      users: ['batch', 'app'],
      lines: [listing(a, { failures: [[APP, 3]] }), ...WRITTEN],
      fleet: (its) => {
        its.give(a, 'new')
        its.give(a, 'new', 'batch')
        its.fail(a, 3)
      },
    })
    expect(written()).toEqual([
      'listed a failed 3',
      'change a new',
      'done',
      'listed a',
      'login CU:batch a new',
      'done',
      'login a new',
      'done',
    ])
  })
})

describe('failed logins that rose without us', () => {
  test('pause before a login is made', async () => {
    const { ended, written } = await proved({
      lines: [listing(a), ...WRITTEN],
      fleet: (its) => {
        its.give(a, 'new')
        its.fail(a, 1)
      },
    })
    expect([ended, written()]).toEqual(['CLIENT_USES_OTHER_PASSWORD', ['listed a failed 1']])
  })

  test('pause once: the next proof goes by the count that was seen', async () => {
    const { ended } = await proved({
      lines: [listing(a), ...WRITTEN, listing(a, { failures: [[APP, 1]] })],
      fleet: (its) => {
        its.give(a, 'new')
        its.fail(a, 1)
      },
    })
    expect(ended).toBe('done')
  })
})
