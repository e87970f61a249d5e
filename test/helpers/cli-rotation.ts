import { expect } from '@jest/globals'
import type { Ended } from './lockstep.js'
import { type FamilyOptions, type TestFamily, testFamily } from './payments.js'
import { NEW_PASSWORD, type Workplace } from './workplace.js'

export const USER = 'CU:app_crypto'

/** A family of hsm2m.medium clusters: two HSMs in the source, one in the destination, unless said otherwise. */
export const cliFamily = (name: string, options: FamilyOptions = {}): TestFamily =>
  testFamily(name, { hsmType: 'hsm2m.medium', source: 2, ...options })

/** The rotation is over, each cell was proved by a login on its whole cluster, and the HSMs say the same. */
export const expectCompleted = async (
  place: Workplace,
  ended: Ended,
  propagation: 'sync' | 'change',
  evidence: 'hsm' | 'cluster' = 'cluster',
): Promise<void> => {
  const { json } = ended
  expect([json.error, json.outcome, json.stage, json.utility, json.propagation, ended.exitCode]).toEqual([
    undefined,
    'completed',
    null,
    'cloudhsm-cli',
    propagation,
    0,
  ])
  const sizes = new Map(json.coverage.map((one: { clusterId: string; total: number }) => [one.clusterId, one.total]))
  for (const cell of json.cells) {
    const alone = sizes.get(cell.clusterId) === 1
    expect(cell).toMatchObject({ state: 'new', proof: 'login-new', evidence: alone ? 'hsm' : evidence })
  }
  expect(new Set(await place.holds(USER, NEW_PASSWORD))).toEqual(new Set([true]))
  expect((await place.stored('pending')) ?? null).toBeNull()
}

/** Where the user's failed logins stand, HSM by HSM in the order of the roster. */
export const failuresOf = async (place: Workplace): Promise<readonly (number | undefined)[]> =>
  (await place.truth()).map(({ users }) => users.find(({ name }) => name === 'app_crypto')?.failures)

/** Cell states of a document in the order of the roster. */
export const statesOf = (document: { readonly cells: readonly { readonly state: string }[] }): readonly string[] =>
  document.cells.map(({ state }) => state)
