import { expect, test } from '@jest/globals'
import { storePassword } from '../../../src/simulator/hsm/password.js'
import { change, copies, DONE, listing, login, STORED } from '../../helpers/journal-lines.js'
import { PASSWORDS } from '../../helpers/memory-fleet.js'
import { hsm, rosterOf } from '../../helpers/rotation.js'
import { keepPending, placeOf, planOf } from '../../helpers/run-bench.js'
import { takeUp } from '../../helpers/taken-up.js'

const [a, b] = [hsm('a'), hsm('b')]

test('a user that no copy brings is made by hand, and the advice about it says what else resume needs', async () => {
  const plan = planOf(rosterOf(1, 1), 'cmu', ['app'])
  const place = placeOf({
    hsms: [1, 1],
    facts: {
      observed: [listing(a), listing(b)],
      plan: { ...plan, users: plan.users.map((user) => ({ ...user, userId: null, idsAgree: false })) },
    },
    lines: [
      STORED,
      copies('unused'),
      { type: 'accepted', what: 'no-way-back' },
      { type: 'propagation', method: 'change', evidence: 'asked for' },
      [change(a), DONE],
      [login(a), DONE],
    ],
    fleet: (its) => its.give(a, 'new'),
  })
  await keepPending(place)
  const was = place.fleet.user(b)
  place.fleet.remove(b)
  const missing = await takeUp(place, 'resume')
  expect([missing.ended, missing.suggestions[0]]).toEqual([
    'USER_MISSING 4',
    'an officer makes it there by createUser, with any password; then resume with --overwrite-other gives it the right one',
  ])
  place.fleet.at(b).hsm.put({ ...was, id: 9, password: storePassword(PASSWORDS.other.reveal()) })
  expect((await takeUp(place, 'resume')).ended).toBe('OTHER_CREDENTIAL 4')
  const { ended } = await takeUp(place, 'resume', { options: { overwriteOther: true } })
  expect([ended, place.fleet.holds()]).toEqual(['completed 0', 'a new, b new'])
})
