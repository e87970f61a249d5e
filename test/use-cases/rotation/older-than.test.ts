import { describe, expect, test } from '@jest/globals'
import type { UserKey } from '../../../src/domain/hsm-user.js'
import type { HsmId, RotationId } from '../../../src/domain/ids.js'
import type { JournalEntry, JournalEvent, LostCluster } from '../../../src/domain/rotation/journal-entry.js'
import { ledgerOf } from '../../../src/domain/rotation/ledger.js'
import { type Rotation, rotationOf } from '../../../src/domain/rotation/rotation.js'
import { change, DONE, type Line, login, PROMOTED, STORED, TOLD } from '../../helpers/journal-lines.js'
import { PASSWORDS } from '../../helpers/memory-fleet.js'
import { type FactsGiven, hsm, planOver, ROTATION, rosterOf } from '../../helpers/rotation.js'
import { type BenchGiven, type Place, placeOf, reported } from '../../helpers/run-bench.js'
import { takeUp } from '../../helpers/taken-up.js'

const [a, b, c, d] = [hsm('a'), hsm('b'), hsm('c'), hsm('d')]
const DEBTS = [c, d].map((hsmId) => ({ hsmId, reason: 'away' }))
const ANOTHER = 'r-20260301-031500-another' as RotationId
const given = (...where: readonly HsmId[]): readonly Line[] => [
  [change(where), DONE],
  [login(where), DONE],
]
/** A repair that gave a and b what the operator said; c and d stayed behind. */
const REPAIR: FactsGiven = {
  procedure: 'repair',
  newCredential: 'given',
  store: null,
  createMissing: true,
  debts: DEBTS,
}
const ROTATED: readonly Line[] = [STORED, ...given(a, b), PROMOTED, TOLD]

const indebted = (more: BenchGiven = {}): Place =>
  placeOf({
    utility: 'cloudhsm-cli',
    facts: REPAIR,
    lines: [...given(a, b), TOLD],
    fleet: (its) => {
      for (const hsmId of [a, b]) its.give(hsmId, 'new')
    },
    ...more,
  })

describe('a repair through cloudhsm-cli that pays its last debt', () => {
  test('is completed where the others still hold it', async () => {
    const place = indebted()
    const { ended } = await takeUp(place, 'resume', { gives: ['new'] })
    expect([ended, place.fleet.holds()]).toEqual(['completed 0', 'a new, b new, c new, d new'])
  })

  test('gives nothing what the others, which were proved, refuse now', async () => {
    const place = indebted()
    for (const hsmId of [a, b]) place.fleet.give(hsmId, 'other')
    const { ended } = await takeUp(place, 'resume', { gives: ['new'] })
    expect([ended, place.fleet.holds()]).toEqual(['CURRENT_REFUSED 4', 'a other, b other, c old, d old'])
  })

  test('gives nothing either where the debt is paid with what has to be repaired once more', async () => {
    const place = indebted({
      facts: { ...REPAIR, debts: DEBTS.slice(0, 1) },
      lines: [...given(a, b), ...given(d), TOLD],
    })
    for (const hsmId of [a, b]) place.fleet.give(hsmId, 'other')
    place.fleet.fail(d, 5)
    const { ended } = await takeUp(place, 'resume', { gives: ['new'] })
    expect([ended, place.fleet.holds()]).toEqual(['CURRENT_REFUSED 4', 'a other, b other, c old, d old'])
  })
})

describe('debts of two rotations on the same HSMs', () => {
  /** Beside what is taken up there is another one, that started then. */
  const beside = (
    place: Place,
    startedAt: string,
    facts: FactsGiven,
    lines: readonly Line[],
    more: Pick<BenchGiven, 'utility' | 'users' | 'hsms'> & { readonly outcome?: Rotation['outcome'] } = {},
  ): JournalEvent[] => {
    const { outcome = 'completed-with-debt', ...bench } = more
    const other = placeOf({
      utility: 'cloudhsm-cli',
      ...bench,
      facts: { debts: DEBTS, rotationId: ANOTHER, ...facts },
      lines,
    })
    const entries: readonly JournalEntry[] = other.entries.map((entry) => ({ ...entry, at: startedAt }))
    const rotation: Rotation = rotationOf(ledgerOf(entries))
    expect([rotation.outcome, rotation.closed]).toEqual([outcome, outcome === 'completed'])
    const settled: JournalEvent[] = []
    const { reopen } = place.ports.shelf
    const journal = {
      append: async (event: JournalEvent) => {
        settled.push(event)
        return { seq: entries.length + settled.length, at: startedAt, event }
      },
      close: async () => undefined,
    }
    Object.assign(place.ports.shelf, {
      rotationsOn: async () => [rotation],
      openRotations: async () => (rotation.closed ? [] : [rotation]),
      reopen: async (rotationId: RotationId) =>
        rotationId === ANOTHER ? { rotationId, entries, torn: false, journal } : reopen(rotationId),
    })
    return settled
  }
  const [EARLIER, LATER] = ['2026-02-01T03:15:00.000Z', '2026-04-01T03:15:00.000Z']

  test('of an older one are settled', async () => {
    const place = indebted()
    const settled = beside(place, EARLIER, {}, ROTATED)
    expect((await takeUp(place, 'resume', { gives: ['new'] })).ended).toBe('completed 0')
    expect(settled).toEqual([c, d].map((hsmId) => expect.objectContaining({ type: 'debt-settled', hsmId })))
  })

  test.each<[string, FactsGiven, readonly Line[]]>([
    ['rotation', {}, ROTATED],
    ['repair', REPAIR, [...given(a, b), TOLD]],
  ])('of a newer %s are left to it, and so are those of the older repair', async (_words, facts, lines) => {
    const place = indebted()
    const settled = beside(place, LATER, { ...facts, debts: DEBTS }, lines)
    const { ended, suggestions } = await takeUp(place, 'resume', { gives: ['new'] })
    expect([ended, settled, suggestions[0]]).toEqual([
      'DEBT_SUPERSEDED 6',
      [],
      `lockstep rotate resume --rotation ${ANOTHER}   gives it that, and settles both`,
    ])
    expect(place.fleet.holds()).toBe('a new, b new, c old, d old')
  })

  test('of a newer repair are left to it by an older rotation, unless it gives what the store keeps', async () => {
    for (const newCredential of ['given', 'kept'] as const) {
      const place = indebted({ facts: { debts: DEBTS }, lines: ROTATED })
      beside(place, LATER, { ...REPAIR, newCredential }, [...given(a, b), TOLD])
      // Otherwise the store is asked, which keeps nothing here.
      const { ended, message } = await takeUp(place, 'resume')
      expect([ended, message.includes(ANOTHER)]).toEqual(['DEBT_SUPERSEDED 6', newCredential === 'given'])
    }
  })

  test('of a newer one are not settled by what an older one gave before', async () => {
    const place = indebted({
      facts: { ...REPAIR, debts: DEBTS.slice(0, 1) },
      lines: [...given(a, b), ...given(d), TOLD],
    })
    Object.assign(place.fleet.at(c), { away: true })
    place.fleet.give(d, 'new')
    const settled = beside(place, LATER, { ...REPAIR, debts: DEBTS.slice(1) }, [...given(a, b), ...given(c), TOLD])
    // That of the older one is paid by the newer.
    expect((await takeUp(place, 'resume', { gives: ['new'] })).ended).toBe('completed 0')
    expect([settled, place.fleet.heard]).toEqual([[], []])
  })

  /** What is newer stays, and the other user has what the older run gives. */
  const REST_GIVEN = ['completed 0', 'a other, b other, c other, d other', 'a new, b new, c new, d new']

  describe.each([
    'cmu',
    'cloudhsm-cli',
  ] as const)('where a newer one that is through was over fewer users: %s', (utility) => {
    const writes = ({ fleet }: Place) => fleet.heard.filter((words) => /^(login CU|change|copy)/.test(words))
    const giving = (where: readonly HsmId[], user: string): readonly Line[] => {
      const key = `CU:${user}` as UserKey
      if (utility === 'cmu')
        return where.flatMap(
          (hsmId) =>
            [
              [change(hsmId, 'new', key), DONE],
              [login(hsmId, 'new', key), DONE],
            ] as const,
        )
      return [
        [change(where, 'new', key), DONE],
        [login(where, 'new', key), DONE],
      ]
    }
    /** An older one of two users of which c and d stayed behind; somebody newer gave app `other` everywhere. */
    const overtaken = (facts: FactsGiven, lines: readonly Line[]): Place =>
      placeOf({
        utility,
        users: ['app', 'batch'],
        facts,
        lines,
        fleet: (its) => {
          for (const hsmId of [a, b, c, d]) its.give(hsmId, 'other')
          for (const hsmId of [a, b]) its.give(hsmId, 'new', 'batch')
        },
      })
    const byBoth = [...giving([a, b], 'app'), ...giving([a, b], 'batch')]
    const newer = (place: Place, where = [a, b, c, d], more: FactsGiven = {}) =>
      beside(
        place,
        LATER,
        { debts: [], ...more },
        [
          STORED,
          ...giving(
            where.filter((one) => [a, b].includes(one)),
            'app',
          ),
          ...giving(
            where.filter((one) => [c, d].includes(one)),
            'app',
          ),
          PROMOTED,
          TOLD,
        ],
        { utility, outcome: where.length === 4 ? 'completed' : 'completed-with-debt' },
      )

    test('an older repair gives the other users what it has, and leaves alone what is newer', async () => {
      const place = overtaken(REPAIR, [...byBoth, TOLD])
      newer(place)
      const { ended } = await takeUp(place, 'resume', { gives: ['new'] })
      expect([ended, place.fleet.holds(), place.fleet.holds('batch')]).toEqual(REST_GIVEN)
      expect(writes(place).filter((words) => words.includes('CU:app'))).toEqual([])
      expect(place.notices.join()).toContain(ANOTHER)
      expect(place.fleet.failures()).toEqual([0, 0, 0, 0])
    })

    test('so does an older repair that was not through', async () => {
      const place = overtaken({ ...REPAIR, debts: [] }, byBoth)
      newer(place)
      const { ended } = await takeUp(place, 'resume', { gives: ['new'] })
      expect([ended, place.fleet.holds(), place.fleet.holds('batch')]).toEqual(REST_GIVEN)
    })

    test('so does an older rotation, from what the store keeps of them', async () => {
      const place = overtaken({ debts: DEBTS }, [STORED, ...byBoth, PROMOTED, TOLD])
      newer(place)
      const current = {
        rotationId: ANOTHER,
        clusters: [],
        restorePoint: null,
        startedAt: LATER,
        users: new Map([
          ['CU:app' as UserKey, PASSWORDS.other],
          ['CU:batch' as UserKey, PASSWORDS.new],
        ]),
      }
      place.store.versions = { ...place.store.versions, current }
      const { ended } = await takeUp(place, 'resume')
      expect([ended, place.fleet.holds(), place.fleet.holds('batch')]).toEqual(REST_GIVEN)
      expect(place.fleet.failures()).toEqual([0, 0, 0, 0])
    })

    describe('that was over the first cluster alone', () => {
      const overFirst = () => {
        const place = overtaken({ debts: DEBTS.slice(0, 1) }, [
          STORED,
          ...byBoth,
          ...giving([d], 'app'),
          ...giving([d], 'batch'),
          PROMOTED,
          TOLD,
        ])
        for (const user of ['app', 'batch']) {
          place.fleet.give(d, 'new', user)
          place.fleet.give(c, 'old', user)
        }
        const lines = [STORED, ...giving([a, b], 'app'), PROMOTED, TOLD]
        beside(place, LATER, { debts: [] }, lines, { utility, hsms: [2, 0], outcome: 'completed' })
        return place
      }
      const version = (rotationId: RotationId, app: 'new' | 'other') => ({
        rotationId,
        clusters: [],
        restorePoint: null,
        startedAt: LATER,
        users: new Map([
          ['CU:app' as UserKey, PASSWORDS[app]],
          ['CU:batch' as UserKey, PASSWORDS.new],
        ]),
      })

      test('an older rotation gives the others what the store keeps as PREVIOUS', async () => {
        const place = overFirst()
        const previous = version(ROTATION, 'new')
        place.store.versions = { ...place.store.versions, current: version(ANOTHER, 'other'), previous }
        const { ended } = await takeUp(place, 'resume')
        expect([ended, place.fleet.holds(), place.fleet.holds('batch')]).toEqual([
          'completed 0',
          'a other, b other, c new, d new',
          'a new, b new, c new, d new',
        ])
      })

      test('and where the store keeps it no more, names what copies it, on those clusters alone', async () => {
        const place = overFirst()
        place.store.versions = { ...place.store.versions, current: version(ANOTHER, 'other') }
        const { ended, suggestions } = await takeUp(place, 'resume')
        expect([ended, suggestions[0]]).toEqual([
          'DEBT_SUPERSEDED 6',
          `lockstep users repair --from ${d} --source eu-west-1/cluster-bbbbbbbbbbb --user CU:app`,
        ])
      })
    })

    test('one that was about other users leaves it CURRENT, where this machine knows it', async () => {
      const elsewhere = 'r-20260401-031500-else' as RotationId
      for (const isKnown of [true, false]) {
        const place = overtaken({ debts: DEBTS }, [STORED, ...byBoth, PROMOTED, TOLD])
        for (const hsmId of [a, b]) place.fleet.give(hsmId, 'new')
        for (const hsmId of [c, d]) place.fleet.give(hsmId, 'old')
        const users = new Map(['CU:app', 'CU:batch', 'CU:more'].map((key) => [key as UserKey, PASSWORDS.new]))
        const current = { rotationId: elsewhere, clusters: [], restorePoint: null, startedAt: LATER, users }
        place.store.versions = { ...place.store.versions, current }
        Object.assign(place.ports.shelf, { list: async () => [ROTATION, ...(isKnown ? [elsewhere] : [])] })
        expect((await takeUp(place, 'resume')).ended).toBe(isKnown ? 'completed 0' : 'DEBT_SUPERSEDED 6')
        expect(place.fleet.holds()).toBe(`a new, b new, c ${isKnown ? 'new' : 'old'}, d ${isKnown ? 'new' : 'old'}`)
      }
    })

    test('a cluster that is lost to both is left to the newer one, which settles it', async () => {
      const lost = { ...planOver(rosterOf(2, 2)).destinations[0], reason: 'lost' } as unknown as LostCluster
      const first = [STORED, ...giving([a, b], 'app'), PROMOTED, TOLD]
      const facts = { lostClusters: [lost] }
      const place = placeOf({ utility, hsms: [2, 0], users: ['app'], facts, lines: first })
      place.aws.clusters = reported(rosterOf(2, 2))
      beside(place, LATER, { debts: [], ...facts }, first, { utility, hsms: [2, 0] })
      const { ended, suggestions } = await takeUp(place, 'resume')
      expect([ended, suggestions[0], place.fleet.heard]).toEqual([
        'DEBT_SUPERSEDED 6',
        `lockstep rotate resume --rotation ${ANOTHER}   gives it that, and settles both`,
        [],
      ])
      newer(place)
      const { rotation } = await takeUp(place, 'resume')
      expect([rotation?.outcome, rotation?.lostClusters, rotation?.settled.length]).toEqual(['completed', [], 1])
      expect(place.fleet.heard).toEqual([])
    })

    test('one of which nothing is left is closed without a password or an HSM', async () => {
      const place = placeOf({ utility, facts: REPAIR, lines: [...giving([a, b], 'app'), TOLD] })
      newer(place)
      expect((await takeUp(place, 'resume')).ended).toBe('completed 0')
      expect(place.fleet.heard).toEqual([])
    })

    test('what that one has left is left to it, the rest is given, and once it is paid the older one is closed', async () => {
      const place = overtaken(REPAIR, [...byBoth, TOLD])
      for (const hsmId of [c, d]) place.fleet.give(hsmId, 'old')
      newer(place, [a, b], { debts: DEBTS })
      const { ended, suggestions } = await takeUp(place, 'resume', { gives: ['new'] })
      expect([ended, suggestions[0]]).toEqual([
        'DEBT_SUPERSEDED 6',
        `lockstep rotate resume --rotation ${ANOTHER}   gives it that, and settles both`,
      ])
      expect([place.fleet.holds(), place.fleet.holds('batch')]).toEqual([
        'a other, b other, c old, d old',
        'a new, b new, c new, d new',
      ])
      newer(place)
      expect((await takeUp(place, 'resume', { gives: ['new'] })).ended).toBe('completed 0')
    })

    test("one on another cluster is in nobody's way", async () => {
      const place = placeOf({
        utility,
        facts: { ...REPAIR, debts: DEBTS.slice(0, 1) },
        lines: [...giving([a, b], 'app'), ...giving([d], 'app'), TOLD],
      })
      for (const hsmId of [a, b]) place.fleet.give(hsmId, 'other')
      place.fleet.give(d, 'new')
      beside(place, LATER, { debts: [] }, [STORED, ...giving([a, b], 'app'), PROMOTED, TOLD], {
        utility,
        hsms: [2, 0],
        outcome: 'completed',
      })
      const { ended } = await takeUp(place, 'resume', { gives: ['new'] })
      // Whether it is right what was typed, d could show, which by cloudhsm-cli is not asked without c.
      expect([ended, place.fleet.holds()]).toEqual(
        utility === 'cmu'
          ? ['completed 0', 'a other, b other, c new, d new']
          : ['ORIGIN_LOST 6', 'a other, b other, c old, d new'],
      )
    })

    test('one that is not finished is finished first', async () => {
      const place = overtaken(REPAIR, [...byBoth, TOLD])
      beside(place, LATER, { debts: [] }, [STORED, ...giving([a, b], 'app')], { utility, outcome: 'paused' })
      const { ended, suggestions } = await takeUp(place, 'resume', { gives: ['new'] })
      expect([ended, suggestions]).toEqual([
        'ROTATION_OPEN 5',
        expect.arrayContaining([`lockstep rotate resume --rotation ${ANOTHER}`]),
      ])
      expect(place.fleet.heard).toEqual([])
    })
  })
})
