import { parseFleet } from '../../src/simulator/fleet/read-fleet.js'
import type { BoundaryChoice } from './boundary.js'

/** A cluster of a variant. */
interface VariantCluster {
  readonly hsmType: 'hsm1.medium' | 'hsm2m.medium'
  readonly hsms: number
}

/** What befell HSMs after a rotation was through, to each of its users. */
interface OutOfStep {
  /** Somebody changed the password there; on all of them to the same one. */
  readonly drifted: readonly number[]
  /** Somebody deleted the user there. */
  readonly lacking: readonly number[]
}

/** One way a rotation can go, and so one section of the table. */
export interface Variant {
  readonly name: string
  /** The source first. Their types decide which utility is used. */
  readonly clusters: readonly [VariantCluster, ...VariantCluster[]]
  /** What one write of that utility reaches. */
  readonly unit: 'hsm' | 'cluster'
  /** Names of the crypto users that are rotated in one run. */
  readonly users: readonly string[]
  /** What a copy does to a user that exists with another password; `ignore` reports success and does nothing. */
  readonly copy: 'overwrite' | 'refuse' | 'ignore'
  /** Further switches of the simulator. */
  readonly behaviour: Readonly<Record<string, unknown>>
  /** Whether the run is given the current password, which is a way back of its own. */
  readonly currentKnown: boolean
  /** Which commands are killed. */
  readonly killed: readonly ('start' | 'rollback' | 'resume' | 'repair')[]
  /** HSMs that a repair finds out of step, by their place among all, cluster by cluster, counted from 0. */
  readonly outOfStep: OutOfStep
  /** Whether a repair works on one HSM after the other, so that there are states in which only some are written. */
  readonly oneByOne: boolean
  /** At which boundaries. */
  readonly boundaries: Exclude<BoundaryChoice, 'all-and-torn'>
}

const hsm1 = (hsms: number): VariantCluster => ({ hsmType: 'hsm1.medium', hsms })
const hsm2m = (hsms: number): VariantCluster => ({ hsmType: 'hsm2m.medium', hsms })

/** The smallest fleet of cloudhsm_mgmt_util. */
export const SMALLEST_CMU: Variant = {
  name: 'cmu, 1+1: syncUser overwrites',
  clusters: [hsm1(1), hsm1(1)],
  unit: 'hsm',
  users: ['app_crypto'],
  copy: 'overwrite',
  behaviour: { syncUserMatches: 'id' },
  currentKnown: false,
  killed: ['start', 'rollback', 'resume'],
  outOfStep: { drifted: [], lacking: [] },
  oneByOne: false,
  boundaries: 'all',
}

/** The smallest fleet of cloudhsm-cli. */
export const SMALLEST_CLI: Variant = {
  ...SMALLEST_CMU,
  name: 'cloudhsm-cli, 1+1: replicate overwrites',
  clusters: [hsm2m(1), hsm2m(1)],
  unit: 'cluster',
  behaviour: {},
}

const CMU = { ...SMALLEST_CMU, boundaries: 'effects' } as const
const CLI = { ...SMALLEST_CLI, boundaries: 'effects' } as const

/** The copy is refused with a new password only, and by then nothing can give the old one back. */
export const REPLICATE_REFUSES: Variant = {
  ...CLI,
  name: 'cloudhsm-cli, 1+1: replicate refuses',
  copy: 'refuse',
  killed: ['start'],
}

const TWO_USERS = ['app_crypto', 'app_batch'] as const

/**
 * All of them, the smallest of each utility first; numbers of HSMs, cluster by cluster. For both utilities together they
 * have every reading of a copy, with and without a way back of the run's own, something to do in every stage, and a repair.
 */
export const VARIANTS: readonly Variant[] = [
  SMALLEST_CMU,
  {
    ...CMU,
    name: 'cmu, 2+1, two users: syncUser overwrites',
    clusters: [hsm1(2), hsm1(1)],
    users: TWO_USERS,
    killed: ['start', 'rollback'],
  },
  {
    ...CMU,
    name: 'cmu, one cluster of 3: syncUser overwrites',
    clusters: [hsm1(3)],
    killed: ['start', 'rollback'],
  },
  {
    ...CMU,
    name: 'cmu, 1+1, old password known: syncUser refuses',
    copy: 'refuse',
    currentKnown: true,
    killed: ['start', 'rollback'],
  },
  {
    ...CMU,
    name: 'cmu, 1+3, old password known: syncUser does nothing',
    clusters: [hsm1(1), hsm1(3)],
    copy: 'ignore',
    currentKnown: true,
    killed: ['start'],
  },
  { ...CMU, name: 'cmu, 1+1: syncUser does nothing', copy: 'ignore', killed: ['start'] },
  SMALLEST_CLI,
  {
    ...CLI,
    name: 'cloudhsm-cli, 2+1+1, two users: replicate overwrites',
    clusters: [hsm2m(2), hsm2m(1), hsm2m(1)],
    users: TWO_USERS,
    killed: ['start', 'rollback'],
  },
  {
    ...CLI,
    name: 'cloudhsm-cli, 2+1 proved one by one, old password known: replicate refuses',
    clusters: [hsm2m(2), hsm2m(1)],
    copy: 'refuse',
    behaviour: { cliDiscovery: false },
    currentKnown: true,
    killed: ['start', 'rollback'],
  },
  {
    ...CLI,
    name: 'cloudhsm-cli, 1+1+1+1, old password known: replicate does nothing',
    clusters: [hsm2m(1), hsm2m(1), hsm2m(1), hsm2m(1)],
    copy: 'ignore',
    currentKnown: true,
    killed: ['start'],
  },
  REPLICATE_REFUSES,
  {
    ...CLI,
    name: 'cloudhsm-cli, one cluster of 2, old password known: nothing is replicated',
    clusters: [hsm2m(2)],
    currentKnown: true,
    killed: ['start', 'rollback'],
  },
  {
    ...CLI,
    name: 'cloudhsm-cli, hsm1.medium 1 + hsm2m.medium 1, old password known: nothing is replicated',
    clusters: [hsm1(1), hsm2m(1)],
    currentKnown: true,
    killed: ['start'],
  },
  {
    ...CMU,
    name: 'cmu, 1+3, repair: one drifted, one lacks the user, one is right',
    clusters: [hsm1(1), hsm1(3)],
    killed: ['repair'],
    outOfStep: { drifted: [1], lacking: [2] },
  },
  {
    ...CMU,
    name: 'cmu, 1+3, repair one by one: two drifted, one lacks the user',
    clusters: [hsm1(1), hsm1(3)],
    killed: ['repair'],
    outOfStep: { drifted: [1, 3], lacking: [2] },
    oneByOne: true,
  },
  {
    ...CLI,
    name: 'cloudhsm-cli, 1+2, repair: one drifted',
    clusters: [hsm2m(1), hsm2m(2)],
    killed: ['repair'],
    outOfStep: { drifted: [1], lacking: [] },
  },
]

/** How many HSMs a variant has in all. */
export const hsmsOf = ({ clusters }: Variant): number => clusters.reduce((sum, { hsms }) => sum + hsms, 0)

/** How many units it has: what is written one after the other. */
export const unitsOf = (variant: Variant): number =>
  variant.unit === 'hsm' ? hsmsOf(variant) : variant.clusters.length

export const OFFICER_PASSWORD = 'TEST-officer-crash'
export const OLD_PASSWORD = 'TEST-old-crash'
export const NEW_PASSWORD = 'TEST-new-crash'
export const DRIFTED_PASSWORD = 'TEST-drifted-crash'

const PLACES = [
  { region: 'us-east-1', clusterId: 'cluster-aaaaaaaaaaa' },
  { region: 'eu-west-1', clusterId: 'cluster-bbbbbbbbbbb' },
  { region: 'ap-southeast-2', clusterId: 'cluster-ccccccccccc' },
  { region: 'eu-central-1', clusterId: 'cluster-ddddddddddd' },
] as const

const placed = ({ clusters }: Variant) =>
  clusters.flatMap((cluster, index) => {
    const place = PLACES[index]
    return place === undefined ? [] : [{ ...cluster, ...place }]
  })

/** Its clusters as the command line names them, the source first. */
export const clusterRefs = (variant: Variant): readonly string[] =>
  placed(variant).map(({ region, clusterId }) => `${region}/${clusterId}`)

/** The Regions of its clusters. */
export const regionsOf = (variant: Variant): readonly string[] => placed(variant).map(({ region }) => region)

/** The fleet of a variant, as a fleet file would say it. */
export const fleetOf = (variant: Variant): ReturnType<typeof parseFleet> => {
  const [source] = PLACES
  const { users, copy, behaviour } = variant
  return parseFleet(
    JSON.stringify({
      version: 1,
      families: [
        {
          name: 'crash',
          users: [
            { type: 'CO', name: 'admin', password: OFFICER_PASSWORD },
            ...users.map((name) => ({ type: 'CU', name, password: OLD_PASSWORD })),
          ],
          clusters: placed(variant).map((cluster, index) => ({
            ...cluster,
            ...(index === 0 ? {} : { clonedFrom: source.clusterId }),
          })),
        },
      ],
      behaviour: { ...behaviour, syncUserExisting: copy, userReplicateExisting: copy },
    }),
  )
}
