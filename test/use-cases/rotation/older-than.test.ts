import { describe, expect, test } from '@jest/globals'
import type { HsmId, RotationId } from '../../../src/domain/ids.js'
import type { JournalEntry, JournalEvent } from '../../../src/domain/rotation/journal-entry.js'
import { ledgerOf } from '../../../src/domain/rotation/ledger.js'
import { type Rotation, rotationOf } from '../../../src/domain/rotation/rotation.js'
import { change, DONE, type Line, login, PROMOTED, STORED, TOLD } from '../../helpers/journal-lines.js'
import { type FactsGiven, hsm } from '../../helpers/rotation.js'
import { type BenchGiven, type Place, placeOf } from '../../helpers/run-bench.js'
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

  test('proves the others again', async () => {
    const place = indebted()
    for (const hsmId of [a, b]) place.fleet.give(hsmId, 'other')
    const { ended } = await takeUp(place, 'resume', { gives: ['new'] })
    expect([ended, place.fleet.holds()]).toEqual(['OTHER_CREDENTIAL 4', 'a other, b other, c new, d new'])
  })

  test('proves them again also where the debt is paid with what has to be repaired once more', async () => {
    const place = indebted({
      facts: { ...REPAIR, debts: DEBTS.slice(0, 1) },
      lines: [...given(a, b), ...given(d), TOLD],
    })
    for (const hsmId of [a, b]) place.fleet.give(hsmId, 'other')
    place.fleet.fail(d, 5)
    const { ended } = await takeUp(place, 'resume', { gives: ['new'] })
    expect([ended, place.fleet.holds()]).toEqual(['OTHER_CREDENTIAL 4', 'a other, b other, c new, d new'])
  })
})

describe('debts of two rotations on the same HSMs', () => {
  /** Beside what is taken up there is another one, that started then. */
  const beside = (place: Place, startedAt: string, facts: FactsGiven, lines: readonly Line[]): JournalEvent[] => {
    const other = placeOf({ utility: 'cloudhsm-cli', facts: { debts: DEBTS, rotationId: ANOTHER, ...facts }, lines })
    const entries: readonly JournalEntry[] = other.entries.map((entry) => ({ ...entry, at: startedAt }))
    const rotation: Rotation = rotationOf(ledgerOf(entries))
    expect([rotation.outcome, rotation.closed]).toEqual(['completed-with-debt', false])
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
      openRotations: async () => [rotation],
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
      `lockstep rotate resume --rotation ${ANOTHER} gives it that, and settles both`,
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
    expect((await takeUp(place, 'resume', { gives: ['new'] })).ended).toBe('completed-with-debt 6')
    expect(settled).toEqual([])
  })
})
