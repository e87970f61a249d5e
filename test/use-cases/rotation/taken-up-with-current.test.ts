import { expect, test } from '@jest/globals'
import { listing, loggedIn } from '../../helpers/journal-lines.js'
import { APP, hsm } from '../../helpers/rotation.js'
import { placeOf } from '../../helpers/run-bench.js'
import { takeUp } from '../../helpers/taken-up.js'

const [a, b] = [hsm('a'), hsm('b')]
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
