import { describe, expect, test } from '@jest/globals'
import { renderDrift, renderUsers } from '../../../src/cli/views/users.js'
import { userDrift } from '../../../src/domain/user-drift.js'
import type { UtilityName } from '../../../src/domain/utility/utility.js'
import { hsm, listed, rosterOf } from '../../helpers/rotation.js'

const AS_ONE = 'cloudhsm-cli lists a cluster as one: what is said of its HSMs may be so of one of them.'
const CLUSTER = 'cluster-aaaaaaaaaaa'

describe('a user that is locked on HSMs of a cluster', () => {
  const roster = rosterOf(3, 1)
  const locked = listed('CU', 'app', { userId: null, loginFailureCount: null, locked: true })
  const free = { ...locked, locked: false }
  const matrix = new Map(roster.map(({ hsmId, role }) => [hsmId, [role === 'source' ? locked : free]]))
  const drift = (utility: UtilityName) =>
    renderDrift(userDrift(matrix, { roster, utility, lockoutLimit: 5 }), [], { roster, utility }, 'merged.cfg')
  const rows = (words: string) => words.split('\n').filter((line) => line.includes('CU:app') && line.includes('true'))

  test('by cloudhsm-cli is one line of the cluster, and names no HSM', () => {
    const words = drift('cloudhsm-cli')
    expect(rows(words)).toEqual([expect.stringMatching(new RegExp(`^CU:app +${CLUSTER} +locked +false +true$`))])
    expect(words).toContain(AS_ONE)
    expect(words).not.toContain(hsm('a'))
  })

  test('by CMU is a line for each HSM', () => {
    const words = drift('cmu')
    expect(rows(words)).toHaveLength(3)
    expect(words).toContain(hsm('b'))
    expect(words).not.toContain('as one')
  })

  test('users list says of what it shows such a user, where a cluster has several HSMs', () => {
    expect(renderUsers({ roster, utility: 'cloudhsm-cli' }, matrix)).toContain(AS_ONE)
    expect(renderUsers({ roster, utility: 'cmu' }, matrix)).not.toContain('as one')
    expect(renderUsers({ roster: rosterOf(1, 1), utility: 'cloudhsm-cli' }, matrix)).not.toContain('as one')
  })
})
