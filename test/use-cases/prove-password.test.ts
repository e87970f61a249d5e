import { describe, expect, test } from '@jest/globals'
import { renderProofs } from '../../src/cli/views/users.js'
import type { HsmConsole } from '../../src/domain/hsm-console.js'
import { LoginBudget } from '../../src/domain/rotation/login-budget.js'
import { Secret } from '../../src/domain/secret.js'
import { provePassword } from '../../src/use-cases/prove-password.js'
import { MemoryRefusedLogins } from '../helpers/memory-refused-logins.js'
import { consoleWithOneOdd } from '../helpers/one-odd-hsm.js'
import { hsm, rosterOf } from '../helpers/rotation.js'

const PASSWORD = 'TEST-SECRET-prove'
/** Two HSMs in the first cluster, one in the second. */
const roster = rosterOf(2, 1)

const prove = (console: HsmConsole) =>
  provePassword(console, roster, { type: 'CU', name: 'app' }, new Secret(PASSWORD), {
    concurrency: 4,
    budget: new LoginBudget(5, new MemoryRefusedLogins()),
  })

describe('users prove', () => {
  test('a cluster that refuses says of none of its HSMs that it does not hold the password', async () => {
    const console = consoleWithOneOdd(roster, 'cloudhsm-cli', hsm('b'))
    const proofs = await prove(console)
    const reason = 'the cluster refused it; which of its HSMs is not known: Account error'
    expect(proofs).toMatchObject([
      { hsmId: hsm('a'), match: null, evidence: 'cluster', reason },
      { hsmId: hsm('b'), match: null, evidence: 'cluster', reason },
      { hsmId: hsm('c'), match: true, evidence: 'hsm', reason: null },
    ])
    expect(console.logins).toHaveLength(2)
    expect(renderProofs(proofs)).toMatch(new RegExp(`${hsm('a')} +unknown +the cluster refused it; which of its HSMs`))
  })

  test('a cluster of one HSM that refuses is that HSM', async () => {
    const proofs = await prove(consoleWithOneOdd(roster, 'cloudhsm-cli', hsm('c')))
    expect(proofs.map(({ match, evidence }) => [match, evidence])).toEqual([
      [true, 'cluster'],
      [true, 'cluster'],
      [false, 'hsm'],
    ])
    expect(renderProofs(proofs)).toMatch(new RegExp(`${hsm('a')} +yes \\(cluster\\)`))
  })

  test('where each HSM is asked alone, the one that refuses is named', async () => {
    const proofs = await prove(consoleWithOneOdd(roster, 'cmu', hsm('b')))
    expect(proofs.map(({ match, evidence }) => [match, evidence])).toEqual([
      [true, 'hsm'],
      [false, 'hsm'],
      [true, 'hsm'],
    ])
  })
})
