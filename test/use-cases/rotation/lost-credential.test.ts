import { describe, expect, test } from '@jest/globals'
import type { UserKey } from '../../../src/domain/hsm-user.js'
import type { HsmId, RotationId } from '../../../src/domain/ids.js'
import { ledgerOf } from '../../../src/domain/rotation/ledger.js'
import {
  back,
  change,
  copies,
  DONE,
  type Line,
  loggedIn,
  login,
  STORED,
  STORED_WITH_CURRENT,
} from '../../helpers/journal-lines.js'
import { PASSWORDS } from '../../helpers/memory-fleet.js'
import { type FactsGiven, hsm, ROTATION } from '../../helpers/rotation.js'
import { keepPending, type Place, placeOf } from '../../helpers/run-bench.js'
import { takeUp } from '../../helpers/taken-up.js'

// The store has lost the new credential that HSMs hold already, and nobody knows it. HSMs a and b are the source, c and d the
// destination; `other` is what was lost.

const [a, b, c, d] = [hsm('a'), hsm('b'), hsm('c'), hsm('d')]
const APP = 'CU:app' as UserKey
const ALL_NEW = 'a new, b new, c new, d new'

describe.each(['cmu', 'cloudhsm-cli'] as const)('a rotation whose new credential the store has lost: %s', (utility) => {
  const giving = (where: readonly HsmId[]): Line[] =>
    (utility === 'cmu' ? where.map((hsmId) => [hsmId]) : [where]).flatMap((hsmIds): Line[] => [
      [change(hsmIds), DONE],
      [login(hsmIds), DONE],
    ])
  const lost = (where: readonly HsmId[][], lines: readonly Line[] = [STORED], facts: FactsGiven = {}): Place =>
    placeOf({
      utility,
      facts: { store: 'memory', ...facts },
      lines: [...lines, copies('overwrites'), ...where.flatMap(giving)],
      fleet: (fleet) => {
        for (const hsmId of where.flat()) fleet.give(hsmId, 'other')
      },
    })
  const everywhere = [
    [a, b],
    [c, d],
  ]

  test.each([
    ['half changed', [[a, b]]],
    ['changed everywhere, so that nothing is left to go back by', everywhere],
  ])('%s, says how another one takes its place, and gives it to every HSM', async (_words, where) => {
    const place = lost(where)
    const asked = await takeUp(place, 'resume')
    expect([asked.ended, asked.suggestions]).toEqual([
      'PENDING_LOST 4',
      expect.arrayContaining([
        expect.stringMatching(
          new RegExp(`lockstep rotate resume --rotation ${ROTATION} --store \\S+ --new-password generate$`),
        ),
      ]),
    ])
    const { ended } = await takeUp(place, 'resume', { gives: ['new'] })
    expect([ended, place.fleet.holds()]).toEqual(['completed 0', ALL_NEW])
    expect(place.fleet.failures()).toEqual([0, 0, 0, 0])
    expect(place.store.versions.current?.users.get(APP)?.equals(PASSWORDS.new)).toBe(true)
    expect(place.notices.join()).toContain('has lost the new credential')
  })

  test('may still be rolled back', async () => {
    const place = lost([[a, b]])
    await takeUp(place, 'resume')
    expect((await takeUp(place, 'rollback')).ended).toMatch(/^rolled-back/)
    expect(place.fleet.holds()).toBe('a old, b old, c old, d old')
  })

  test.each([
    ['rollback', []],
    ['resume', [back('change')]],
  ] as const)('and the proved current one with it, goes back by copies that were seen to overwrite: %s', async (action, begun) => {
    const proved = (utility === 'cmu' ? [[a], [b], [c], [d]] : everywhere).map((one) => loggedIn(one))
    const place = lost([[a, b]], [...proved, STORED_WITH_CURRENT])
    for (const event of begun) await place.ports.shelf.reopen(ROTATION).then(({ journal }) => journal.append(event))
    const { ended, rotation } = await takeUp(place, action)
    // They come from another cluster, of which nobody proved now that it holds the same.
    expect([ended, rotation?.withoutProof.length]).toEqual(['rolled-back 6', 2])
    expect(place.fleet.holds()).toBe('a old, b old, c old, d old')
    expect(place.notices.join()).toContain('does not hold the proved current credential any more')
  })

  test('and the current one with it, goes forward without', async () => {
    const proved =
      utility === 'cmu' ? [a, b, c, d].map((hsmId) => loggedIn(hsmId)) : everywhere.map((one) => loggedIn(one))
    const place = lost(everywhere, [...proved, STORED_WITH_CURRENT])
    // What is kept beside the new one is the way back alone.
    const asked = await takeUp(place, 'resume', { gives: ['new'] })
    expect([asked.ended, place.fleet.holds()]).toEqual(['completed 0', ALL_NEW])
  })

  test('goes on where that invocation was ended before the store held the other one', async () => {
    const proved = (utility === 'cmu' ? [[a], [b], [c], [d]] : everywhere).map((one) => loggedIn(one))
    const place = lost(everywhere, [...proved, STORED_WITH_CURRENT])
    // What another rotation left in the store since is not what was proved here.
    const users = new Map([[APP, PASSWORDS.old]])
    const current = {
      rotationId: 'r-20260301-031500-else' as RotationId,
      clusters: [],
      restorePoint: null,
      startedAt: '',
      users,
    }
    place.store.versions = { ...place.store.versions, current }
    const { putPending } = place.store
    place.store.putPending = async () => {
      throw new Error('killed')
    }
    await expect(takeUp(place, 'resume', { gives: ['new'] })).rejects.toThrow('killed')
    place.store.putPending = putPending
    expect(ledgerOf(place.entries).stored).toBe(false)
    const asked = await takeUp(place, 'resume')
    expect([asked.ended, asked.message]).toEqual([
      'NEW_CREDENTIAL_MISSING 4',
      expect.stringContaining('in the place of the lost one'),
    ])
    const { ended } = await takeUp(place, 'resume', { gives: ['new'] })
    expect([ended, place.fleet.holds()]).toEqual(['completed 0', ALL_NEW])
    expect(place.fleet.failures()).toEqual([0, 0, 0, 0])
  })

  test('is given no other one while the store keeps it, or in another store', async () => {
    const kept = lost([[a, b]])
    for (const hsmId of [a, b]) kept.fleet.give(hsmId, 'new')
    await keepPending(kept)
    expect((await takeUp(kept, 'resume', { gives: ['new'] })).ended).toBe('completed 0')
    expect(kept.notices.join()).toContain('--new-password is not used')
    const elsewhere = lost([[a, b]], [STORED], { store: 'file:/elsewhere.age' })
    const { ended, suggestions } = await takeUp(elsewhere, 'resume', { gives: ['new'] })
    expect([ended, suggestions[0]]).toEqual([
      'PENDING_LOST 4',
      'name the store the rotation was started with: --store file:/elsewhere.age',
    ])
    expect(elsewhere.fleet.holds()).toBe('a other, b other, c old, d old')
  })
})
