import type { UtilityName } from '../../src/domain/utility/utility.js'
import { type FleetSpec, USUAL_CLI } from './fleet-arbitrary.js'
import type { Wishes } from './story-arbitrary.js'

/** A small fleet under one reading, and what the operator knows. */
export interface Setting {
  readonly name: string
  readonly fleet: FleetSpec
  readonly wishes: Wishes
}

type Change = (setting: Setting) => Setting

/** One thing that may be so or otherwise, in words. */
type Switch = readonly (readonly [words: string, change: Change])[]

const onFleet =
  (more: Partial<FleetSpec>): Change =>
  (setting) => ({ ...setting, fleet: { ...setting.fleet, ...more } })
const onBehaviour =
  (more: Partial<FleetSpec['behaviour']>): Change =>
  ({ fleet, ...setting }) => ({ ...setting, fleet: { ...fleet, behaviour: { ...fleet.behaviour, ...more } } })
const onCli =
  (more: Partial<FleetSpec['cli']>): Change =>
  ({ fleet, ...setting }) => ({ ...setting, fleet: { ...fleet, cli: { ...fleet.cli, ...more } } })
const onWishes =
  (more: Partial<Wishes>): Change =>
  (setting) => ({ ...setting, wishes: { ...setting.wishes, ...more } })

const EXISTING = ['overwrite', 'refuse', 'ignore'] as const
const KNOWN = ['unknown', 'given'] as const

/** What matters most, in every combination: what a copy does, and whether the old password is known. */
const CROSSED: readonly Switch[] = [
  EXISTING.map((policy) => [policy, onBehaviour({ syncUserExisting: policy, userReplicateExisting: policy })] as const),
  KNOWN.map((current) => [`current ${current}`, onWishes({ current })] as const),
]

/** How else the HSMs and the utility may be: nobody knows. The first of each is the usual. */
const READINGS: readonly Switch[] = [
  [
    ['', onBehaviour({})],
    ['logins reset', onBehaviour({ loginResetsFailures: true })],
  ],
  [
    ['', onBehaviour({})],
    ['copies reset', onBehaviour({ syncResetsFailures: true })],
  ],
  [
    ['', onBehaviour({})],
    ['onto logged in', onBehaviour({ syncUserOntoLoggedIn: 'allow' })],
  ],
]

const CMU_READINGS: readonly Switch[] = [
  [
    ['', onBehaviour({})],
    ['by name', onBehaviour({ syncUserMatches: 'name' })],
  ],
]

const CLI_READINGS: readonly Switch[] = [
  [
    ['', onCli({})],
    ['5.14.0', onCli({ cliVersion: '5.14.0' })],
  ],
  [
    ['', onCli({})],
    ['no --config', onCli({ cliConfigOption: false })],
  ],
  [
    ['', onCli({})],
    ['no discovery', onCli({ cliDiscovery: false })],
  ],
  [
    ['', onCli({})],
    ['one away fails', onCli({ cliUnreachable: 'fail' })],
  ],
  [
    ['', onCli({})],
    ['one refuses, success', onCli({ cliLoginRefusedByOne: 'success' })],
  ],
  [
    ['', onCli({})],
    ['lost ones listed', onCli({ cliLostInHsmInfo: 'listed' })],
  ],
]

/** How the fleet and the operator may be otherwise. */
const CIRCUMSTANCES: readonly Switch[number][] = [
  ['CURRENT kept', onWishes({ current: 'kept' })],
  ['CURRENT kept wrong', onWishes({ current: 'kept-wrong' })],
  ['a wrong one given', onWishes({ current: 'given-wrong' })],
  ['no way back accepted', onWishes({ acceptNoWayBack: true })],
  ['records differ', onFleet({ recordsDiffer: true })],
  ['an officer for each', onFleet({ officers: 'each' })],
  ['three lock', onFleet({ lockoutLimit: 3 })],
  ['the first one drifted', onFleet({ oddities: [{ kind: 'drifted', hsm: 0, user: 0 }] })],
  ['the last one drifted', onFleet({ oddities: [{ kind: 'drifted', hsm: -1, user: 0 }] })],
]

const CLI_CIRCUMSTANCES: readonly Switch[number][] = [['an older cluster', onFleet({ olderCluster: 0 })]]

const plain = (utility: UtilityName, clusters: readonly number[]): Setting => ({
  name: `${utility} ${clusters.join('+')}`,
  fleet: {
    utility,
    officers: 'one',
    clusters,
    leftOut: 0,
    users: 1,
    lockoutLimit: 5,
    recordsDiffer: false,
    behaviour: {
      syncUserExisting: 'overwrite',
      syncUserMatches: 'id',
      syncUserOntoLoggedIn: 'deny',
      userReplicateExisting: 'overwrite',
      loginResetsFailures: false,
      syncResetsFailures: false,
    },
    cli: USUAL_CLI,
    olderCluster: null,
    oddities: [],
  },
  wishes: {
    current: 'unknown',
    acceptNoWayBack: false,
    createMissing: false,
    concurrency: 2,
    maxErrors: 0,
    drainMs: 0,
    mayStayBehind: null,
  },
})

const named = (setting: Setting, [words, change]: Switch[number]): Setting => {
  const changed = change(setting)
  return words === '' ? changed : { ...changed, name: `${changed.name}, ${words}` }
}

const crossed = (settings: readonly Setting[], switches: readonly Switch[]): readonly Setting[] =>
  switches.reduce<readonly Setting[]>(
    (all, choices) => all.flatMap((setting) => choices.map((choice) => named(setting, choice))),
    settings,
  )

/**
 * Every reading of a fleet: what matters most in every combination, each other thing by itself with the usual rest.
 * @param whole every reading with every other one
 */
export const settingsOf = (utility: UtilityName, clusters: readonly number[], whole: boolean): readonly Setting[] => {
  const isCmu = utility === 'cmu'
  const readings = [...READINGS, ...(isCmu ? CMU_READINGS : CLI_READINGS)]
  const usual = plain(utility, clusters)
  const most = crossed([usual], whole ? [...CROSSED, ...readings] : CROSSED)
  const [first = usual] = most
  const others = whole ? [] : readings.flatMap((choices) => choices.slice(1))
  const circumstances = [...CIRCUMSTANCES, ...(isCmu ? [] : CLI_CIRCUMSTANCES)]
  return [...most, ...[...others, ...circumstances].map((choice) => named(first, choice))]
}
