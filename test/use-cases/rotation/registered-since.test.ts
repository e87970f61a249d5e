import { describe, expect, test } from '@jest/globals'
import type { HsmId } from '../../../src/domain/ids.js'
import { change, DONE, FIRST_PROVED, type Line, login, PROMOTED, STORED, TOLD } from '../../helpers/journal-lines.js'
import { hsm } from '../../helpers/rotation.js'
import { type BenchGiven, keepPending, type Place, placeOf } from '../../helpers/run-bench.js'
import { takeUp } from '../../helpers/taken-up.js'

const [a, b, c, d] = [hsm('a'), hsm('b'), hsm('c'), hsm('d')]
const given = [a, b, c].flatMap((hsmId): readonly Line[] => [
  [change(hsmId), DONE],
  [login(hsmId), DONE],
])
const DEBT = { debts: [{ hsmId: d, reason: 'away' }] }

describe.each<[string, BenchGiven, string, HsmId]>([
  [
    'that stayed behind in a rotation',
    { facts: DEBT, lines: [STORED, ...given, PROMOTED, TOLD] },
    'USER_HAS_REGISTRATION 6',
    d,
  ],
  [
    'that stayed behind in a repair',
    { facts: { ...DEBT, procedure: 'repair', newCredential: 'given' }, lines: [...given, TOLD] },
    'USER_HAS_REGISTRATION 6',
    d,
  ],
  ['that waits for its turn', { lines: FIRST_PROVED }, 'USER_HAS_REGISTRATION 4', b],
])('an HSM %s', (_words, bench, expected, where) => {
  const registered = async (what: 'twoFactor' | 'mofnPubKey'): Promise<Place> => {
    const place = placeOf(bench)
    await keepPending(place)
    if (expected.endsWith('6') && bench.facts?.procedure !== 'repair')
      await place.store.promote('r-20260301-031500-test' as never)
    for (const hsmId of expected.endsWith('6') ? [a, b, c] : [a]) place.fleet.give(hsmId, 'new')
    place.fleet.user(where)[what] = true
    return place
  }

  test.each(['twoFactor', 'mofnPubKey'] as const)('keeps the %s that somebody registered there since', async (what) => {
    const place = await registered(what)
    const { ended, message } = await takeUp(place, 'resume', { gives: ['new'] })
    expect([ended, message.includes(where)]).toEqual([expected, true])
    expect([place.fleet.holds(), place.fleet.user(where)[what]]).toEqual([
      expect.stringContaining(`${where.at(-1)} old`),
      true,
    ])
    place.fleet.user(where)[what] = false
    expect((await takeUp(place, 'resume', { gives: ['new'] })).ended).toBe('completed 0')
  })

  test('loses it with consent', async () => {
    const place = await registered('twoFactor')
    const { ended } = await takeUp(place, 'resume', { gives: ['new'], options: { overwriteOther: true } })
    expect([ended, place.fleet.holds()]).toEqual(['completed 0', 'a new, b new, c new, d new'])
    expect(place.notices.join()).toContain('loses its second factor')
  })
})
