import { describe, expect, test } from '@jest/globals'
import { driftAdvice } from '../../src/domain/drift-advice.js'
import type { HsmUser } from '../../src/domain/hsm-user.js'
import type { HsmId } from '../../src/domain/ids.js'
import { userDrift } from '../../src/domain/user-drift.js'
import type { UtilityName } from '../../src/domain/utility/utility.js'
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
const advise = (listings: Readonly<Record<HsmId, readonly HsmUser[]>>, utility: UtilityName = 'cmu') => {
  const matrix = new Map(roster.map(({ hsmId }) => [hsmId, listings[hsmId] ?? []]))
  return driftAdvice({ differences: userDrift(matrix), matrix, roster, clusters, utility })
}
const app = listed('CU', 'app')
const batch = listed('CU', 'batch', { userId: 5 })
const admin = listed('CO', 'admin', { userId: 1 })
const CLUSTERS = `--source us-east-1/cluster-${'a'.repeat(11)} --destination prod:eu-west-1/cluster-${'b'.repeat(11)}`
const OFFICER = '--password prompt --officer NAME --officer-password prompt'

describe('advice about users that differ', () => {
  test('there is none where nothing does', () => {
    expect(advise({ [A]: [app], [B]: [app], [C]: [app] })).toEqual([])
  })

  test('failed logins are somebody else’s doing', () => {
    expect(advise({ [A]: [app], [B]: [app], [C]: [{ ...app, loginFailureCount: 2 }] })).toEqual([])
  })

  test('a user that is missing is copied by a repair, from an HSM that has it', () => {
    expect(advise({ [A]: [], [B]: [app], [C]: [app] })).toEqual([
      { users: ['CU:app'], steps: [`lockstep users repair ${CLUSTERS} --user CU:app --from ${B} ${OFFICER}`] },
    ])
  })

  test('several are taken along by one repair where one HSM has them all, and by as few as there have to be', () => {
    expect(advise({ [A]: [app, batch], [B]: [app], [C]: [] }).map(({ users }) => users)).toEqual([
      ['CU:batch', 'CU:app'],
    ])
    expect(advise({ [A]: [app], [B]: [batch], [C]: [] }).map(({ users }) => users)).toEqual([['CU:app'], ['CU:batch']])
  })

  test('by cloudhsm-cli from a cluster that has it on every HSM; one that is all there is is finished by hand', () => {
    const partly = { ...app, userId: null, inconsistent: ['cluster-coverage'] }
    const whole = { ...app, userId: null }
    const [{ steps: [step = ''] = [] } = {}] = advise({ [A]: [partly], [B]: [partly], [C]: [whole] }, 'cloudhsm-cli')
    expect(step).toContain(`--from prod:eu-west-1/cluster-${'b'.repeat(11)} `)
    const [{ steps: [byHand = ''] = [] } = {}] = advise({ [A]: [partly], [B]: [partly], [C]: [partly] }, 'cloudhsm-cli')
    expect(byHand).toMatch(/^coverage: .*user create --username app --role crypto-user/)
  })

  test.each([
    ['a second factor', { twoFactor: true }],
    ['a quorum key', { mofnPubKey: true }],
  ])('no repair is advised that would be refused: with %s a missing user is copied by hand', (_, more) => {
    const [{ steps = [] } = {}] = advise({ [A]: [{ ...app, ...more }], [B]: [{ ...app, ...more }], [C]: [] })
    expect(steps.join()).toContain('syncUser')
    expect(steps.join()).not.toContain('lockstep users repair')
  })

  test('kmsuser needs its flag, and the user of the service is left alone', () => {
    const kms = listed('CU', 'kmsuser')
    expect(advise({ [A]: [kms], [B]: [kms], [C]: [] })[0]?.steps[0]).toContain('--allow-kmsuser')
    expect(advise({ [A]: [listed('AU', 'app_user')], [B]: [], [C]: [] })).toEqual([])
  })

  test('officers come first, then role alone, or lock, second factor and quorum key in this order', () => {
    const odd = { locked: true, twoFactor: true, mofnPubKey: true }
    const advice = advise(
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
