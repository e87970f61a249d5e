import fc from 'fast-check'
import type { HsmBehaviour } from '../../src/simulator/hsm/behaviour.js'

/** Something about one user on one HSM that was so before anybody came. */
export interface Oddity {
  /** `drifted`: another password; `taken-id`: the user is missing and another one has its ID. */
  readonly kind: 'drifted' | 'missing' | 'taken-id' | 'other-id' | 'failures'
  readonly hsm: number
  readonly user: number
}

/** A clone family. */
export interface FleetSpec {
  /** How many HSMs each cluster has that the operator names; the source is the first. */
  readonly clusters: readonly number[]
  /** HSMs of a member that is not named; 0: there is none. */
  readonly leftOut: number
  readonly users: number
  /** What matters to the management utility. */
  readonly behaviour: Pick<
    HsmBehaviour,
    'syncUserExisting' | 'syncUserMatches' | 'syncUserOntoLoggedIn' | 'loginResetsFailures' | 'syncResetsFailures'
  >
  readonly oddities: readonly Oddity[]
}

/** Counts from 1, the small ones more often. */
const count = (most: number) =>
  fc.oneof(
    { weight: 6, arbitrary: fc.integer({ min: 1, max: 2 }) },
    { weight: 1, arbitrary: fc.integer({ min: 1, max: most }) },
  )

const clusters = fc.oneof(
  { weight: 1, arbitrary: fc.array(count(6), { minLength: 1, maxLength: 1 }) },
  { weight: 20, arbitrary: fc.array(count(6), { minLength: 2, maxLength: 2 }) },
  { weight: 9, arbitrary: fc.array(count(6), { minLength: 3, maxLength: 4 }) },
)

const oddity: fc.Arbitrary<Oddity> = fc.record({
  kind: fc.constantFrom('drifted', 'missing', 'taken-id', 'other-id', 'failures'),
  hsm: fc.nat({ max: 23 }),
  user: fc.nat({ max: 4 }),
})

/** 1 to 4 clusters of 1 to 6 HSMs with 1 to 5 users; seldom so many users that an HSM is spoken to twice at once. */
export const fleetSpec: fc.Arbitrary<FleetSpec> = fc.record({
  clusters,
  leftOut: fc.constantFrom(0, 0, 0, 1),
  users: fc.oneof({ weight: 40, arbitrary: count(5) }, { weight: 1, arbitrary: fc.constant(8) }),
  behaviour: fc.record({
    syncUserExisting: fc.constantFrom('overwrite', 'overwrite', 'refuse', 'ignore'),
    syncUserMatches: fc.constantFrom('id', 'name'),
    syncUserOntoLoggedIn: fc.constantFrom('deny', 'allow'),
    loginResetsFailures: fc.boolean(),
    syncResetsFailures: fc.boolean(),
  }),
  oddities: fc.oneof(
    { weight: 4, arbitrary: fc.constant([]) },
    { weight: 1, arbitrary: fc.array(oddity, { minLength: 1, maxLength: 2 }) },
  ),
})
