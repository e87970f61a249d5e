import { expect, test } from '@jest/globals'
import type { UserKey } from '../../../src/domain/hsm-user.js'
import { loggedIn } from '../../helpers/journal-lines.js'
import { PASSWORDS } from '../../helpers/memory-fleet.js'
import { hsm } from '../../helpers/rotation.js'
import { besideIn, placeOf, reported } from '../../helpers/run-bench.js'
import { takeUp } from '../../helpers/taken-up.js'

const [a, b, c, d] = [hsm('a'), hsm('b'), hsm('c'), hsm('d')]

test.each([
  'cmu',
  'cloudhsm-cli',
] as const)('an HSM that joins a repair from an old backup is given the credential, and nobody is blamed for it: %s', async (utility) => {
  const units =
    utility === 'cmu'
      ? [[a], [b], [c], [d]]
      : [
          [a, b],
          [c, d],
        ]
  const place = placeOf({
    utility,
    facts: { procedure: 'repair', newCredential: 'kept' },
    lines: units.map((hsmIds) => loggedIn(hsmIds, 'new')),
    fleet: (fleet) => {
      for (const hsmId of [a, b, c, d]) fleet.give(hsmId, 'new')
    },
  })
  const users = new Map([['CU:app' as UserKey, PASSWORDS.new]])
  const current = { rotationId: null, clusters: [], restorePoint: null, startedAt: '2026-02-01T03:15:00.000Z', users }
  place.store.versions = { ...place.store.versions, current }
  const servers = place.fleet.hsms.map(({ server }) => server)
  const joined = besideIn(servers, c, 'e')
  place.fleet.add(joined)
  place.aws.clusters = reported([...servers, joined])
  const { ended } = await takeUp(place, 'resume')
  expect([ended, place.fleet.holds()]).toEqual(['completed 0', 'a new, b new, c new, d new, e new'])
  expect(place.fleet.failures()).toEqual([0, 0, 0, 0, 0])
})
