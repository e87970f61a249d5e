import fc from 'fast-check'
import type { UtilityName } from '../../src/domain/utility/utility.js'
import type { CliSettings } from '../../src/simulator/cloudhsm-cli/settings.js'
import type { HsmBehaviour } from '../../src/simulator/hsm/behaviour.js'

/** Something about one user on one HSM that was so before anybody came. */
export interface Oddity {
  /** `drifted`: another password; `taken-id`: the user is missing and another one has its ID. */
  readonly kind: 'drifted' | 'missing' | 'taken-id' | 'other-id' | 'failures'
  readonly hsm: number
  readonly user: number
}

/** What nobody knows of cloudhsm-cli and can therefore be switched. */
export type CliReadings = Pick<
  CliSettings,
  'cliVersion' | 'cliConfigOption' | 'cliDiscovery' | 'cliUnreachable' | 'cliLoginRefusedByOne' | 'cliLostInHsmInfo'
>

/** A clone family. */
export interface FleetSpec {
  readonly utility: UtilityName
  /** Whether one officer does the work everywhere, or each cluster has its own. */
  readonly officers: 'one' | 'each'
  /** How many HSMs each cluster has that the operator names; the source is the first. */
  readonly clusters: readonly number[]
  /** HSMs of a member that is not named; 0: there is none. */
  readonly leftOut: number
  readonly users: number
  /** The failed login that locks a user. */
  readonly lockoutLimit: number
  /** Each cluster was given its passwords by itself, so that they are equal and not copies of each other. */
  readonly recordsDiffer: boolean
  /** What matters to the utilities. */
  readonly behaviour: Pick<
    HsmBehaviour,
    | 'syncUserExisting'
    | 'syncUserMatches'
    | 'syncUserOntoLoggedIn'
    | 'userReplicateExisting'
    | 'loginResetsFailures'
    | 'syncResetsFailures'
  >
  readonly cli: CliReadings
  /** The cluster that consists of hsm1.medium HSMs where all others are hsm2m.medium: cloudhsm-cli drives both. */
  readonly olderCluster: number | null
  readonly oddities: readonly Oddity[]
}

/** HSMs of a cluster: often one or two, and often three and more, of which one can be away while others are there. */
const size = fc.oneof(
  { weight: 5, arbitrary: fc.integer({ min: 1, max: 2 }) },
  { weight: 3, arbitrary: fc.integer({ min: 3, max: 4 }) },
  { weight: 1, arbitrary: fc.integer({ min: 1, max: 6 }) },
)

const clusters = fc.oneof(
  { weight: 4, arbitrary: fc.array(size, { minLength: 1, maxLength: 1 }) },
  { weight: 18, arbitrary: fc.array(size, { minLength: 2, maxLength: 2 }) },
  { weight: 8, arbitrary: fc.array(size, { minLength: 3, maxLength: 4 }) },
)

/** Counts from 1, the small ones more often. */
const count = (most: number) =>
  fc.oneof(
    { weight: 6, arbitrary: fc.integer({ min: 1, max: 2 }) },
    { weight: 1, arbitrary: fc.integer({ min: 1, max: most }) },
  )

const oddity: fc.Arbitrary<Oddity> = fc.record({
  kind: fc.constantFrom('drifted', 'drifted', 'missing', 'taken-id', 'other-id', 'failures'),
  hsm: fc.nat({ max: 23 }),
  user: fc.nat({ max: 4 }),
})

const EXISTING = fc.constantFrom('overwrite', 'overwrite', 'refuse', 'ignore')

/** What cloudhsm-cli does unless a story draws something else. */
export const USUAL_CLI: CliReadings = {
  cliVersion: '5.17.1',
  cliConfigOption: true,
  cliDiscovery: true,
  cliUnreachable: 'skip',
  cliLoginRefusedByOne: 'failure',
  cliLostInHsmInfo: 'left-out',
}

const cliReadings: fc.Arbitrary<CliReadings> = fc.record({
  // The second one cannot copy users.
  cliVersion: fc.constantFrom('5.17.1', '5.17.1', '5.17.1', '5.17.1', '5.14.0'),
  cliConfigOption: fc.constantFrom(true, true, true, false),
  cliDiscovery: fc.boolean(),
  cliUnreachable: fc.constantFrom('skip', 'fail'),
  cliLoginRefusedByOne: fc.constantFrom('failure', 'failure', 'success'),
  cliLostInHsmInfo: fc.constantFrom('left-out', 'listed'),
})

const ONE_KIND = fc.constant(null)

/** Something is odd, always. */
export const SOME_ODDITIES: fc.Arbitrary<readonly Oddity[]> = fc.array(oddity, { minLength: 1, maxLength: 3 })

const FEW_ODDITIES: fc.Arbitrary<readonly Oddity[]> = fc.oneof(
  { weight: 4, arbitrary: fc.constant([]) },
  { weight: 1, arbitrary: fc.array(oddity, { minLength: 1, maxLength: 2 }) },
)

/** 1 to 4 clusters of 1 to 6 HSMs with 1 to 5 users; seldom so many users that an HSM is spoken to twice at once. */
export const fleetSpec = (utility: UtilityName, oddities = FEW_ODDITIES): fc.Arbitrary<FleetSpec> =>
  fc.record({
    utility: fc.constant(utility),
    clusters,
    leftOut: fc.constantFrom(0, 0, 0, 1),
    users: fc.oneof({ weight: 40, arbitrary: count(5) }, { weight: 1, arbitrary: fc.constant(8) }),
    officers: fc.constantFrom('one', 'one', 'one', 'each'),
    lockoutLimit: fc.constantFrom(5, 5, 5, 5, 3),
    recordsDiffer: fc.constantFrom(false, false, true),
    behaviour: fc.record({
      syncUserExisting: EXISTING,
      syncUserMatches: fc.constantFrom('id', 'name'),
      syncUserOntoLoggedIn: fc.constantFrom('deny', 'allow'),
      userReplicateExisting: EXISTING,
      loginResetsFailures: fc.boolean(),
      syncResetsFailures: fc.boolean(),
    }),
    cli: utility === 'cmu' ? fc.constant(USUAL_CLI) : cliReadings,
    olderCluster:
      utility === 'cmu'
        ? ONE_KIND
        : fc.oneof({ weight: 9, arbitrary: ONE_KIND }, { weight: 1, arbitrary: fc.nat({ max: 3 }) }),
    oddities,
  })
