import { describe, expect, test } from '@jest/globals'
import { driftAdvice } from '../../src/domain/drift-advice.js'
import type { HsmUser } from '../../src/domain/hsm-user.js'
import type { HsmId } from '../../src/domain/ids.js'
import type { LoginPlace } from '../../src/domain/refused-logins.js'
import { LoginBudget } from '../../src/domain/rotation/login-budget.js'
import { userDrift } from '../../src/domain/user-drift.js'
import type { UtilityName } from '../../src/domain/utility/utility.js'
import { whereLoginsAreLeft } from '../../src/use-cases/where-logins-are-left.js'
import { MemoryRefusedLogins } from '../helpers/memory-refused-logins.js'
import { hsm, listed, rosterOf } from '../helpers/rotation.js'

const roster = rosterOf(2, 1)
const [A, B, C] = [hsm('a'), hsm('b'), hsm('c')]
const clusters = [
  { ...roster[0], profile: null },
  { ...roster[2], profile: 'prod' },
].map((one) => ({
  clusterId: one.clusterId ?? roster[0]?.clusterId,
  region: one.region,
  profile: one.profile,
  role: one.role,
})) as Parameters<typeof driftAdvice>[0]['clusters']

/** Advice for users as they are listed on the three HSMs. */
const advise = async (
  listings: Readonly<Record<HsmId, readonly HsmUser[]>>,
  utility: UtilityName = 'cmu',
  refused: readonly LoginPlace[] = [],
  lockoutLimit = 5,
) => {
  const matrix = new Map(roster.map(({ hsmId }) => [hsmId, listings[hsmId] ?? []]))
  const memory = new MemoryRefusedLogins()
  for (const { clusterId, hsmId } of refused)
    for (const _ of [1, 2]) await memory.note(app, [{ clusterId, hsmId }], null)
  const budget = new LoginBudget(lockoutLimit, memory)
  const mayLogIn = await whereLoginsAreLeft([...matrix.values()].flat(), matrix, roster, utility, budget)
  const differences = userDrift(matrix, { roster, utility, lockoutLimit })
  return driftAdvice({ differences, matrix, roster, clusters, utility, lockoutLimit, mayLogIn })
}
const app = listed('CU', 'app')
const batch = listed('CU', 'batch', { userId: 5 })
const admin = listed('CO', 'admin', { userId: 1 })
const CLUSTERS = `--source us-east-1/cluster-${'a'.repeat(11)} --destination prod:eu-west-1/cluster-${'b'.repeat(11)}`
const OFFICER = '--password prompt --officer NAME --officer-password prompt'

describe('advice about users that differ', () => {
  test('there is none where nothing does', async () => {
    expect(await advise({ [A]: [app], [B]: [app], [C]: [app] })).toEqual([])
  })

  test('failed logins are somebody else’s doing', async () => {
    expect(await advise({ [A]: [app], [B]: [app], [C]: [{ ...app, loginFailureCount: 2 }] })).toEqual([])
  })

  test('a user that is missing is copied by a repair, from an HSM that has it', async () => {
    expect(await advise({ [A]: [], [B]: [app], [C]: [app] })).toEqual([
      { users: ['CU:app'], steps: [`lockstep users repair ${CLUSTERS} --user CU:app --from ${B} ${OFFICER}`] },
    ])
  })

  test('several are taken along by one repair where one HSM has them all, and by as few as there have to be', async () => {
    expect((await advise({ [A]: [app, batch], [B]: [app], [C]: [] })).map(({ users }) => users)).toEqual([
      ['CU:batch', 'CU:app'],
    ])
    expect((await advise({ [A]: [app], [B]: [batch], [C]: [] })).map(({ users }) => users)).toEqual([
      ['CU:app'],
      ['CU:batch'],
    ])
  })

  test('by cloudhsm-cli from a cluster that has it on every HSM; one that is all there is is finished by hand', async () => {
    const partly = { ...app, userId: null, inconsistent: ['cluster-coverage'] }
    const whole = { ...app, userId: null }
    const [{ steps: [step = ''] = [] } = {}] = await advise(
      { [A]: [partly], [B]: [partly], [C]: [whole] },
      'cloudhsm-cli',
    )
    expect(step).toContain(`--from prod:eu-west-1/cluster-${'b'.repeat(11)} `)
    const [{ steps: [byHand = ''] = [] } = {}] = await advise(
      { [A]: [partly], [B]: [partly], [C]: [partly] },
      'cloudhsm-cli',
    )
    expect(byHand).toMatch(/^coverage: .*user create --username app --role crypto-user/)
  })

  test.each([
    ['locked', 5],
    ['near its lock-out', 3],
  ])('no origin is named that a repair refuses: not one where the user is %s', async (_, loginFailureCount) => {
    const failing = { ...app, loginFailureCount }
    expect((await advise({ [A]: [failing], [B]: [app], [C]: [] }))[0]?.steps[0]).toContain(`--from ${B} `)
    const [{ steps = [] } = {}] = await advise({ [A]: [failing], [B]: [failing], [C]: [] })
    expect(steps.join()).not.toContain('--from')
    expect(steps).toEqual([
      expect.stringContaining(`lockstep users repair ${CLUSTERS} --user CU:app --to-current --store STORE --officer`),
      expect.stringContaining('changePswd CU app'),
    ])
  })

  test('nor one whose login budget is spent where no listing shows it', async () => {
    const whole = { ...app, userId: null, loginFailureCount: null, locked: false }
    const [{ steps = [] } = {}] = await advise({ [A]: [whole], [B]: [whole], [C]: [] }, 'cloudhsm-cli', [
      { clusterId: roster[0]?.clusterId as never, hsmId: null },
    ])
    expect(steps[0]).toContain('--to-current')
    expect(steps.join()).not.toContain('--from')
  })

  test('by cloudhsm-cli one that is locked here and missing there is repaired from where it is neither', async () => {
    const whole = { ...app, userId: null, loginFailureCount: null, locked: false }
    const locked = { ...whole, locked: true, inconsistent: ['locked', 'cluster-coverage'] }
    const [{ steps = [] } = {}] = await advise({ [A]: [locked], [B]: [locked], [C]: [whole] }, 'cloudhsm-cli')
    expect(steps[0]).toContain(`--from prod:eu-west-1/cluster-${'b'.repeat(11)} `)
  })

  test('one that is locked somewhere is unlocked by hand, or by the repair to what a store keeps', async () => {
    const whole = { ...app, userId: null, loginFailureCount: null, locked: false }
    const locked = { ...whole, locked: true, inconsistent: ['locked'] }
    const [{ steps = [] } = {}] = await advise({ [A]: [locked], [B]: [locked], [C]: [whole] }, 'cloudhsm-cli')
    expect(steps.map((step) => step.split(':')[0])).toEqual(['lock', 'or, where a store keeps its password'])
    expect(steps[1]).toContain(`lockstep users repair ${CLUSTERS} --user CU:app --to-current --store STORE`)
  })

  test('so is one that is locked as far as its count tells; a repair is told another limit', async () => {
    const at = (loginFailureCount: number, limit?: number) => {
      const failing = { ...app, loginFailureCount }
      return advise({ [A]: [app], [B]: [failing], [C]: [app] }, 'cmu', [], limit)
    }
    const [{ steps = [] } = {}] = await at(5)
    expect(steps).toEqual([
      expect.stringMatching(/^lock: changePswd CU app unlocks it/),
      expect.stringContaining(`lockstep users repair ${CLUSTERS} --user CU:app --to-current --store STORE`),
    ])
    expect(steps.join()).not.toContain('--lockout-limit')
    expect(await at(5, 10)).toEqual([])
    expect((await at(10, 10))[0]?.steps[1]).toContain('--user CU:app --lockout-limit 10 --to-current')
  })

  test('no repair is named for a user that no copy brings there: several IDs, or one that another user has', async () => {
    for (const listing of [
      { [A]: [app], [B]: [{ ...app, userId: 9 }], [C]: [] },
      { [A]: [app], [B]: [app], [C]: [listed('CU', 'stranger', { userId: 4 })] },
    ]) {
      const steps = await (await advise(listing))
        .filter(({ users }) => users.includes('CU:app' as never))
        .flatMap((one) => one.steps)
      expect(steps.join()).toContain('createUser CU app')
      expect(steps.join()).not.toContain('lockstep users repair')
    }
  })

  test.each([
    ['a second factor', { twoFactor: true }],
    ['a quorum key', { mofnPubKey: true }],
  ])('no repair is advised that would be refused: with %s a missing user is copied by hand', async (_, more) => {
    const [{ steps = [] } = {}] = await advise({ [A]: [{ ...app, ...more }], [B]: [{ ...app, ...more }], [C]: [] })
    expect(steps.join()).toContain('syncUser')
    expect(steps.join()).not.toContain('lockstep users repair')
  })

  test('kmsuser needs its flag, and the user of the service is left alone', async () => {
    const kms = listed('CU', 'kmsuser')
    expect((await advise({ [A]: [kms], [B]: [kms], [C]: [] }))[0]?.steps[0]).toContain('--allow-kmsuser')
    expect(await advise({ [A]: [listed('AU', 'app_user')], [B]: [], [C]: [] })).toEqual([])
  })

  test('officers come first, then role alone, or lock, second factor and quorum key in this order', async () => {
    const odd = { locked: true, twoFactor: true, mofnPubKey: true }
    const advice = await advise(
      {
        [A]: [batch, app, admin],
        [B]: [batch, app, admin],
        [C]: [
          { ...batch, ...odd },
          { ...app, type: 'CO' },
          { ...admin, ...odd },
        ],
      },
      'cloudhsm-cli',
    )
    expect(advice.map(({ users, steps }) => [users[0], steps.map((step) => step.split(':')[0])])).toEqual([
      ['CO:admin', ['lock', 'second factor', 'quorum key']],
      ['CU:batch', ['lock', 'second factor', 'quorum key']],
      ['CU:app', ['role']],
    ])
  })
})
