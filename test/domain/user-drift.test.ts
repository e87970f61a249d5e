import { describe, expect, test } from '@jest/globals'
import type { HsmUser } from '../../src/domain/hsm-user.js'
import type { HsmId } from '../../src/domain/ids.js'
import { userDrift } from '../../src/domain/user-drift.js'

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
      { user: 'CU:app', hsmId: b, field: 'presence', expected: 'present', actual: 'absent' },
      { user: 'CU:other', hsmId: b, field: 'presence', expected: 'absent', actual: 'present' },
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
      { user: 'CU:app', hsmId: a, field: 'loginFailureCount', expected: '0', actual: '2' },
    ])
  })
})
