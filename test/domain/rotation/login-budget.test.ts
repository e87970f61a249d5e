import { describe, expect, test } from '@jest/globals'
import type { HsmUser, HsmUserRef } from '../../../src/domain/hsm-user.js'
import type { HsmId } from '../../../src/domain/ids.js'
import { LoginBudget, type WantedLogin } from '../../../src/domain/rotation/login-budget.js'
import { MemoryRefusedLogins } from '../../helpers/memory-refused-logins.js'
import { hsm, listed, rosterOf } from '../../helpers/rotation.js'

const USER = { type: 'CU', name: 'app' } as const
const roster = rosterOf(2, 1)
const [a, b, c] = [hsm('a'), hsm('b'), hsm('c')]
const CLUSTER = 'cluster-aaaaaaaaaaa'
const servers = (...hsmIds: readonly HsmId[]) => roster.filter(({ hsmId }) => hsmIds.includes(hsmId))

/** A login on these HSMs. @param count failed logins as listed; null: not shown */
const loginOn = (reached: readonly HsmId[], count: number | null = null, user: HsmUserRef = USER): WantedLogin => ({
  user,
  reached: servers(...reached),
  rows: new Map(reached.map((hsmId) => [hsmId, listed('CU', user.name, { loginFailureCount: count })])),
})

/** A login that was made and refused, as every command notes it. */
const refuse = async (budget: LoginBudget, login: WantedLogin, credential: string | null = null): Promise<void> => {
  await budget.noteBegun(login)
  await budget.noteRefused(login, credential)
}

const budgetOf = (limit = 5) => {
  const memory = new MemoryRefusedLogins()
  return { memory, budget: new LoginBudget(limit, memory) }
}

/** The code of what forbids a login on these HSMs now. @param count failed logins as listed; null: not shown */
const objectionTo = async (
  budget: LoginBudget,
  reached: readonly HsmId[],
  count: number | null,
  row: Partial<HsmUser> = {},
  user: HsmUserRef = USER,
): Promise<string | null> => {
  const rows = new Map(reached.map((hsmId) => [hsmId, listed('CU', 'app', { loginFailureCount: count, ...row })]))
  return (await budget.objection({ user, reached: servers(...reached), rows }))?.code ?? null
}

describe('where failed logins are shown', () => {
  test.each([
    [3, [null, 'NEAR_LOCKOUT', 'NEAR_LOCKOUT', 'USER_LOCKED']],
    [4, [null, null, 'NEAR_LOCKOUT', 'NEAR_LOCKOUT']],
    [5, [null, null, null, 'NEAR_LOCKOUT']],
    [6, [null, null, null, null]],
  ])('with a limit of %d a login is made after 0 to 3 of them: %j', async (limit, expected) => {
    const { budget } = budgetOf(limit)
    const found = []
    for (const count of [0, 1, 2, 3]) found.push(await objectionTo(budget, [a], count))
    expect(found).toEqual(expected)
  })

  test.each([
    3, 4, 5, 6,
  ])('with a limit of %d no login that fails is the one that locks, nor the one before', async (limit) => {
    const { budget } = budgetOf(limit)
    for (let count = 0; count <= limit; count += 1) {
      if ((await objectionTo(budget, [a], count)) === null) expect(count + 1).toBeLessThan(limit)
    }
  })

  test('one HSM near its lock-out is enough for all that a login reaches', async () => {
    const { budget } = budgetOf()
    const rows = new Map([
      [a, listed('CU', 'app', { loginFailureCount: 0 })],
      [b, listed('CU', 'app', { loginFailureCount: 3 })],
    ])
    const objection = await budget.objection({ user: USER, reached: servers(a, b), rows })
    expect(objection?.message).toBe(`${b} (us-east-1, ${CLUSTER}) counts 3 failed logins of CU:app; the limit is 5`)
  })

  test('what is remembered does not matter: the HSM itself counts', async () => {
    const { budget, memory } = budgetOf()
    for (let time = 0; time < 9; time += 1) await memory.note(USER, [{ clusterId: CLUSTER as never, hsmId: a }], null)
    expect(await objectionTo(budget, [a], 0)).toBeNull()
  })

  test('a user that the listing calls locked is locked, whatever it counts', async () => {
    expect(await objectionTo(budgetOf().budget, [a], 0, { locked: true })).toBe('USER_LOCKED')
    expect(await objectionTo(budgetOf().budget, [a], null, { locked: true })).toBe('USER_LOCKED')
  })

  test('an HSM that does not have the user is nothing to object to', async () => {
    const { budget } = budgetOf()
    expect(await budget.objection({ user: USER, reached: servers(a), rows: new Map() })).toBeNull()
  })
})

describe('where no failed logins are shown', () => {
  test.each([
    [3, 1],
    [4, 1],
    [5, 2],
    [6, 3],
  ])('with a limit of %d the refusals that were made before may be %d in a row', async (limit, allowed) => {
    const { memory } = budgetOf(limit)
    for (let made = 1; made <= allowed; made += 1) {
      // Every invocation has a budget of its own, and all of them one memory.
      const budget = new LoginBudget(limit, memory)
      expect(await objectionTo(budget, [a, b], null)).toBeNull()
      await refuse(budget, loginOn([a, b]))
    }
    expect(await objectionTo(new LoginBudget(limit, memory), [a, b], null)).toBe('LOGIN_BUDGET')
  })

  test('the objection says how often and when, and which limit would allow one more', async () => {
    const { memory } = budgetOf(4)
    await refuse(new LoginBudget(4, memory), loginOn([a, b]))
    const rows = new Map([[a, listed('CU', 'app', { loginFailureCount: null })]])
    const objection = await new LoginBudget(4, memory).objection({ user: USER, reached: servers(a), rows })
    expect(objection?.message).toBe(
      `${CLUSTER} refused CU:app once, last at 2026-03-01T03:15:00.000Z, and its failure count cannot be read; it is not asked again`,
    )
    const advised = Number(/--lockout-limit (\d+)/.exec(objection?.suggestions.join() ?? '')?.[1])
    expect(await objectionTo(new LoginBudget(advised, memory), [a], null)).toBeNull()
  })

  test('an officer is told of another officer and of flags that are taken, and of no password of a user', async () => {
    const { memory } = budgetOf()
    const officer = { type: 'CO', name: 'admin' } as const
    for (let made = 1; made <= 2; made += 1) await refuse(new LoginBudget(5, memory), loginOn([a, b], null, officer))
    const rows = new Map([[a, listed('CO', 'admin', { loginFailureCount: null })]])
    const wanted = { user: officer, reached: servers(a), rows, isOfficer: true }
    const advice = (await new LoginBudget(5, memory).objection(wanted))?.suggestions.join('\n') ?? ''
    expect(advice).toContain(`--officer ${CLUSTER}=NAME --officer-password ${CLUSTER}=SECRET`)
    expect(advice).toContain('--lockout-limit 6 --retry-officer')
    expect(advice).not.toContain('--current-password')
    expect(await new LoginBudget(6, memory).objection(wanted)).toBeNull()
  })

  test('one HSM counts its own refusals and those of its whole cluster, and not those of a sibling', async () => {
    const memory = new MemoryRefusedLogins()
    const fresh = () => new LoginBudget(5, memory)
    await refuse(fresh(), loginOn([a]))
    await refuse(fresh(), loginOn([b]))
    expect([await objectionTo(fresh(), [a], null), await objectionTo(fresh(), [b], null)]).toEqual([null, null])
    await refuse(fresh(), loginOn([a, b]))
    expect([await objectionTo(fresh(), [a], null), await objectionTo(fresh(), [b], null)]).toEqual([
      'LOGIN_BUDGET',
      'LOGIN_BUDGET',
    ])
  })

  test('another cluster has a budget of its own, and so has another user', async () => {
    const { memory } = budgetOf(3)
    await refuse(new LoginBudget(3, memory), loginOn([a, b]))
    const budget = new LoginBudget(3, memory)
    expect(await objectionTo(budget, [c], null)).toBeNull()
    expect(await objectionTo(budget, [a], null, {}, { type: 'CU', name: 'other' })).toBeNull()
    expect(await objectionTo(budget, [a], null, {}, { type: 'CU', name: 'APP' })).toBe('LOGIN_BUDGET')
  })

  test('one login on HSMs of two clusters is refused for either of them', async () => {
    const { memory } = budgetOf(3)
    await refuse(new LoginBudget(3, memory), loginOn([c]))
    expect(await objectionTo(new LoginBudget(3, memory), [a, c], null)).toBe('LOGIN_BUDGET')
  })
})

describe('what is remembered', () => {
  test.each([
    'noteGood',
    'noteChanged',
  ] as const)('is cleared by %s, of the HSM and of its cluster', async (happens) => {
    const { budget, memory } = budgetOf(3)
    await refuse(budget, loginOn([a, b]))
    await refuse(budget, loginOn([a]))
    await budget[happens](USER, servers(a, b))
    expect(memory.counts).toEqual([])
    expect(await objectionTo(budget, [a, b], null)).toBeNull()
  })

  test('of a whole cluster is not cleared by what one HSM of it did', async () => {
    const { budget, memory } = budgetOf(3)
    await refuse(budget, loginOn([a, b]))
    await budget.noteGood(USER, servers(a))
    expect(memory.counts).toEqual([[CLUSTER, 1]])
  })

  test('names the credential where that can be done without telling it', async () => {
    const { budget } = budgetOf()
    await refuse(budget, loginOn([a]), 'CURRENT of r-1')
    expect(await budget.remembered(USER, [CLUSTER as never])).toMatchObject([
      { hsmId: a, count: 1, credential: 'CURRENT of r-1' },
    ])
  })

  test('of a PCO is that of a CO: the HSM knows them as one', async () => {
    const { budget, memory } = budgetOf(3)
    await refuse(budget, loginOn([a, b], null, { type: 'PCO', name: 'admin' }))
    const next = new LoginBudget(3, memory)
    expect(await objectionTo(next, [a], null, {}, { type: 'CO', name: 'admin' })).toBe('LOGIN_BUDGET')
  })
})

describe('a login that was begun', () => {
  test('is remembered before an HSM hears of it where no count would show its failure', async () => {
    const { budget, memory } = budgetOf(3)
    await budget.noteBegun(loginOn([a, b]))
    expect(await budget.remembered(USER, [CLUSTER as never])).toMatchObject([{ count: 1, credential: 'unanswered' }])
    // Nobody lived to tell what came of it: the next one does not try.
    expect(await objectionTo(new LoginBudget(3, memory), [a, b], null)).toBe('LOGIN_BUDGET')
  })

  test('and was refused is one refusal, not two', async () => {
    const { budget, memory } = budgetOf()
    await refuse(budget, loginOn([a, b]), 'CURRENT of r-1')
    expect(memory.counts).toEqual([[CLUSTER, 1]])
    expect(await budget.remembered(USER, [CLUSTER as never])).toMatchObject([{ credential: 'CURRENT of r-1' }])
  })

  test('and succeeded is forgotten', async () => {
    const { budget, memory } = budgetOf()
    await budget.noteBegun(loginOn([a, b]))
    await budget.noteGood(USER, servers(a, b))
    expect(memory.counts).toEqual([])
  })

  test('is not remembered where the HSM counts', async () => {
    const { budget, memory } = budgetOf()
    await budget.noteBegun(loginOn([a], 0))
    expect(memory.counts).toEqual([])
    await budget.noteRefused(loginOn([a], 0))
    expect(memory.counts).toEqual([[a, 1]])
  })
})

describe('one invocation', () => {
  test('asks no HSM again that refused the user, before it was written', async () => {
    const { budget } = budgetOf(9)
    await refuse(budget, loginOn([a], 0))
    expect([await objectionTo(budget, [a], 0), await objectionTo(budget, [b], 0)]).toEqual(['LOGIN_BUDGET', null])
    await budget.noteChanged(USER, servers(a))
    expect(await objectionTo(budget, [a], 0)).toBeNull()
  })

  test('asks no HSM of a cluster that refused as a whole', async () => {
    const { budget } = budgetOf(9)
    await refuse(budget, loginOn([a, b]))
    expect([await objectionTo(budget, [a], null), await objectionTo(budget, [b], null)]).toEqual([
      'LOGIN_BUDGET',
      'LOGIN_BUDGET',
    ])
  })

  test('and the next one does, as far as the count allows it', async () => {
    const { budget, memory } = budgetOf(9)
    await refuse(budget, loginOn([a], 0))
    expect(await objectionTo(new LoginBudget(9, memory), [a], 1)).toBeNull()
  })
})

describe('a login that nobody heard the answer of', () => {
  test.each([
    ['counts nothing that is shown', null, 'LOGIN_BUDGET'],
    ['shows a failed one', 1, 'LOGIN_BUDGET'],
    ['shows that none failed', 0, null],
  ])('is not made again in the same run where the HSM %s', async (_words, count, expected) => {
    const { budget } = budgetOf()
    budget.noteUnanswered(loginOn([a], count))
    expect(await objectionTo(budget, [a], count)).toBe(expected)
    expect(await objectionTo(budget, [b], count)).toBeNull()
    await budget.noteChanged(USER, servers(a))
    expect(await objectionTo(budget, [a], count)).toBeNull()
  })
})
