import { describe } from '@jest/globals'
import type { HsmId, UnitId } from '../../../src/domain/ids.js'
import type { JournalEvent } from '../../../src/domain/rotation/journal-entry.js'
import {
  AWS_AGREES,
  back,
  change,
  copies,
  copy,
  DONE,
  type Line,
  listing,
  loggedIn,
  login,
  PROMOTED,
  REFUSED,
  rehearsal,
  STORED,
  STORED_WITH_CURRENT,
  TOLD,
} from '../../helpers/journal-lines.js'
import { testLeftovers } from '../../helpers/leftovers.js'
import type { MemoryFleet } from '../../helpers/memory-fleet.js'
import { APP, hsm, rosterOf } from '../../helpers/rotation.js'
import { besideIn } from '../../helpers/run-bench.js'

// Every state that an earlier invocation can leave: what its journal says, what the HSMs hold, what the store keeps; and
// what resume and rollback make of it. HSM a is changed first, c is the canary, b a sibling of the first one, d the
// restore point. By cloudhsm-cli a and b are one cluster, and c and d the other one, which is both.

const [a, b, c, d] = [hsm('a'), hsm('b'), hsm('c'), hsm('d')]
const ALL = [a, b, c, d]
const CLUSTER_A = 'cluster-aaaaaaaaaaa' as UnitId

const NEW = 'completed 0: all new'
const OLD = 'rolled-back 0: all old'
/** Some HSM was given back what another cluster held, and nobody proved that it held the same. */
const OLD_UNPROVED = 'rolled-back 6: all old'
const TOO_LATE = 'ROLLBACK_TOO_LATE 3: all new'

const KEEPING: JournalEvent = { type: 'store', act: 'put-pending', phase: 'intent' }
const PROMOTING = { ...PROMOTED, phase: 'intent' } as JournalEvent
const DISCARDING: JournalEvent = { type: 'store', act: 'discard', phase: 'intent' }
const DISCARDED: JournalEvent = { type: 'store', act: 'discard', phase: 'read-back' }
const by = (method: 'sync' | 'change'): JournalEvent => ({ type: 'propagation', method, evidence: 'x' })
const debt = (hsmId: HsmId): JournalEvent => ({ type: 'debt', debt: { hsmId, reason: 'x' } })
const gone = (hsmId: HsmId): JournalEvent => ({ type: 'unreachable', hsmId, reason: 'x' })
const isNew = (where: HsmId | readonly HsmId[]): Line => [login(where), DONE]
const away = (hsmId: HsmId) => (fleet: MemoryFleet) => {
  fleet.at(hsmId).away = true
}
const changedOfficer = (hsmId: HsmId) => (fleet: MemoryFleet) => {
  const officer = fleet.at(hsmId).hsm.find('CO', 'admin')
  if (officer !== undefined) officer.password = null
}

describe('by cloudhsm_mgmt_util, the current credential unknown', () => {
  const rehearsed: readonly Line[] = [STORED, [rehearsal(d, c), DONE], copies('accepted')]
  const changed: readonly Line[] = [...rehearsed, [change(a), DONE]]
  const proved: readonly Line[] = [...changed, isNew(a)]
  const canary: readonly Line[] = [...proved, [copy(a, c), DONE], isNew(c)]
  const settled: readonly Line[] = [...canary, copies('overwrites'), by('sync')]
  const spread: readonly Line[] = [...settled, [copy(a, b), DONE], isNew(b)]
  const verified: readonly Line[] = [...spread, ...ALL.map((hsmId) => listing(hsmId)), AWS_AGREES]
  const followed: readonly Line[] = [...verified, [copy(a, d), DONE], isNew(d)]
  const [one, two, three] = [{ a: 'new' }, { a: 'new', c: 'new' }, { a: 'new', b: 'new', c: 'new' }] as const
  const all = { ...three, d: 'new' } as const

  describe('a run that was killed', () => {
    testLeftovers([
      // No HSM and no store knows the new one, so that the operator has to give it again.
      ['before the store was told', 'NEW_CREDENTIAL_MISSING 3: all old', OLD, { lines: [], store: 'nothing' }],
      [
        'as the store was told, in vain',
        'NEW_CREDENTIAL_MISSING 4: all old',
        OLD,
        { lines: [KEEPING], store: 'nothing' },
      ],
      ['as the store was told', NEW, OLD, { lines: [KEEPING] }],
      ['once the store had it', NEW, OLD, { lines: [STORED] }],
      ['in the rehearsal', NEW, OLD, { lines: [STORED, [rehearsal(d, c)]] }],
      ['after the rehearsal', NEW, OLD, { lines: rehearsed }],
      ['before the change', NEW, OLD, { lines: [...rehearsed, [change(a)]] }],
      ['after the change', NEW, OLD, { lines: [...rehearsed, [change(a)]], holds: one }],
      ['once the change was answered', NEW, OLD, { lines: changed, holds: one }],
      ['in the first proof', NEW, OLD, { lines: [...changed, [login(a)]], holds: one }],
      ['after the first proof', NEW, OLD, { lines: proved, holds: one }],
      ['before the copy to the canary', NEW, OLD, { lines: [...proved, [copy(a, c)]], holds: one }],
      ['after the copy to the canary', NEW, OLD, { lines: [...proved, [copy(a, c)]], holds: two }],
      ['before the canary was proved', NEW, OLD, { lines: [...proved, [copy(a, c), DONE]], holds: two }],
      ['after the canary was proved', NEW, OLD, { lines: canary, holds: two }],
      ['once copies were settled on', NEW, OLD, { lines: settled, holds: two }],
      // From here on the source is given back what the other cluster held.
      ['in the spread', NEW, OLD_UNPROVED, { lines: [...settled, [copy(a, b)]], holds: three }],
      ['after the spread', NEW, OLD_UNPROVED, { lines: spread, holds: three }],
      ['after the verification', NEW, OLD_UNPROVED, { lines: verified, holds: three }],
      // Nothing is left for certain that holds the old one.
      [
        'before the copy to the restore point',
        NEW,
        'NO_WAY_BACK 3: a new, b new, c new, d old, PENDING',
        { lines: [...verified, [copy(a, d)]], holds: three },
      ],
      [
        'after the copy to the restore point',
        NEW,
        'NO_WAY_BACK 3: all new, PENDING',
        { lines: [...verified, [copy(a, d)]], holds: all },
      ],
      ['once every HSM held it', NEW, 'NO_WAY_BACK 3: all new, PENDING', { lines: followed, holds: all }],
      ['before the store promoted it', NEW, `${TOO_LATE}, PENDING`, { lines: [...followed, PROMOTING], holds: all }],
      [
        'after the store promoted it',
        NEW,
        TOO_LATE,
        { lines: [...followed, PROMOTING], holds: all, store: 'promoted' },
      ],
      [
        'before the applications were told',
        NEW,
        TOO_LATE,
        { lines: [...followed, PROMOTED], holds: all, store: 'promoted' },
      ],
      ['before its last word', NEW, TOO_LATE, { lines: [...followed, PROMOTED, TOLD], holds: all, store: 'promoted' }],
    ])
  })

  describe('a rollback that was killed', () => {
    const begun: readonly Line[] = [...settled, back()]
    const restored: readonly Line[] = [...begun, [copy(b, a, 'current'), DONE], [copy(d, c, 'current'), DONE]]
    const discarding: readonly Line[] = [...restored, AWS_AGREES, DISCARDING]
    testLeftovers([
      ['as it began', OLD, OLD, { lines: begun, holds: two }],
      ['before the first copy back', OLD, OLD, { lines: [...begun, [copy(b, a, 'current')]], holds: two }],
      ['after the first copy back', OLD, OLD, { lines: [...begun, [copy(b, a, 'current')]], holds: { c: 'new' } }],
      ['once all were copied back', OLD, OLD, { lines: restored }],
      ['before PENDING was removed', OLD, OLD, { lines: discarding }],
      ['after PENDING was removed', OLD, OLD, { lines: discarding, store: 'nothing' }],
      ['before its last word', OLD, OLD, { lines: [...discarding, DISCARDED], store: 'nothing' }],
      ['with nothing to take back', OLD, OLD, { lines: [...rehearsed, back('none')] }],
    ])
  })

  describe('a run, since when', () => {
    testLeftovers([
      [
        'somebody changed an HSM that was written',
        'OTHER_CREDENTIAL 4: a new, b new, c other, d old, PENDING',
        OLD,
        { lines: settled, holds: { a: 'new', c: 'other' } },
      ],
      [
        'somebody changed the HSM that was written first',
        'OTHER_CREDENTIAL 4: a other, b old, c new, d old, PENDING',
        OLD,
        { lines: settled, holds: { a: 'other', c: 'new' } },
      ],
      [
        'a client locked an HSM that was written',
        NEW,
        OLD,
        { lines: settled, holds: two, fleet: (its) => its.fail(c, 5) },
      ],
      ['a client locked an HSM that was not', NEW, OLD, { lines: settled, holds: two, fleet: (its) => its.fail(b, 5) }],
      [
        'the user is logged in on an HSM that was not written',
        'USER_LOGGED_IN 4: a new, b old, c new, d old, PENDING',
        OLD,
        { lines: settled, holds: two, fleet: (its) => its.logIn(b) },
      ],
      [
        'the user is logged in on an HSM that was written',
        NEW,
        'USER_LOGGED_IN 4: a old, b old, c new, d old, PENDING',
        { lines: settled, holds: two, fleet: (its) => its.logIn(c) },
      ],
      [
        'the user is gone from an HSM that was written',
        NEW,
        'rolled-back 6: a old, b old, c absent, d old',
        { lines: [listing(c), ...settled], holds: two, fleet: (its) => its.remove(c) },
      ],
      [
        'an HSM that was written is away',
        'HSM_UNREACHABLE 4: a new, b new, c new, d old, PENDING',
        'HSM_UNREACHABLE 4: a old, b old, c new, d old, PENDING',
        { lines: settled, holds: two, fleet: away(c) },
      ],
      [
        'an HSM that was not written is away',
        'HSM_UNREACHABLE 4: a new, b old, c new, d old, PENDING',
        OLD_UNPROVED,
        { lines: settled, holds: two, fleet: away(b) },
      ],
      [
        'the store lost PENDING',
        'PENDING_LOST 4: a new, b old, c new, d old',
        OLD,
        { lines: settled, holds: two, store: 'nothing' },
      ],
      [
        'the officer has another password',
        'OFFICER_REFUSED 4: a new, b old, c new, d old, PENDING',
        'OFFICER_REFUSED 4: a new, b old, c new, d old, PENDING',
        { lines: settled, holds: two, fleet: changedOfficer(a) },
      ],
      [
        'the officer has another password, and nothing was begun',
        'OFFICER_REFUSED 4: all old, PENDING',
        OLD,
        { lines: [STORED], fleet: changedOfficer(a) },
      ],
    ])
  })

  describe('a run whose user clients locked, where a copy does not unlock', () => {
    const fails = (hsmId: HsmId, times: number) => (fleet: MemoryFleet) => fleet.fail(hsmId, times)
    const locked = (hsmId: HsmId) => listing(hsmId, { locked: [APP], failures: [[APP, 5]] })
    const restored: readonly Line[] = [...settled, back(), [copy(b, a, 'current'), DONE], [copy(d, c, 'current'), DONE]]
    testLeftovers(
      [
        ['on the canary', NEW, OLD, { lines: settled, holds: two, fleet: fails(c, 5) }],
        ['on the first HSM, before the canary', NEW, OLD, { lines: proved, holds: one, fleet: fails(a, 5) }],
        ['nearly, on the first HSM, before the canary', NEW, OLD, { lines: proved, holds: one, fleet: fails(a, 3) }],
        [
          'on the canary, and whose PENDING the store lost',
          'PENDING_LOST 4: a new, b old, c new, d old',
          'USER_LOCKED 4: all old',
          { lines: settled, holds: two, store: 'nothing', fleet: fails(c, 5) },
        ],
        [
          'on an HSM that was given back, and an officer unlocked it with a password of his own',
          OLD,
          OLD,
          { lines: [...restored, locked(c)], holds: { c: 'other' } },
        ],
      ],
      { behaviour: { syncResetsFailures: false } },
    )
  })

  describe('a run that left', () => {
    const paused: JournalEvent = { type: 'paused', stage: 'spread', code: 'X', message: 'x', suggestions: [] }
    testLeftovers([
      [
        'a login without an answer',
        NEW,
        OLD_UNPROVED,
        { lines: [...settled, [copy(a, b), DONE], [login(b)]], holds: three },
      ],
      ['a pause', NEW, OLD, { lines: [...settled, paused], holds: two }],
      ['an HSM that was away and is back', NEW, OLD, { lines: [...settled, gone(b), paused], holds: two }],
      [
        'an HSM that was locked, and that somebody unlocked with some password',
        'OTHER_CREDENTIAL 4: a new, b old, c new, d old, PENDING',
        OLD,
        { lines: [STORED, listing(b, { locked: [APP], failures: [[APP, 5]] }), paused] },
      ],
      ['a debt whose HSM is back', NEW, OLD, { lines: [...settled, gone(b), debt(b)], holds: two }],
      [
        'a debt whose HSM is away',
        'completed-with-debt 6: a new, b old, c new, d new',
        OLD_UNPROVED,
        { lines: [...settled, gone(b), debt(b)], holds: two, fleet: away(b) },
      ],
      [
        'a debt when all was through, whose HSM is back',
        NEW,
        'ROLLBACK_TOO_LATE 3: a new, b new, c new, d old',
        { lines: [...verified, gone(d), debt(d), PROMOTED, TOLD], holds: three, store: 'promoted' },
      ],
      [
        'a debt when all was through, whose HSM is away',
        'completed-with-debt 6: a new, b new, c new, d old',
        'ROLLBACK_TOO_LATE 3: a new, b new, c new, d old',
        { lines: [...verified, gone(d), debt(d), PROMOTED, TOLD], holds: three, store: 'promoted', fleet: away(d) },
      ],
      [
        'a cell that somebody else had written',
        'OTHER_CREDENTIAL 4: a new, b old, c other, d old, PENDING',
        'OTHER_CREDENTIAL 4: a old, b old, c other, d old, PENDING',
        { lines: [...settled, [login(c), REFUSED]], holds: { a: 'new', c: 'other' } },
      ],
      [
        'a rollback that tried copies in vain',
        NEW,
        'NO_WAY_BACK 3: a new, b old, c old, d old, PENDING',
        {
          lines: [...proved, [copy(b, a, 'current'), DONE], isNew(a), copies('without-effect'), by('change')],
          holds: one,
        },
      ],
    ])
  })

  describe('a run, since when AWS', () => {
    const added = besideIn(rosterOf(2, 2), c, 'e')
    const inItsPlace = { ...besideIn(rosterOf(2, 2), c, 'e'), eniIp: '127.0.9.3' as never }
    testLeftovers([
      ['added an HSM from an old backup', NEW, OLD, { lines: settled, holds: two, added }],
      ['added an HSM from a new backup', NEW, OLD, { lines: settled, holds: { ...two, e: 'new' }, added }],
      [
        'does not list an HSM that was written',
        'ROSTER_CHANGED 4: a new, b old, c new, d old, PENDING',
        'ROSTER_CHANGED 4: a new, b old, c new, d old, PENDING',
        { lines: settled, holds: two, gone: c },
      ],
      [
        'put another HSM in the place of one that was written',
        'ROSTER_CHANGED 4: a new, b old, c new, d old, e new, PENDING',
        'ROSTER_CHANGED 4: a new, b old, c new, d old, e new, PENDING',
        { lines: settled, holds: { ...two, e: 'new' }, added: inItsPlace, gone: c },
      ],
    ])

    describe('does not list an HSM that may stay behind', () => {
      testLeftovers(
        [
          ['written', NEW, 'rolled-back 0: a old, b old, c new, d old', { lines: settled, holds: two, gone: c }],
          [
            'with another in its place',
            NEW,
            'rolled-back 0: a old, b old, c new, d old, e old',
            { lines: settled, holds: { ...two, e: 'new' }, added: inItsPlace, gone: c },
          ],
        ],
        { options: { mayStayBehind: { hsmIds: [c], reason: 'replaced' } } },
      )
    })
  })
})

describe('by cloudhsm_mgmt_util, the current credential proved and kept', () => {
  const facts = { observed: ALL.map((hsmId) => loggedIn(hsmId)) }
  const rehearsed: readonly Line[] = [STORED_WITH_CURRENT, [rehearsal(d, c), DONE], copies('accepted')]
  const spread: readonly Line[] = [
    ...rehearsed,
    [change(a), DONE],
    isNew(a),
    [copy(a, c), DONE],
    isNew(c),
    copies('overwrites'),
    by('sync'),
    [copy(a, b), DONE],
    isNew(b),
  ]
  const three = { a: 'new', b: 'new', c: 'new' } as const
  const all = { ...three, d: 'new' } as const
  const store = 'with-current'
  const begun: readonly Line[] = [...spread, back('change')]
  const oldAgain = (hsmId: HsmId): Line[] => [
    [change(hsmId, 'current'), DONE],
    [login(hsmId, 'current'), DONE],
  ]

  describe('a run that was killed', () => {
    testLeftovers(
      [
        ['after the rehearsal', NEW, OLD, { lines: rehearsed, store }],
        ['after the change', NEW, OLD, { lines: [...rehearsed, [change(a)]], holds: { a: 'new' }, store }],
        ['after the spread', NEW, OLD, { lines: spread, holds: three, store }],
        ['before the copy to the restore point', NEW, OLD, { lines: [...spread, [copy(a, d)]], holds: three, store }],
        ['once every HSM held it', NEW, OLD, { lines: [...spread, [copy(a, d), DONE], isNew(d)], holds: all, store }],
        ['as its rollback began', OLD, OLD, { lines: begun, holds: three, store }],
        ['before the first change back', OLD, OLD, { lines: [...begun, [change(a, 'current')]], holds: three, store }],
        [
          'after the first change back',
          OLD,
          OLD,
          { lines: [...begun, [change(a, 'current')]], holds: { b: 'new', c: 'new' }, store },
        ],
        ['once all were changed back', OLD, OLD, { lines: [...begun, ...[a, b, c].flatMap(oldAgain)], store }],
        [
          'before PENDING was removed',
          OLD,
          OLD,
          { lines: [...begun, ...[a, b, c].flatMap(oldAgain), AWS_AGREES, DISCARDING], store },
        ],
      ],
      { facts },
    )
  })

  describe('since when', () => {
    testLeftovers(
      [
        [
          'somebody changed an HSM that was changed back',
          'OTHER_CREDENTIAL 4: a other, b old, c old, d old, PENDING',
          'OTHER_CREDENTIAL 4: a other, b old, c old, d old, PENDING',
          { lines: [...begun, ...[a, b, c].flatMap(oldAgain)], holds: { a: 'other' }, store },
        ],
        [
          'a client locked an HSM that was written',
          NEW,
          OLD,
          { lines: spread, holds: three, store, fleet: (its) => its.fail(c, 5) },
        ],
      ],
      { facts },
    )
  })
})

describe('by cloudhsm_mgmt_util, whose copies refuse, without a way back', () => {
  const accepted = { facts: { acceptedNoWayBack: true }, behaviour: { syncUserExisting: 'refuse' } } as const
  const rehearsed: readonly Line[] = [
    STORED,
    [rehearsal(d, c), { ...REFUSED, reason: 'user-exists' } as never],
    copies('refused'),
  ]
  const changed: readonly Line[] = [...rehearsed, by('change'), [change(a), DONE], isNew(a)]

  describe('that the operator accepted', () => {
    testLeftovers(
      [
        ['killed after the rehearsal', NEW, OLD, { lines: rehearsed }],
        [
          'killed after the first proof',
          NEW,
          'NO_WAY_BACK 3: a new, b old, c old, d old, PENDING',
          { lines: changed, holds: { a: 'new' } },
        ],
        [
          'killed in the spread',
          NEW,
          'NO_WAY_BACK 3: a new, b new, c new, d old, PENDING',
          { lines: [...changed, [change(c), DONE], isNew(c), [change(b)]], holds: { a: 'new', b: 'new', c: 'new' } },
        ],
      ],
      accepted,
    )
  })

  describe('that nobody has accepted yet', () => {
    testLeftovers([['paused after the rehearsal', 'NO_WAY_BACK 4: all old, PENDING', OLD, { lines: rehearsed }]], {
      behaviour: accepted.behaviour,
    })
  })

  describe('until the current credential is given late', () => {
    testLeftovers(
      [
        ['after the rehearsal', NEW, OLD, { lines: rehearsed }],
        ['after the first proof', NEW, 'rolled-back 0: all old', { lines: changed, holds: { a: 'new' } }],
      ],
      { ...accepted, gives: ['current'] },
    )
  })
})

describe('by cloudhsm-cli', () => {
  const [source, destination] = [
    [a, b],
    [c, d],
  ]
  const stored = [STORED] as const
  const rehearsed: readonly Line[] = [...stored, [rehearsal(CLUSTER_A, destination), DONE], copies('accepted')]
  const changed: readonly Line[] = [...rehearsed, [change(source), DONE]]
  const proved: readonly Line[] = [...changed, isNew(source)]
  const through: readonly Line[] = [
    ...proved,
    [copy(CLUSTER_A, destination), DONE],
    isNew(destination),
    copies('overwrites'),
    by('sync'),
  ]
  const [half, all] = [
    { a: 'new', b: 'new' },
    { a: 'new', b: 'new', c: 'new', d: 'new' },
  ] as const
  const accepted = { utility: 'cloudhsm-cli', facts: { acceptedNoWayBack: true } } as const

  describe('a run that was killed, the current credential unknown', () => {
    testLeftovers(
      [
        ['once the store had it', NEW, OLD, { lines: stored }],
        ['in the rehearsal', NEW, OLD_UNPROVED, { lines: [...stored, [rehearsal(CLUSTER_A, destination)]] }],
        ['after the rehearsal', NEW, OLD_UNPROVED, { lines: rehearsed }],
        ['before the change', NEW, OLD_UNPROVED, { lines: [...rehearsed, [change(source)]] }],
        [
          'in the change, half of it done',
          NEW,
          OLD_UNPROVED,
          { lines: [...rehearsed, [change(source)]], holds: { a: 'new' } },
        ],
        ['after the change', NEW, OLD_UNPROVED, { lines: [...rehearsed, [change(source)]], holds: half }],
        ['after the first proof', NEW, OLD_UNPROVED, { lines: proved, holds: half }],
        [
          'in the copy, half of it done',
          NEW,
          'NO_WAY_BACK 3: a new, b new, c new, d old, PENDING',
          { lines: [...proved, [copy(CLUSTER_A, destination)]], holds: { ...half, c: 'new' } },
        ],
        ['once every HSM held it', NEW, 'NO_WAY_BACK 3: all new, PENDING', { lines: through, holds: all }],
        [
          'after the store promoted it',
          NEW,
          TOO_LATE,
          { lines: [...through, PROMOTING], holds: all, store: 'promoted' },
        ],
      ],
      accepted,
    )
  })

  describe('a run that was killed, the current credential proved and kept', () => {
    const facts = { observed: [loggedIn(source), loggedIn(destination)] }
    const kept = (lines: readonly Line[]): readonly Line[] => [STORED_WITH_CURRENT, ...lines.slice(1)]
    const store = 'with-current'
    testLeftovers(
      [
        ['after the rehearsal', NEW, OLD, { lines: kept(rehearsed), store }],
        [
          'in the change, half of it done',
          NEW,
          OLD,
          { lines: kept([...rehearsed, [change(source)]]), holds: { a: 'new' }, store },
        ],
        ['after the first proof', NEW, OLD, { lines: kept(proved), holds: half, store }],
        [
          'in the copy, half of it done',
          NEW,
          OLD,
          { lines: kept([...proved, [copy(CLUSTER_A, destination)]]), holds: { ...half, c: 'new' }, store },
        ],
        ['once every HSM held it', NEW, OLD, { lines: kept(through), holds: all, store }],
        [
          'in its rollback, half of a change back done',
          OLD,
          OLD,
          {
            lines: [...kept(through), back('change'), [change(source, 'current')]],
            holds: { ...all, a: 'old' },
            store,
          },
        ],
      ],
      { utility: 'cloudhsm-cli', facts },
    )
  })

  describe('a run that was through but for an HSM that stayed behind and is back, since when', () => {
    const promoted: readonly Line[] = [
      ...proved,
      gone(d),
      debt(d),
      [copy(CLUSTER_A, [c]), DONE],
      isNew([c]),
      copies('overwrites'),
      by('sync'),
      PROMOTED,
    ]
    const left = { lines: [...promoted, TOLD], holds: { ...half, c: 'new' }, store: 'promoted' } as const
    const tooLate = 'ROLLBACK_TOO_LATE 3: a new, b new, c new, d old'
    testLeftovers(
      [
        ['nothing has happened', NEW, tooLate, left],
        [
          'its cluster gained another one',
          NEW,
          `${tooLate}, e old`,
          { ...left, added: besideIn(rosterOf(2, 2), c, 'e') },
        ],
        ['clients locked the user beside it', NEW, tooLate, { ...left, fleet: (its) => its.fail(c, 5) }],
        ['the applications are not told yet', NEW, tooLate, { ...left, lines: promoted }],
        [
          'another one is still away',
          'completed-with-debt 6: a new, b old, c new, d new',
          'ROLLBACK_TOO_LATE 3: a new, b old, c new, d old',
          {
            ...left,
            lines: [
              STORED,
              gone(b),
              debt(b),
              [change([a]), DONE],
              isNew([a]),
              gone(d),
              debt(d),
              [change([c]), DONE],
              isNew([c]),
              by('change'),
              PROMOTED,
              TOLD,
            ],
            holds: { a: 'new', c: 'new' },
            fleet: away(b),
          },
        ],
      ],
      accepted,
    )
  })

  describe('since when, the current credential proved and kept,', () => {
    const facts = { observed: [loggedIn(source), loggedIn(destination)] }
    const lines: readonly Line[] = [STORED_WITH_CURRENT, ...proved.slice(1)]
    const store = 'with-current'
    testLeftovers(
      [
        [
          'one HSM of the source is away',
          'HSM_UNREACHABLE 4: a new, b new, c old, d old, PENDING',
          'HSM_UNREACHABLE 4: a old, b new, c old, d old, PENDING',
          { lines, holds: half, store, fleet: away(b) },
        ],
        [
          'one HSM of the destination is away',
          'HSM_UNREACHABLE 4: a new, b new, c old, d old, PENDING',
          OLD,
          { lines, holds: half, store, fleet: away(d) },
        ],
        [
          'somebody changed one HSM of the source',
          'OTHER_CREDENTIAL 4: a new, b other, c old, d old, PENDING',
          OLD,
          { lines, holds: { a: 'new', b: 'other' }, store },
        ],
        [
          'a client locked the user on one HSM of the source',
          NEW,
          OLD,
          { lines, holds: half, store, fleet: (its) => its.fail(b, 5) },
        ],
        [
          'the user is logged in on one HSM of the destination',
          'PARTLY_DONE 4: a new, b new, c new, d old, PENDING',
          OLD,
          { lines, holds: half, store, fleet: (its) => its.logIn(d) },
        ],
        [
          'an HSM was added to the source',
          NEW,
          OLD,
          { lines, holds: half, store, added: besideIn(rosterOf(2, 2), a, 'e') },
        ],
        [
          'an HSM was added to the destination',
          NEW,
          OLD,
          { lines, holds: half, store, added: besideIn(rosterOf(2, 2), c, 'e') },
        ],
        ['a debt is back', NEW, OLD, { lines: [...lines, gone(d), debt(d)], holds: half, store }],
        [
          'a debt is away',
          'completed-with-debt 6: a new, b new, c new, d old',
          OLD,
          { lines: [...lines, gone(d), debt(d)], holds: half, store, fleet: away(d) },
        ],
      ],
      { utility: 'cloudhsm-cli', facts },
    )
  })
})
