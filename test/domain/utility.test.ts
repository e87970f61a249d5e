import { describe, expect, test } from '@jest/globals'
import type { Cluster } from '../../src/domain/cluster.js'
import { chooseUtility } from '../../src/domain/utility/utility.js'
import { twoClones } from '../helpers/clusters.js'
import { operatorErrorOf } from '../helpers/errors.js'

const { a, b } = twoClones()
const newer = (cluster: Cluster): Cluster => ({ ...cluster, hsmType: 'hsm2m.medium' })

describe('the utility for clusters', () => {
  test.each([
    ['auto', [a, b], 'cmu'],
    ['auto', [newer(a), newer(b)], 'cloudhsm-cli'],
    ['auto', [{ ...a, hsmType: 'hsm9.large' }], 'cloudhsm-cli'],
    ['cmu', [a, b], 'cmu'],
    ['cloudhsm-cli', [a, b], 'cloudhsm-cli'],
  ] as const)('%s', (choice, clusters, utility) => {
    expect(chooseUtility(choice, clusters)).toEqual({ utility, warnings: [] })
  })

  test('clusters of both types are driven by cloudhsm-cli, with a warning', () => {
    const warning =
      'the clusters differ in their HSM type (us-east-1/cluster-aaaaaaaaaaa hsm1.medium, eu-west-1/cluster-bbbbbbbbbbb hsm2m.medium): AWS does not support replicating a user from hsm2m.medium to hsm1.medium'
    for (const choice of ['auto', 'cloudhsm-cli'] as const) {
      expect(chooseUtility(choice, [a, newer(b)])).toEqual({ utility: 'cloudhsm-cli', warnings: [warning] })
    }
  })

  test('cmu is refused where it cannot work', async () => {
    const error = await operatorErrorOf(() => chooseUtility('cmu', [a, newer(b)]))
    expect([error.code, error.exitCode]).toEqual(['HSM_TYPE_NOT_SUPPORTED', 3])
    expect(error.message).toBe(
      'cluster eu-west-1/cluster-bbbbbbbbbbb consists of hsm2m.medium HSMs, and the management utility works with hsm1.medium only',
    )
    expect(error.suggestions[0]).toContain('--utility cloudhsm-cli')
  })
})
