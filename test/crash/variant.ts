/** One way a rotation can go, and so one section of the table. */
export interface Variant {
  readonly name: string
  /** HSMs of the source and of the destination cluster. */
  readonly hsms: readonly [source: number, destination: number]
  /** Names of the crypto users that are rotated in one run. */
  readonly users: readonly string[]
  readonly syncUserExisting: 'overwrite' | 'refuse' | 'ignore'
  /** Whether the run is given the current password, which is a way back of its own. */
  readonly currentKnown: boolean
  /** Which commands are killed. */
  readonly killed: readonly ('start' | 'rollback' | 'resume')[]
}

export const SMALLEST: Variant = {
  name: 'sync, 1+1 HSMs',
  hsms: [1, 1],
  users: ['app_crypto'],
  syncUserExisting: 'overwrite',
  currentKnown: false,
  killed: ['start', 'rollback', 'resume'],
}

/** All of them, the smallest first. */
export const VARIANTS: readonly Variant[] = [
  SMALLEST,
  {
    ...SMALLEST,
    name: 'sync, 2+1 HSMs, two users',
    hsms: [2, 1],
    users: ['app_crypto', 'app_batch'],
    killed: ['start', 'rollback'],
  },
  {
    ...SMALLEST,
    name: 'change, 1+1 HSMs: syncUser refuses, the old password is known',
    syncUserExisting: 'refuse',
    currentKnown: true,
    killed: ['start', 'rollback'],
  },
  {
    ...SMALLEST,
    name: 'change, 1+2 HSMs: syncUser does nothing, the old password is known',
    hsms: [1, 2],
    syncUserExisting: 'ignore',
    currentKnown: true,
    killed: ['start'],
  },
  {
    ...SMALLEST,
    name: 'sync, 1+2 HSMs: the old password is known',
    hsms: [1, 2],
    currentKnown: true,
    killed: ['rollback'],
  },
]

export const OFFICER_PASSWORD = 'TEST-officer-crash'
export const OLD_PASSWORD = 'TEST-old-crash'
export const NEW_PASSWORD = 'TEST-new-crash'
export const SOURCE = 'us-east-1/cluster-aaaaaaaaaaa'
export const DESTINATION = 'eu-west-1/cluster-bbbbbbbbbbb'

/** The fleet of a variant, as a fleet file would say it. */
export const fleetOf = ({ hsms, users, syncUserExisting }: Variant): object => ({
  version: 1,
  families: [
    {
      name: 'crash',
      users: [
        { type: 'CO', name: 'admin', password: OFFICER_PASSWORD },
        ...users.map((name) => ({ type: 'CU', name, password: OLD_PASSWORD })),
      ],
      clusters: [
        { clusterId: SOURCE.split('/')[1], region: 'us-east-1', hsmType: 'hsm1.medium', hsms: hsms[0] },
        {
          clusterId: DESTINATION.split('/')[1],
          region: 'eu-west-1',
          hsmType: 'hsm1.medium',
          hsms: hsms[1],
          clonedFrom: SOURCE.split('/')[1],
        },
      ],
    },
  ],
  behaviour: { syncUserExisting, syncUserMatches: 'id' },
})
