/** A clone family in the fleet of a test: a source in us-east-1 and a destination in eu-west-1. */
export interface TestFamily {
  readonly source: string
  readonly destination: string
  /** A second destination, where there is one. */
  readonly third?: string
  /** As it stands in a fleet file. */
  readonly spec: object
}

/** A cluster without clones: nothing but a source in us-east-1. */
export type SingleFamily = Pick<TestFamily, 'source' | 'spec'>

export interface FamilyOptions {
  /** HSMs of the source: how many (1 unless given), or a list as in a fleet file. */
  readonly source?: number | readonly object[]
  readonly destination?: number | readonly object[]
  /** Beside the officers and the two crypto users, or in the place of one of them. */
  readonly users?: readonly { readonly name: string }[]
  /** Whether the destination was made from the source's backup. */
  readonly cloned?: boolean
  /** Written over the entry of the cluster. */
  readonly destinationFields?: object
  /** Written over the source's entry. */
  readonly sourceFields?: object
  /** HSMs of a second destination in ap-south-1; without it there is none. */
  readonly third?: number | readonly object[]
  /** Written over its entry. */
  readonly thirdFields?: object
  /** Of every cluster; `hsm1.medium` unless given. */
  readonly hsmType?: string
}

export const OFFICER_PASSWORD = 'TEST-officer-1'
export const OLD_PASSWORD = 'TEST-old-1'
export const OLD_BATCH_PASSWORD = 'TEST-old-2'

const USERS = [
  { type: 'CO', name: 'admin', password: OFFICER_PASSWORD },
  { type: 'CO', name: 'second_officer', password: 'TEST-officer-2' },
  { type: 'CU', name: 'app_crypto', password: OLD_PASSWORD },
  { type: 'CU', name: 'app_batch', password: OLD_BATCH_PASSWORD },
]

/**
 * A family of its own for one test, so that tests share a simulator without disturbing each other.
 * @param name up to eleven letters, part of the cluster IDs
 */
export const testFamily = (name: string, options: FamilyOptions = {}): TestFamily => {
  const { source = 1, destination = 1, users: others = [], cloned = true } = options
  const { destinationFields = {}, sourceFields = {}, third, thirdFields = {}, hsmType = 'hsm1.medium' } = options
  const sourceId = `cluster-${name.padEnd(11, 'x')}src`
  const destinationId = `cluster-${name.padEnd(11, 'x')}dst`
  const thirdId = `cluster-${name.padEnd(11, 'x')}trd`
  const clusters = [
    { clusterId: sourceId, region: 'us-east-1', hsmType, hsms: source, ...sourceFields },
    {
      clusterId: destinationId,
      region: 'eu-west-1',
      hsmType,
      hsms: destination,
      ...(cloned ? { clonedFrom: sourceId } : {}),
      ...destinationFields,
    },
    ...(third === undefined
      ? []
      : [{ clusterId: thirdId, region: 'ap-south-1', hsmType, hsms: third, clonedFrom: sourceId, ...thirdFields }]),
  ]
  return {
    source: `us-east-1/${sourceId}`,
    destination: `eu-west-1/${destinationId}`,
    ...(third === undefined ? {} : { third: `ap-south-1/${thirdId}` }),
    spec: { name, users: usersWith(others), clusters },
  }
}

/**
 * A family of one cluster.
 * @param name up to eleven letters, part of the cluster ID
 */
export const singleFamily = (
  name: string,
  { source = 1, users = [], hsmType = 'hsm1.medium' }: Pick<FamilyOptions, 'source' | 'users' | 'hsmType'> = {},
): SingleFamily => {
  const clusterId = `cluster-${name.padEnd(11, 'x')}one`
  const clusters = [{ clusterId, region: 'us-east-1', hsmType, hsms: source }]
  return { source: `us-east-1/${clusterId}`, spec: { name, users: usersWith(users), clusters } }
}

const usersWith = (others: readonly { readonly name: string }[]) => [
  ...USERS.filter((user) => others.every((other) => other.name !== user.name)),
  ...others,
]

/** A fleet of families. @param settings written beside them, e.g. `behaviour` */
export const fleetOf = (families: readonly Pick<TestFamily, 'spec'>[], settings: object = {}): object => ({
  version: 1,
  families: families.map(({ spec }) => spec),
  ...settings,
})
