import { expect, test } from '@jest/globals'
import { change, copies, copy, DONE, listing, loggedIn, login, rehearsal, STORED } from '../../helpers/journal-lines.js'
import { APP, hsm } from '../../helpers/rotation.js'
import { keepPending, placeOf } from '../../helpers/run-bench.js'
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
