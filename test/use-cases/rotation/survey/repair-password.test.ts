import { describe, expect, test } from '@jest/globals'
import type { HsmId } from '../../../../src/domain/ids.js'
import { change, DONE, type Line, loggedIn, login, TOLD } from '../../../helpers/journal-lines.js'
import { type MemoryFleet, PASSWORDS } from '../../../helpers/memory-fleet.js'
import { type FactsGiven, hsm } from '../../../helpers/rotation.js'
import { type BenchGiven, type Place, placeOf } from '../../../helpers/run-bench.js'
import { takeUp } from '../../../helpers/taken-up.js'

const [a, b, c, d] = [hsm('a'), hsm('b'), hsm('c'), hsm('d')]
const refused = { kind: 'refused', reason: 'login-refused', text: 'no' } as const

/** A repair by the password that a was said to hold, which was proved there; c and d refused it. */
const TYPED: FactsGiven = {
  procedure: 'repair',
  from: a,
  newCredential: 'given',
  store: null,
  createMissing: true,
  observed: [loggedIn(a, 'new'), loggedIn(b, 'new'), loggedIn(c, 'new', refused), loggedIn(d, 'new', refused)],
}

/** What is typed now is `new`; what was right is that as well, unless the fleet holds something else. */
const killedAtOnce = (held: 'new' | 'other', given: BenchGiven = {}): Place =>
  placeOf({
    facts: TYPED,
    fleet: (its: MemoryFleet) => {
      for (const hsmId of [a, b]) its.give(hsmId, held)
    },
    ...given,
  })

const resume = (place: Place, allowed: readonly HsmId[] = []) =>
  takeUp(place, 'resume', { gives: ['new'], options: { mayStayBehind: { hsmIds: allowed, reason: 'left' } } })

const writes = (place: Place) => place.fleet.heard.filter((words) => /^(change|copy)/.test(words))

describe('a repair that is taken up with a password typed anew', () => {
  test('asks where it was proved first, and goes on where that holds it', async () => {
    const place = killedAtOnce('new')
    expect((await resume(place)).ended).toBe('completed 0')
    expect(place.fleet.holds()).toBe('a new, b new, c new, d new')
    expect(place.written().filter((words) => words.startsWith('login'))[0]).toBe('login a new')
  })

  test('writes nothing where that refuses it, and costs one failed login in all', async () => {
    const place = killedAtOnce('other')
    const { ended, message, suggestions } = await resume(place)
    expect([ended, place.fleet.holds(), writes(place)]).toEqual([
      'CURRENT_REFUSED 3',
      'a other, b other, c old, d old',
      [],
    ])
    expect(message).toContain('refused for CU:app what --new-password gives; nothing is given it')
    expect(suggestions.join()).toContain('rotate rollback')
    expect(place.fleet.failures()).toEqual([1, 0, 0, 0])
  })

  test('takes the right one afterwards', async () => {
    const place = killedAtOnce('other')
    await resume(place)
    for (const hsmId of [a, b]) place.fleet.give(hsmId, 'new')
    expect([(await resume(place)).ended, place.fleet.holds()]).toEqual(['completed 0', 'a new, b new, c new, d new'])
  })

  const WRITTEN: readonly Line[] = [
    [change(c), DONE],
    [login(c), DONE],
  ]

  test('goes on without an origin that somebody has changed, where the operator leaves it as it is', async () => {
    const place = killedAtOnce('new', { lines: WRITTEN })
    place.fleet.give(c, 'new')
    place.fleet.give(a, 'other')
    const { ended, suggestions } = await resume(place)
    expect([ended, suggestions.join().includes('--allow-unreachable hsm-aaaaaaaaaaa')]).toEqual([
      'CURRENT_REFUSED 4',
      true,
    ])
    expect((await resume(place, [a])).rotation?.outcome).toBe('completed-with-debt')
    expect(place.fleet.holds()).toBe('a other, b new, c new, d new')
  })

  test('gives nothing where no HSM is left that could show it, until the rest is left as it is', async () => {
    const only: FactsGiven = {
      ...TYPED,
      observed: [loggedIn(a, 'new'), ...[b, c, d].map((one) => loggedIn(one, 'new', refused))],
    }
    const place = killedAtOnce('other', { facts: only })
    place.fleet.give(b, 'old')
    place.fleet.at(a).away = true
    const stopped = await resume(place, [a])
    expect([stopped.ended, place.fleet.holds(), writes(place)]).toEqual([
      'ORIGIN_LOST 3',
      'a other, b old, c old, d old',
      [],
    ])
    expect(await resume(place, [a, b, c, d])).toMatchObject({
      ended: 'ORIGIN_LOST 6',
      rotation: { outcome: 'completed-with-debt' },
    })
    expect(writes(place)).toEqual([])
  })

  test('says so where no login is left on the one that could show it', async () => {
    const observed = [loggedIn(a, 'new'), ...[b, c, d].map((one) => loggedIn(one, 'new', refused))]
    const place = killedAtOnce('new', { facts: { ...TYPED, observed }, fleet: (its) => its.fail(a, 3) })
    const { ended, message, suggestions } = await resume(place)
    expect([ended, writes(place)]).toEqual(['NEAR_LOCKOUT 3', []])
    expect(message).toContain('nothing is left that could show whether it is right')
    expect(suggestions.join()).toMatch(/clears the count.*rotate rollback.*leave the rest as it is/)
  })

  test('proves it also where only a debt is left to be paid', async () => {
    const place = killedAtOnce('other', {
      facts: { ...TYPED, debts: [{ hsmId: d, reason: 'away' }] },
      lines: [...WRITTEN, TOLD],
    })
    place.fleet.give(c, 'other')
    expect([(await resume(place)).ended, place.fleet.holds()]).toEqual([
      'CURRENT_REFUSED 4',
      'a other, b other, c other, d old',
    ])
  })
})

describe('a repair to CURRENT whose store keeps another one by now', () => {
  const KEPT: FactsGiven = {
    procedure: 'repair',
    newCredential: 'kept',
    kept: { rotationId: null, startedAt: '2026-01-01T00:00:00.000Z' },
    createMissing: true,
    observed: [loggedIn(a, 'new'), loggedIn(b, 'new'), loggedIn(c, 'new', refused), loggedIn(d, 'new', refused)],
  }

  const keeping = (held: 'new' | 'other'): Place => {
    const place = killedAtOnce(held, { facts: KEPT })
    const { users, store } = place
    store.versions = {
      ...store.versions,
      current: {
        rotationId: null,
        clusters: [],
        restorePoint: null,
        startedAt: '2026-02-02T00:00:00.000Z',
        users: new Map(users.map(({ key }) => [key, PASSWORDS.new])),
      },
    }
    return place
  }

  test('writes nothing where that is refused where the first one was proved', async () => {
    const place = keeping('other')
    const { ended, message } = await takeUp(place, 'resume')
    expect([ended, place.fleet.holds(), writes(place)]).toEqual([
      'CURRENT_REFUSED 3',
      'a other, b other, c old, d old',
      [],
    ])
    expect(message).toContain('keeps as CURRENT now, that of 2026-02-02T00:00:00.000Z')
  })

  test('goes on where it is the same password', async () => {
    const place = keeping('new')
    expect([(await takeUp(place, 'resume')).ended, place.fleet.holds()]).toEqual([
      'completed 0',
      'a new, b new, c new, d new',
    ])
  })
})
