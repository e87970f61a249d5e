import { describe, expect, test } from '@jest/globals'
import type { HsmUser } from '../../src/domain/hsm-user.js'
import type { HsmId } from '../../src/domain/ids.js'
import { userDrift as driftOf, type UserDifference } from '../../src/domain/user-drift.js'
import type { UtilityName } from '../../src/domain/utility/utility.js'
import { rosterOf } from '../helpers/rotation.js'

const user = (name: string, more: Partial<HsmUser> = {}): HsmUser => ({
  userId: 4,
  type: 'CU',
  name,
  mofnPubKey: false,
  loginFailureCount: 0,
  twoFactor: false,
  locked: null,
  inconsistent: [],
  ...more,
})
const [a, b] = ['hsm-aaaaaaaaaaa', 'hsm-bbbbbbbbbbb'] as [HsmId, HsmId]
const roster = rosterOf(2, 1)

const userDrift = (
  matrix: ReadonlyMap<HsmId, readonly HsmUser[]>,
  utility: UtilityName = 'cmu',
): readonly UserDifference[] => driftOf(matrix, { roster, utility, lockoutLimit: 5 })

describe('drift between HSMs', () => {
  test('equal listings differ in nothing, whatever the case of the names', () => {
    expect(
      userDrift(
        new Map([
          [a, [user('App')]],
          [b, [user('app')]],
        ]),
      ),
    ).toEqual([])
  })

  test('a user missing on one HSM and another one only there are both named', () => {
    const differences = userDrift(
      new Map([
        [a, [user('app')]],
        [b, [user('other')]],
      ]),
    )
    expect(differences).toEqual([
      { user: 'CU:app', hsmId: b, field: 'presence', expected: 'present', actual: 'absent', evidence: 'hsm' },
      { user: 'CU:other', hsmId: b, field: 'presence', expected: 'absent', actual: 'present', evidence: 'hsm' },
    ])
  })

  test('another ID, another type and a quorum key are told apart', () => {
    const changed = user('app', { userId: 9, type: 'CO', mofnPubKey: true })
    const fields = userDrift(
      new Map([
        [a, [user('app')]],
        [b, [changed]],
      ]),
    ).map(({ field }) => field)
    expect(fields).toEqual(['userId', 'type', 'mofnPubKey'])
  })

  test('a failure count is named even on the first HSM', () => {
    expect(userDrift(new Map([[a, [user('app', { loginFailureCount: 2 })]]]))).toEqual([
      { user: 'CU:app', hsmId: a, field: 'loginFailureCount', expected: '0', actual: '2', evidence: 'hsm' },
    ])
  })

  test('a count that has reached the limit is a lock as well, where no lock is shown', () => {
    const fieldsAt = (loginFailureCount: number, locked: boolean | null = null) =>
      userDrift(new Map([[a, [user('app', { loginFailureCount, locked })]]])).map(({ field }) => field)
    expect([fieldsAt(4), fieldsAt(5), fieldsAt(5, false)]).toEqual([
      ['loginFailureCount'],
      ['loginFailureCount', 'locked'],
      ['loginFailureCount'],
    ])
  })

  test('what a listing shows of a cluster as one is told as that, but for a cluster of one HSM', () => {
    const c = roster[2]?.hsmId as HsmId
    const locked = [user('app', { loginFailureCount: null, locked: true })]
    const matrix = new Map([a, b, c].map((hsmId) => [hsmId, locked]))
    const evidence = (utility: UtilityName) => userDrift(matrix, utility).map((one) => one.evidence)
    expect(evidence('cloudhsm-cli')).toEqual(['cluster', 'cluster', 'hsm'])
    expect(evidence('cmu')).toEqual(['hsm', 'hsm', 'hsm'])
  })
})
