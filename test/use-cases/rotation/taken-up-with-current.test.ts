import { describe, expect, test } from '@jest/globals'
import { OperatorError } from '../../../src/domain/errors.js'
import type { RotationId } from '../../../src/domain/ids.js'
import { change, copies, copy, DONE, listing, loggedIn, login, rehearsal, STORED } from '../../helpers/journal-lines.js'
import { PASSWORDS } from '../../helpers/memory-fleet.js'
import { APP, hsm } from '../../helpers/rotation.js'
import { keepPending, type Place, placeOf } from '../../helpers/run-bench.js'
import { takeUp } from '../../helpers/taken-up.js'

const [a, b, c] = [hsm('a'), hsm('b'), hsm('c')]
/** It stopped before the store held anything; the current credential was proved when it began. */
const stopped = { hsms: [1, 1] as const, facts: { observed: [loggedIn(a), loggedIn(b)] } }
const gives = ['new', 'current'] as const

test('a current credential that is typed again has an intent before each login, so that a kill leaves no count unexplained', async () => {
  const place = placeOf(stopped)
  await takeUp(place, 'resume', { gives, options: { pauseBefore: 'rehearse' } })
  const logins = place.written().filter((words) => /^(login|seen)|^done$/.test(words))
  expect(logins.slice(0, 4)).toEqual(['login a current', 'done', 'login b current', 'done'])
})

test('a failed login of ours that nobody lived to write down is not told of another client', async () => {
  const place = placeOf({
    ...stopped,
    lines: [listing(a), listing(b), [{ act: 'login', user: APP, hsmIds: [a], credential: 'current', typed: true }]],
    fleet: (fleet) => fleet.fail(a, 1),
  })
  const { ended } = await takeUp(place, 'resume', { gives, options: { pauseBefore: 'rehearse' } })
  expect(ended).toBe('PAUSED_AS_ASKED 4')
})

test('a current credential that is mistyped late takes no HSM away that the old one can be copied back from', async () => {
  const place = placeOf({
    hsms: [1, 2],
    lines: [
      ...([STORED, [rehearsal(c, b), DONE], copies('accepted'), [change(a), DONE], [login(a), DONE]] as const),
      ...([[copy(a, b), DONE], [login(b), DONE], copies('overwrites')] as const),
      { type: 'propagation', method: 'sync', evidence: 'x' },
    ],
    fleet: (fleet) => {
      fleet.give(a, 'new')
      fleet.give(b, 'new')
      // What is typed is refused there as if it were wrong.
      fleet.give(c, 'other')
    },
  })
  await keepPending(place)
  expect((await takeUp(place, 'resume', { gives: ['current'] })).ended).toBe('CURRENT_REFUSED 4')
  place.fleet.give(c, 'old')
  expect((await takeUp(place, 'rollback')).ended).toBe('rolled-back 6')
})

test('a rollback with nothing to take back still waits for a command that was never answered', async () => {
  const place = placeOf({ hsms: [1, 2], lines: [STORED, [rehearsal(c, b)]] })
  await keepPending(place)
  const { leftovers } = place.ports
  const ended: number[] = []
  leftovers.end = async ({ pid }) => {
    ended.push(pid)
  }
  expect([(await takeUp(place, 'rollback')).ended, ended.length]).toEqual(['rolled-back 0', 1])
})

test('a current credential that no HSM is left to prove is given to none and kept nowhere', async () => {
  const place = placeOf({
    hsms: [1, 2],
    lines: [
      ...([STORED, [rehearsal(c, b), DONE], copies('overwrites'), [change(a), DONE], [login(a), DONE]] as const),
      ...([
        [copy(a, b), DONE],
        [login(b), DONE],
      ] as const),
      { type: 'propagation', method: 'sync', evidence: 'x' },
      { type: 'unreachable', hsmId: c, reason: 'x' },
      { type: 'debt', debt: { hsmId: c, reason: 'x' } },
    ],
    fleet: (fleet) => {
      for (const hsmId of [a, b]) fleet.give(hsmId, 'new')
      fleet.at(c).away = true
      fleet.fail(a, 5)
    },
  })
  await keepPending(place)
  await takeUp(place, 'rollback', { gives: ['current'] })
  expect(place.store.versions.current).toBeNull()
  expect(place.fleet.heard.filter((words) => words.startsWith('login CU'))).toEqual([])
})

describe('somebody has moved CURRENT of the store since it was proved', () => {
  /** Everything is proved and stored by the run itself; then a is changed, and the run is stopped. */
  const moved = async (): Promise<Place> => {
    const place = placeOf({ hsms: [1, 2], facts: { observed: [a, b, c].map((hsmId) => loggedIn(hsmId)) } })
    await takeUp(place, 'resume', { gives, options: { propagate: 'change', pauseBefore: 'canary' } })
    expect(place.fleet.holds()).toBe('a new, b old, c old')
    const { current } = place.store.versions
    if (current === null) throw new Error('the proved one is kept')
    const users = new Map(place.users.map(({ key }) => [key, PASSWORDS.other] as const))
    const other = { ...current, rotationId: 'r-20260302-031500-othr' as RotationId, startedAt: '2026-03-02', users }
    place.store.versions = { ...place.store.versions, current: other }
    return place
  }

  test('a rollback gives what it is now to no HSM, and says of whom it is', async () => {
    const place = await moved()
    const { ended, message, suggestions } = await takeUp(place, 'rollback')
    expect([ended, message]).toEqual(['CURRENT_LOST 4', expect.stringContaining('r-20260302-031500-othr')])
    expect(suggestions.join()).toContain('--current-password')
    expect(place.fleet.holds()).toBe('a new, b old, c old')
  })

  test('what is typed in its place is proved first, and given; CURRENT stays whose it is', async () => {
    const place = await moved()
    expect((await takeUp(place, 'rollback', { gives: ['current'] })).ended).toBe('rolled-back 0')
    expect(place.fleet.holds()).toBe('a old, b old, c old')
    expect(place.store.versions.current?.rotationId).toBe('r-20260302-031500-othr')
  })

  test('what is mistyped in its place is given to no HSM', async () => {
    const place = await moved()
    for (const hsmId of [b, c]) place.fleet.give(hsmId, 'other')
    expect((await takeUp(place, 'rollback', { gives: ['current'] })).ended).toBe('CURRENT_REFUSED 4')
    expect(place.fleet.holds()).toBe('a new, b other, c other')
  })

  test('forward needs none, where that is accepted', async () => {
    const place = await moved()
    expect((await takeUp(place, 'resume')).ended).toBe('CURRENT_LOST 4')
    const options = { acceptNoWayBack: true, propagate: 'change' } as const
    expect((await takeUp(place, 'resume', { options })).ended).toBe('completed 0')
  })

  test('a rollback that left a debt behind does not pay it with that either', async () => {
    const place = placeOf({ hsms: [1, 2], facts: { observed: [a, b, c].map((hsmId) => loggedIn(hsmId)) } })
    await takeUp(place, 'resume', { gives, options: { propagate: 'change', pauseBefore: 'canary' } })
    place.fleet.at(a).away = true
    const without = { options: { mayStayBehind: { hsmIds: [a], reason: 'x' } } }
    expect((await takeUp(place, 'rollback', without)).ended).toBe('rolled-back 6')
    const { current } = place.store.versions
    if (current === null) throw new Error('the proved one is kept')
    const users = new Map(place.users.map(({ key }) => [key, PASSWORDS.other] as const))
    place.store.versions = { ...place.store.versions, current: { ...current, startedAt: '2026-04-01', users } }
    place.fleet.at(a).away = false
    expect((await takeUp(place, 'resume')).ended).toBe('CURRENT_LOST 6')
    expect((await takeUp(place, 'resume', { gives: ['current'] })).ended).toBe('rolled-back 0')
    expect(place.fleet.holds()).toBe('a old, b old, c old')
  })
})

// A story that went wrong, told without its accidents.
test('what was given back is proved again where the store failed as PENDING was discarded', async () => {
  const place = placeOf({ hsms: [1, 2], facts: { observed: [a, b, c].map((hsmId) => loggedIn(hsmId)) } })
  await takeUp(place, 'resume', { gives, options: { propagate: 'change', pauseBefore: 'canary' } })
  const discard = place.store.discardPending.bind(place.store)
  place.store.discardPending = async (rotationId) => {
    await discard(rotationId)
    place.store.discardPending = discard
    throw new OperatorError('STORE_UNREADABLE', 'the disk is full')
  }
  expect((await takeUp(place, 'rollback')).ended).toBe('STORE_UNREADABLE 4')
  expect(place.fleet.holds()).toBe('a old, b old, c old')
  place.fleet.give(a, 'other')
  expect((await takeUp(place, 'resume')).ended).toBe('OTHER_CREDENTIAL 4')
  expect((await takeUp(place, 'resume', { options: { overwriteOther: true } })).ended).toBe('rolled-back 0')
  expect(place.fleet.holds()).toBe('a old, b old, c old')
})
