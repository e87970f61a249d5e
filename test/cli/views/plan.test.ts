import { expect, test } from '@jest/globals'
import { renderPlan } from '../../../src/cli/views/plan.js'
import { hsm, planOver, rosterOf } from '../../helpers/rotation.js'

test('an HSM that stays behind is no origin of the rehearsal, and no login is counted there', () => {
  // c is the canary, and d its sibling.
  const plan = planOver(rosterOf(2, 2))
  const [whole, without] = [renderPlan(plan), renderPlan(plan, { behind: [hsm('d')] })]
  expect(whole).toContain(`from ${hsm('d')} to ${hsm('c')}`)
  expect(whole).toContain('4 in all')
  expect(without).toContain(`from ${hsm('a')} to ${hsm('c')}`)
  expect(without).toContain('3 in all')
  expect(without).toMatch(new RegExp(`stays behind +${hsm('d')}`))
})
