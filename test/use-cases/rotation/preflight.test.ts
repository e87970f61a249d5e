import { describe, expect, test } from '@jest/globals'
import { Secret } from '../../../src/domain/secret.js'
import type { UtilityName } from '../../../src/domain/utility.js'
import { OfficerLogins } from '../../../src/use-cases/rotation/officer-logins.js'
import { proveLogins } from '../../../src/use-cases/rotation/preflight.js'
import { operatorErrorOf } from '../../helpers/errors.js'
import { consoleWithOneOdd } from '../../helpers/one-odd-hsm.js'
import { APP, hsm, planOver, rosterOf } from '../../helpers/rotation.js'

const roster = rosterOf(2, 1)
const officer = { user: { type: 'CO', name: 'admin' }, password: new Secret('TEST-SECRET-officer') } as const

const refusalThrough = (utility: UtilityName) =>
  operatorErrorOf(() =>
    proveLogins(
      {
        console: consoleWithOneOdd(roster, utility, hsm('b')),
        officerOf: () => officer,
        officerLogins: new OfficerLogins(),
        refusedLogins: { find: async () => null, note: async () => undefined, clear: async () => undefined },
        lockoutLimit: 5,
        concurrency: 1,
        stop: { requested: false },
      },
      roster,
      planOver(roster).users,
      new Map([[APP, new Secret('TEST-SECRET-current')]]),
    ),
  )

describe('a current credential that is refused', () => {
  test.each([
    ['cmu', `${hsm('b')} (us-east-1, cluster-aaaaaaaaaaa) refused`],
    ['cloudhsm-cli', 'cluster-aaaaaaaaaaa (us-east-1; at least one of its HSMs) refused'],
  ] as const)('by %s: named is who refused it, and nobody else', async (utility, who) => {
    const { code, message } = await refusalThrough(utility)
    expect([code, message]).toEqual([
      'CURRENT_REFUSED',
      `${who} the current credential given for CU:app: Account error`,
    ])
  })
})
