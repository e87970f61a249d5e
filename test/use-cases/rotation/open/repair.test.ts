import { describe, expect, test } from '@jest/globals'
import { OperatorError } from '../../../../src/domain/errors.js'
import type { UserKey } from '../../../../src/domain/hsm-user.js'
import type { ClusterId, HsmId } from '../../../../src/domain/ids.js'
import type { JournalEntry, JournalEvent } from '../../../../src/domain/rotation/journal-entry.js'
import type { Secret } from '../../../../src/domain/secret.js'
import { type RepairRequest, repairUsers } from '../../../../src/use-cases/rotation/open/repair.js'
import { type Held, type MemoryFleet, PASSWORDS } from '../../../helpers/memory-fleet.js'
import { hsm, ROTATION } from '../../../helpers/rotation.js'
import { type BenchGiven, OPTIONS, type Place, placeOf, reported } from '../../../helpers/run-bench.js'

const [a, b, c, d] = [hsm('a'), hsm('b'), hsm('c'), hsm('d')]
const [FIRST, SECOND] = ['cluster-aaaaaaaaaaa', 'cluster-bbbbbbbbbbb'] as [ClusterId, ClusterId]

interface Wanted {
  /** What users are copied from; CURRENT of the store, which is the new one, unless given. */
  readonly from?: HsmId | ClusterId
  readonly passwords?: readonly (readonly [string, Held])[]
  readonly open?: boolean
}

const given = (passwords: Wanted['passwords'] = []): ReadonlyMap<UserKey, Secret> =>
  new Map(passwords.map(([user, held]) => [user as UserKey, PASSWORDS[held]]))

/** A repair from its preflight on. @returns how it ended, what was written, and what the HSMs heard meanwhile */
const repair = async (bench: BenchGiven, wanted: Wanted) => {
  const place: Place = placeOf(bench)
  const { fleet, ports, store } = place
  const roster = fleet.hsms.map(({ server }) => server)
  const [source, ...destinations] = reported(roster)
  if (source === undefined) throw new Error('there is a source')
  const request: RepairRequest = {
    chosen: { source, destinations, leftOut: [], family: 'family-test', roster },
    users: place.users,
    rules: { lockoutLimit: 5, allowKmsuser: false },
    options: OPTIONS,
    from: wanted.from ?? null,
    passwords: given(wanted.passwords),
    retryOfficer: false,
    config: { sha256: null, utility: 'cmu', document: { servers: [] } },
  }
  const users = new Map(place.users.map(({ key }) => [key, PASSWORDS.new] as const))
  const version = { rotationId: null, clusters: [], restorePoint: null, startedAt: '', users }
  store.versions = { ...store.versions, current: version }
  const entries: JournalEntry[] = []
  const journal = {
    append: async (event: JournalEvent) => {
      const entry = { seq: entries.length + 1, at: ports.clock.now().toISOString(), event }
      entries.push(entry)
      return entry
    },
    close: async () => undefined,
  }
  const open = async (): Promise<never> => {
    throw new Error('what is wrong with --from is said first')
  }
  try {
    const { pause, outcome } = await repairUsers(request, {
      ...ports,
      concurrency: 4,
      ...(wanted.open === true ? { locks: { acquire: open } } : {}),
      shelf: {
        ...ports.shelf,
        create: async (facts) => ({ journal, first: await journal.append({ type: 'started', facts }) }),
      },
      operator: { confirm: async () => true },
      newRotationId: () => ROTATION,
      showRepair: async () => undefined,
    })
    return {
      ended: pause?.code ?? outcome,
      message: pause?.message ?? '',
      writes: writesOf(fleet),
      fleet,
      begun: entries.length > 0,
    }
  } catch (error) {
    if (!(error instanceof OperatorError)) throw error
    const { code, exitCode, message } = error
    return { ended: `${code} ${exitCode}`, message, writes: writesOf(fleet), fleet, begun: entries.length > 0 }
  }
}

const writesOf = ({ heard }: MemoryFleet): readonly string[] => heard.filter((words) => /^(copy|change)/.test(words))

/** What nothing was begun for: no journal, and nothing written. */
const refused = (code: string) => ({ ended: code, writes: [], begun: false })

describe.each(['cmu', 'cloudhsm-cli'] as const)('before anything is written, through %s,', (utility) => {
  const from = utility === 'cmu' ? a : FIRST

  test('a user that is locked where it would be copied to is named, unless its password unlocks it', async () => {
    const fleet = (its: MemoryFleet) => its.fail(d, 5)
    const blind = await repair({ utility, hsms: [1, 3], fleet }, { from })
    expect(blind).toMatchObject(refused('USER_LOCKED 3'))
    expect(blind.message).toContain(utility === 'cmu' ? d : SECOND)
    const known = await repair({ utility, hsms: [1, 3], fleet }, { from, passwords: [['CU:app', 'old']] })
    expect([known.ended, known.fleet.holds(), known.fleet.failures()]).toEqual([
      'completed',
      'a old, b old, c old, d old',
      [0, 0, 0, 0],
    ])
  })

  test('an origin where the user is locked is refused', async () => {
    const fleet = (its: MemoryFleet) => its.fail(a, 5)
    expect(await repair({ utility, fleet }, { from })).toMatchObject(refused('USER_LOCKED 3'))
  })

  test.each([
    'hsm-zzzzzzzzzzz',
    'cluster-zzzzzzzzzzz',
  ])('an origin that is none of these is named before anything else: %s', async (id) => {
    const wrong = await repair({ utility, fleet: (its) => its.fail(d, 5) }, { from: id as HsmId, open: true })
    expect(wrong).toMatchObject(refused('UNKNOWN_HSM 2'))
    expect([wrong.message.includes(id), wrong.fleet.heard]).toEqual([true, []])
  })
})

test('the only cluster is no origin of cloudhsm-cli, whatever else is wrong', async () => {
  const only = await repair(
    { utility: 'cloudhsm-cli', hsms: [2, 0], fleet: (its) => its.fail(b, 5) },
    { from: FIRST, open: true },
  )
  expect(only).toMatchObject(refused('REPLICATION_UNSUPPORTED 3'))
  expect(only.fleet.heard).toEqual([])
})

test('an origin that lacks the user on one of its HSMs is refused, as far as its cluster says', async () => {
  const fleet = (its: MemoryFleet) => its.remove(b)
  expect(await repair({ utility: 'cloudhsm-cli', fleet }, { from: FIRST })).toMatchObject(refused('USER_MISSING 3'))
})

test('an origin on which no login is left cannot show its password, and is not said to hold another one', async () => {
  const wanted = { from: a, passwords: [['CU:app', 'old']] } as const
  const near = await repair({ fleet: (its) => its.fail(a, 3) }, wanted)
  expect(near).toMatchObject(refused('NEAR_LOCKOUT 3'))
  expect(near.fleet.failures()).toEqual([3, 0, 0, 0])
  const blind = await repair({ fleet: (its) => its.fail(a, 3) }, { from: a })
  expect(blind.ended).toBe('completed')
})

test.each([
  'cmu',
  'cloudhsm-cli',
] as const)('a password that the origin refuses is tried nowhere else, by %s', async (utility) => {
  const wrong = await repair({ utility }, { from: utility === 'cmu' ? a : FIRST, passwords: [['CU:app', 'new']] })
  expect(wrong).toMatchObject(refused('CURRENT_REFUSED 3'))
  expect(wrong.fleet.failures()).toEqual(utility === 'cmu' ? [1, 0, 0, 0] : [1, 1, 0, 0])
})

test.each([
  'a',
  'c',
])('a login without a clear answer on %s begins nothing: it may have been counted', async (letter) => {
  const unclear = { answer: { kind: 'unclear', text: 'hm' }, carriedOut: true } as const
  const fleet = (its: MemoryFleet) => its.befall(`login CU:app ${letter}`, unclear)
  const wanted = { from: a, passwords: [['CU:app', 'old']] } as const
  expect(await repair({ fleet }, wanted)).toMatchObject(refused('NOT_UNDERSTOOD 3'))
})

test('a cluster that lacks the user on one of its HSMs is not asked for its password', async () => {
  const utility = 'cloudhsm-cli'
  const fleet = (its: MemoryFleet) => its.remove(c)
  const done = await repair({ utility, fleet }, { from: FIRST, passwords: [['CU:app', 'old']] })
  expect([done.ended, done.fleet.holds(), done.fleet.failures()]).toEqual([
    'completed',
    'a old, b old, c old, d old',
    [0, 0, 0, 0],
  ])
})

describe('a user that is missing where no copy brings it', () => {
  test.each<[string, BenchGiven]>([
    ['inside the only cluster', { hsms: [2, 0], fleet: (its) => its.remove(b) }],
    [
      'on some HSM of every cluster',
      {
        fleet: (its) => {
          its.remove(b)
          its.remove(d)
        },
      },
    ],
  ])('is named before anything is written: %s', async (_words, bench) => {
    expect(await repair({ utility: 'cloudhsm-cli', ...bench }, {})).toMatchObject(refused('USER_MISSING 3'))
  })
})

describe('to CURRENT of the store', () => {
  test.each([
    [[d]],
    [[c, d]],
  ])('a cluster in which the user is locked on %j is unlocked by the change', async (locked) => {
    const fleet = (its: MemoryFleet) => {
      for (const hsmId of [a, b]) its.give(hsmId, 'new')
      for (const hsmId of locked) its.fail(hsmId, 5)
    }
    const { ended, writes, fleet: its } = await repair({ utility: 'cloudhsm-cli', fleet }, {})
    expect([ended, writes, its.holds()]).toEqual(['completed', ['change CU:app c d'], 'a new, b new, c new, d new'])
    expect(its.failures()).toEqual([0, 0, 0, 0])
  })

  test.each([
    'cmu',
    'cloudhsm-cli',
  ] as const)('each is written once where one drifted and the other lacks the user: %s', async (utility) => {
    const { ended, writes } = await repair({ utility, hsms: [1, 1], fleet: (its) => its.remove(b) }, {})
    expect([ended, writes]).toEqual(['completed', ['change CU:app a', 'copy CU:app a>b']])
    const reverse = await repair({ utility, hsms: [1, 1], fleet: (its) => its.remove(a) }, {})
    expect([reverse.ended, reverse.writes]).toEqual(['completed', ['change CU:app b', 'copy CU:app b>a']])
  })

  test('also where two users are missing, each on another HSM', async () => {
    const fleet = (its: MemoryFleet) => {
      its.remove(a)
      its.remove(b, 'batch')
    }
    const { ended, writes } = await repair({ hsms: [1, 1], users: ['app', 'batch'], fleet }, {})
    expect([ended, [...writes].sort()]).toEqual([
      'completed',
      ['change CU:app b', 'change CU:batch a', 'copy CU:app b>a', 'copy CU:batch a>b'],
    ])
  })
})
