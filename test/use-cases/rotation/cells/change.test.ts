import { describe, expect, test } from '@jest/globals'
import type { UnitId } from '../../../../src/domain/ids.js'
import { changeUsers } from '../../../../src/use-cases/rotation/cells/change.js'
import { LOGGED_IN, login, REFUSED } from '../../../helpers/journal-lines.js'
import { hsm } from '../../../helpers/rotation.js'
import { type Bench, type BenchGiven, benchOf, endedBy } from '../../../helpers/run-bench.js'

const a = hsm('a')
const CLUSTER = 'cluster-aaaaaaaaaaa' as UnitId

const changed = async (given: BenchGiven = {}, unitId: UnitId = a, prepare: (bench: Bench) => void = () => {}) => {
  const bench = benchOf(given)
  prepare(bench)
  const ended = await endedBy(() => changeUsers(bench.run, unitId, bench.users, 'new'))
  return { ...bench, ended, heard: bench.fleet.heard }
}

describe('a change', () => {
  test('is written down, done on one HSM, and its answer written down', async () => {
    const { ended, written, fleet, heard } = await changed()
    expect([ended, written()]).toEqual(['done', ['change a new', 'done']])
    expect(fleet.holds()).toBe('a new, b old, c old, d old')
    expect(heard).toEqual(['open a', 'list a', 'login CO:admin a', 'change CU:app a'])
  })

  test('of a cluster that is written as a whole names all of its HSMs', async () => {
    const { written, fleet } = await changed({ utility: 'cloudhsm-cli' }, CLUSTER)
    expect(written()).toEqual(['serials SN-a SN-b', 'change a b new', 'done'])
    expect(fleet.holds()).toBe('a new, b new, c old, d old')
  })

  test('of nobody asks no HSM', async () => {
    const bench = benchOf()
    await changeUsers(bench.run, a, [], 'new')
    expect([bench.fleet.heard, bench.written()]).toEqual([[], []])
  })

  test('of several users is one conversation and one login of the officer', async () => {
    const { written, heard } = await changed({ users: ['app', 'batch'] })
    expect(written()).toEqual(['change a new', 'done', 'change CU:batch a new', 'done'])
    expect(heard.filter((words) => words.startsWith('login'))).toHaveLength(1)
  })

  test('clears what is remembered of refused logins there', async () => {
    const bench = benchOf()
    await bench.refusedLogins.note({ type: 'CU', name: 'app' }, [{ clusterId: CLUSTER as never, hsmId: a }], null)
    await changeUsers(bench.run, a, bench.users, 'new')
    expect(bench.refusedLogins.counts).toEqual([])
  })

  test('unlocks a user', async () => {
    const { ended, fleet } = await changed({ fleet: (its) => its.fail(a, 5) })
    expect([ended, fleet.failures()]).toEqual(['done', [0, 0, 0, 0]])
  })
})

describe('a change that fails', () => {
  test('because the user is logged in pauses, and changes nothing', async () => {
    const { ended, written, fleet } = await changed({ fleet: (its) => its.logIn(a) })
    expect([ended, written()]).toEqual(['USER_LOGGED_IN', ['change a new', 'user-logged-in']])
    expect(fleet.holds()).toBe('a old, b old, c old, d old')
  })

  test('because the user is logged in is made again for as long as the operator waits', async () => {
    const given: BenchGiven = { options: { drainMs: 60_000 }, fleet: (its) => its.logIn(a) }
    const bench = benchOf(given)
    const { clock } = bench.run.parts
    const wait = clock.wait
    Object.assign(clock, {
      wait: async (ms: number) => {
        bench.fleet.logIn(a, 0)
        await wait(ms)
      },
    })
    expect(await endedBy(() => changeUsers(bench.run, a, bench.users, 'new'))).toBe('done')
    expect(bench.written()).toEqual(['change a new', 'user-logged-in', 'change a new', 'done'])
    expect(bench.notices[0]).toContain('asking again for up to 60 s')
  })

  test('of the second user leaves the first one changed', async () => {
    const { ended, written } = await changed({ users: ['app', 'batch'], fleet: (its) => its.logIn(a, 1, 'batch') })
    expect([ended, written()]).toEqual([
      'USER_LOGGED_IN',
      ['change a new', 'done', 'change CU:batch a new', 'user-logged-in'],
    ])
  })

  test('in words that nobody knows pauses, and leaves the cell unknown', async () => {
    const unclear = { answer: { kind: 'unclear', text: 'hm' } } as const
    const { ended, written, cells } = await changed({ fleet: (its) => its.befall('change', unclear) })
    expect([ended, written()]).toEqual(['NOT_UNDERSTOOD', ['change a new', 'unclear']])
    expect(cells()).toContain('a unknown (none)')
  })

  test('on some HSMs of a cluster is made once more, and then pauses', async () => {
    const { ended, written, fleet } = await changed(
      { utility: 'cloudhsm-cli', fleet: (its) => its.logIn(hsm('b')) },
      CLUSTER,
    )
    expect([ended, written().slice(1)]).toEqual([
      'PARTLY_DONE',
      ['change a b new', 'partly', 'change a b new', 'partly', 'listed a, b'],
    ])
    expect(fleet.holds()).toBe('a new, b old, c old, d old')
  })

  test('on some HSMs of a cluster because one of them lacks the user says so', async () => {
    const { ended, written } = await changed(
      {
        utility: 'cloudhsm-cli',
        fleet: (its) => {
          const { hsm: appliance } = its.at(hsm('b'))
          const user = appliance.find('CU', 'app')
          if (user !== undefined) appliance.remove(user)
        },
      },
      CLUSTER,
    )
    expect([ended, written().at(-1)]).toEqual(['USER_MISSING', 'listed a, b'])
  })

  test('because an officer has to approve it pauses', async () => {
    const { ended, written } = await changed({
      fleet: (its) => {
        its.at(a).hsm.conditions.quorum = 2
      },
    })
    expect([ended, written()]).toEqual(['QUORUM_REQUIRED', ['change a new', 'quorum']])
  })

  test('in the middle is unanswered, whether or not it was carried out', async () => {
    for (const carriedOut of [true, false]) {
      const { ended, written, run, fleet } = await changed({
        fleet: (its) => its.befall('change', { breaks: 'silent', carriedOut }),
      })
      expect([ended, written()]).toEqual(['silent', ['change a new', 'unanswered']])
      expect(run.ledger.unanswered).toMatchObject([{ intent: { act: 'change', hsmIds: [a] } }])
      expect(fleet.holds()).toContain(carriedOut ? 'a new' : 'a old')
    }
  })
})

describe('no change is made', () => {
  test('where the lock is not ours any more: not a line is written', async () => {
    const { ended, written, heard } = await changed({}, a, ({ lock }) => {
      lock.lost = true
    })
    expect([ended, written()]).toEqual(['LOCK_LOST', []])
    expect(heard).toEqual(['open a', 'list a'])
  })

  test('once the operator wants to stop', async () => {
    const { ended, written } = await changed({}, a, ({ stop }) => {
      stop.requested = true
    })
    expect([ended, written()]).toEqual(['INTERRUPTED', []])
  })

  test('where the officer is refused', async () => {
    const { ended, written, heard } = await changed({
      fleet: (its) => {
        const officer = its.at(a).hsm.find('CO', 'admin')
        if (officer !== undefined) officer.password = null
      },
    })
    expect([ended, written()]).toEqual(['OFFICER_REFUSED', []])
    expect(heard.at(-1)).toBe('login CO:admin a')
  })

  test('where the officer is near its lock-out: it does not even log in', async () => {
    const { ended, heard } = await changed({
      fleet: (its) => {
        const { hsm: its1 } = its.at(a)
        const officer = its1.find('CO', 'admin')
        if (officer !== undefined) its1.setFailures(officer, 3)
      },
    })
    expect([ended, heard.at(-1)]).toEqual(['NEAR_LOCKOUT', 'list a'])
  })

  test('where an HSM is back that was left out: it would be changed too', async () => {
    const lines = [{ type: 'debt', debt: { hsmId: hsm('b'), reason: 'x' } } as const]
    const { ended, written } = await changed({ utility: 'cloudhsm-cli', lines }, CLUSTER)
    expect([ended, written()]).toEqual(['HSM_BACK', ['serials SN-a SN-b']])
  })

  test('where other HSMs answer than were seen before', async () => {
    const seen = { clusterId: CLUSTER as never, hsmIds: [a, hsm('b')], serials: ['SN-a', 'SN-z'] }
    const { ended, written, heard } = await changed(
      { utility: 'cloudhsm-cli', lines: [{ type: 'serials', seen }] },
      CLUSTER,
    )
    expect([ended, written(), heard]).toEqual(['OTHER_SERIALS', [], ['open a b']])
  })
})

describe('a cell that somebody else has written', () => {
  const other: BenchGiven = {
    lines: [
      [login(a), REFUSED],
      [login(a, 'current'), REFUSED],
    ],
    fleet: (its) => its.give(a, 'other'),
  }

  test('is left alone', async () => {
    const { ended, written, heard } = await changed(other)
    expect([ended, written(), heard]).toEqual(['OTHER_CREDENTIAL', [], []])
  })

  test('is written where the operator wants it, and the journal says so', async () => {
    const { ended, written, run } = await changed({ ...other, options: { overwriteOther: true } })
    expect([ended, written()]).toEqual(['done', ['other-overwritten a', 'change a new', 'done']])
    expect(run.rotation().overwritten).toEqual([{ user: 'CU:app', hsmId: a }])
  })

  test('is not called overwritten where the write was refused', async () => {
    const { ended, run } = await changed({
      ...other,
      fleet: (its) => {
        its.give(a, 'other')
        its.befall('change CU:app a', { answer: LOGGED_IN })
      },
      options: { overwriteOther: true },
    })
    expect([ended, run.rotation().overwritten]).toEqual(['USER_LOGGED_IN', []])
  })
})
