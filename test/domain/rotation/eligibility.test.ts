import { describe, expect, test } from '@jest/globals'
import type { HsmUser } from '../../../src/domain/hsm-user.js'
import { parseUserRef } from '../../../src/domain/hsm-user-text.js'
import { checkOfficers, eligibleUsers } from '../../../src/domain/rotation/eligibility.js'
import { operatorErrorOf } from '../../helpers/errors.js'
import { hsm, listed, rosterOf } from '../../helpers/rotation.js'

const [a, b] = [hsm('a'), hsm('b')]
const RULES = { lockoutLimit: 5, createMissing: false, allowKmsuser: false }
const NOWHERE = { roster: [], clusters: [], leftOut: [] }
const both = (rows: readonly HsmUser[], other: readonly HsmUser[] = rows) =>
  new Map([
    [a, rows],
    [b, other],
  ])
const rotate = (text: string, matrix: ReturnType<typeof both>, rules: Partial<typeof RULES> = {}) =>
  eligibleUsers([parseUserRef(text)], matrix, [a], { ...RULES, ...rules }, NOWHERE)
const app = listed('CU', 'app')

describe('who may be rotated', () => {
  test('a user that is the same everywhere, named as the HSMs name it', () => {
    expect(rotate('CU:APP', both([app]))).toEqual({
      users: [{ type: 'CU', name: 'app', key: 'CU:app', userId: 4, idsAgree: true }],
      absent: [],
    })
  })

  test('a user with another ID on some HSM has no ID to sync by', () => {
    expect(rotate('CU:app', both([app], [listed('CU', 'app', { userId: 9 })])).users[0]?.userId).toBeNull()
  })

  test.each([
    ['AU:app_user', both([listed('AU', 'app_user')]), 'belongs to the service'],
    ['CU:kmsuser', both([listed('CU', 'kmsuser')]), 'belongs to an AWS KMS custom key store'],
    ['CU:nobody', both([app]), 'there is no user CU:nobody on any HSM'],
    ['CO:app', both([app]), '"app" is a CU on the HSMs, not a CO'],
    ['CU:app', both([], [app]), `does not exist on ${a} of the source cluster`],
    ['CU:app', both([app], []), `does not exist on ${b}`],
    ['CU:app', both([listed('CU', 'app', { twoFactor: true })]), 'has a second factor'],
    ['CU:app', both([listed('CU', 'app', { mofnPubKey: true })]), 'has a quorum key'],
    ['CU:app', both([app], [listed('CU', 'app', { loginFailureCount: 3 })]), `${b} counts 3 failed logins`],
  ])('%s is refused, with what to do about it', async (text, matrix, message) => {
    const refused = await operatorErrorOf(() => rotate(text, matrix))
    expect(refused.message).toContain(message)
    expect(refused.suggestions).not.toEqual([])
  })

  test('one failure below the budget is still allowed', () => {
    expect(rotate('CU:app', both([listed('CU', 'app', { loginFailureCount: 2 })])).users).toHaveLength(1)
  })

  test('a user missing on a destination becomes an absent cell when that is wanted', () => {
    const { absent } = rotate('CU:app', both([app], []), { createMissing: true })
    expect(absent).toEqual([{ user: 'CU:app', hsmId: b }])
  })

  test('kmsuser passes once it is allowed', () => {
    expect(rotate('CU:kmsuser', both([listed('CU', 'kmsuser')]), { allowKmsuser: true }).users).toHaveLength(1)
  })
})

describe('the officer', () => {
  const officer = { type: 'CO', name: 'Admin' } as const
  const check =
    (rows: readonly HsmUser[], users: readonly { type: 'CO' | 'CU' | 'PCO'; name: string }[] = []) =>
    () =>
      checkOfficers(() => officer, users, both(rows), 5, rosterOf(1, 1))

  test('passes with no failures, also as PCO and whatever the case of its name', () => {
    expect(check([listed('PCO', 'admin')])).not.toThrow()
  })

  test.each([
    ['is unknown', [app], 'there is no crypto officer "Admin"'],
    ['is near its lock-out', [listed('CO', 'admin', { loginFailureCount: 3 })], 'counts 3 failed logins of CO:Admin'],
    ['has a second factor', [listed('CO', 'admin', { twoFactor: true })], 'has a second factor'],
  ])('%s: refused', (_, rows, message) => {
    expect(check(rows)).toThrow(message)
  })

  test('rotating itself is refused, PCO counted as CO', () => {
    expect(check([listed('CO', 'admin')], [{ type: 'PCO', name: 'ADMIN' }])).toThrow('cannot rotate its own password')
  })

  describe('of each cluster', () => {
    const [source, destination] = rosterOf(1, 1)
    const officerOf = (clusterId: string) =>
      ({ type: 'CO', name: clusterId === source?.clusterId ? 'us_admin' : 'eu_admin' }) as const
    const [us, eu] = [listed('CO', 'us_admin'), listed('CO', 'eu_admin')]
    const checkBoth = (matrix: ReturnType<typeof both>, users: readonly { type: 'CO'; name: string }[] = []) =>
      checkOfficers(officerOf, users, matrix, 5, rosterOf(1, 1))

    test('need not exist on another cluster', () => {
      expect(() => checkBoth(both([us], [eu]))).not.toThrow()
    })

    test('has to exist on its own, and the refusal names the cluster', () => {
      expect(() => checkBoth(both([us, eu], [us]))).toThrow(
        `there is no crypto officer "eu_admin" on ${b} (eu-west-1, ${destination?.clusterId})`,
      )
    })

    test('is judged by its failures there alone', () => {
      const tired = { loginFailureCount: 4 }
      expect(() => checkBoth(both([us, listed('CO', 'eu_admin', tired)], [eu]))).not.toThrow()
      expect(() => checkBoth(both([us], [listed('CO', 'eu_admin', tired)]))).toThrow(
        `${b} (eu-west-1, ${destination?.clusterId}) counts 4 failed logins of CO:eu_admin`,
      )
    })

    test('is not rotated itself, whatever the officer of the other cluster', () => {
      expect(() => checkBoth(both([us, eu]), [{ type: 'CO', name: 'EU_ADMIN' }])).toThrow(
        `the officer "eu_admin" of eu-west-1/${destination?.clusterId} cannot rotate its own password`,
      )
    })
  })
})
