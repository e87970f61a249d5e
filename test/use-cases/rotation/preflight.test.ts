import { describe, expect, test } from '@jest/globals'
import { LoginBudget } from '../../../src/domain/rotation/login-budget.js'
import { Secret } from '../../../src/domain/secret.js'
import type { UtilityName } from '../../../src/domain/utility/utility.js'
import { OfficerLogins } from '../../../src/use-cases/rotation/sessions/officer-logins.js'
import { firstLogins } from '../../../src/use-cases/rotation/survey/first-logins.js'
import { operatorErrorOf } from '../../helpers/errors.js'
import { MemoryRefusedLogins } from '../../helpers/memory-refused-logins.js'
import { consoleWithOneOdd } from '../../helpers/one-odd-hsm.js'
import { APP, hsm, planOver, rosterOf } from '../../helpers/rotation.js'

const roster = rosterOf(2, 1)
const officer = { user: { type: 'CO', name: 'admin' }, password: new Secret('TEST-SECRET-officer') } as const

const refusalThrough = (utility: UtilityName) => {
  const refusedLogins = new MemoryRefusedLogins()
  return operatorErrorOf(() =>
    firstLogins(
      {
        console: consoleWithOneOdd(roster, utility, hsm('b')),
        officerOf: () => officer,
        officerLogins: new OfficerLogins(),
        refusedLogins,
        budget: new LoginBudget(5, refusedLogins),
        lock: { name: async () => undefined, assertHeld: async () => undefined, release: async () => undefined },
        lockoutLimit: 5,
        concurrency: 1,
        stop: { requested: false },
      },
      roster,
      planOver(roster).users,
      {
        passwords: new Map([[APP, new Secret('TEST-SECRET-current')]]),
        credential: 'current',
        source: '--current-password gives',
        remembered: null,
        refusals: 'stop',
        advice: [],
      },
    ),
  )
}

describe('a current credential that is refused', () => {
  test.each([
    ['cmu', `${hsm('b')} (us-east-1, cluster-aaaaaaaaaaa) does`],
    ['cloudhsm-cli', 'cluster-aaaaaaaaaaa (us-east-1; at least one of its HSMs) does'],
  ] as const)('by %s: named is who refused it, and nobody else', async (utility, who) => {
    const { code, message } = await refusalThrough(utility)
    expect([code, message]).toEqual([
      'CURRENT_REFUSED',
      `${who} not hold the current password of CU:app that --current-password gives: Account error`,
    ])
  })
})
