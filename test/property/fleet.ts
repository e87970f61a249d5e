import type { Cluster } from '../../src/domain/cluster.js'
import { type HsmUserRef, type UserKey, userKey } from '../../src/domain/hsm-user.js'
import type { ClusterId, EniIp, HsmId, RegionName } from '../../src/domain/ids.js'
import { Secret } from '../../src/domain/secret.js'
import type { HsmBehaviour } from '../../src/simulator/hsm/behaviour.js'
import { Hsm } from '../../src/simulator/hsm/hsm.js'
import { type StoredPassword, storePassword } from '../../src/simulator/hsm/password.js'
import type { User } from '../../src/simulator/hsm/user.js'
import type { OfficerLogin } from '../../src/use-cases/rotation/rotation-run.js'
import { clusterOf, hsmOf } from '../helpers/clusters.js'
import type { FleetSpec, Oddity } from './fleet-arbitrary.js'

export const LOCKOUT_LIMIT = 5

/** A user that is to be rotated, with its passwords. */
export interface RotatedUser extends HsmUserRef {
  readonly key: UserKey
  /** In force before `old`. */
  readonly before: Secret
  readonly old: Secret
  readonly new: Secret
}

/** One HSM as a thing on the network. */
export interface Appliance {
  /** The ID it had at first. */
  readonly slot: HsmId
  /** The ID it says it has. */
  hsmId: HsmId
  /** The ID and the state that AWS reports. */
  reportedId: HsmId
  state: string
  readonly eniIp: EniIp
  readonly clusterId: ClusterId
  readonly hsm: Hsm
  /** Users as they were when the fleet was made. */
  readonly original: readonly Readonly<User>[]
  unreachable: boolean
  /** Utility in limited mode. */
  limited: boolean
}

export interface FleetCluster {
  readonly clusterId: ClusterId
  readonly region: RegionName
  readonly hsmType: string
  readonly officer: OfficerLogin
  /** Whether the operator names it. */
  readonly named: boolean
  readonly appliances: Appliance[]
}

const REGIONS = ['us-east-1', 'eu-west-1', 'eu-west-1', 'ap-south-1', 'sa-east-1']
/** A password on one HSM that is none of the rotation's. */
export const DRIFTED = 'TEST-drifted-1'
const BYSTANDER: StoredPassword = storePassword('TEST-bystander-1')
const DRIFTED_STORED = storePassword(DRIFTED)

const officer = (name: string): OfficerLogin & { readonly stored: StoredPassword } => {
  const password = `TEST-officer-${name}`
  return { user: { type: 'CO', name }, password: new Secret(password), stored: storePassword(password) }
}
/** The one that works everywhere, and those of single clusters. */
const OFFICER = officer('admin')
const OFFICERS = [...'abcde'].map((letter) => officer(`admin_${letter}`))

const FAMILY_KEY = Buffer.alloc(32, 7)
const STRANGE_KEY = Buffer.alloc(32, 8)

/** The first password of each user, stored once for all stories. */
const OLD: StoredPassword[] = []
const stored = (index: number, password: Secret): StoredPassword => {
  OLD[index] ??= storePassword(password.reveal())
  return OLD[index]
}

const account = (id: number, type: User['type'], name: string, password: StoredPassword | null): User => ({
  id,
  type,
  name,
  password,
  mofnPubKey: false,
  twoFactor: false,
  failures: 0,
  locked: false,
})

const FIRST_ID = 5

/** The clusters of a family, their HSMs and their users. */
export class Fleet {
  readonly clusters: readonly FleetCluster[]
  readonly users: readonly RotatedUser[]
  /** HSMs of the clusters that the operator names. */
  readonly named: Appliance[]
  readonly #behaviour: HsmBehaviour

  constructor(spec: FleetSpec) {
    this.users = Array.from({ length: spec.users }, (_, index) => {
      const ref = { type: 'CU', name: `app_${index}` } as const
      return {
        ...ref,
        key: userKey(ref),
        before: new Secret(`TEST-before-${index}`),
        old: new Secret(`TEST-old-${index}`),
        new: new Secret(`TEST-new-${index}`),
      }
    })
    const passwords = this.users.map((user, index) => stored(index, user.old))
    this.#behaviour = {
      ...spec.behaviour,
      quorumGatesOwnPassword: false,
      loginWithoutSecondFactor: 'refuse',
      lockoutLimit: LOCKOUT_LIMIT,
    }
    const sizes = [...spec.clusters, ...(spec.leftOut > 0 ? [spec.leftOut] : [])]
    this.clusters = sizes.map((size, at) => {
      const letter = 'abcde'.charAt(at)
      const cluster = clusterOf(letter, REGIONS[at] ?? 'us-east-1', [])
      const hsmType = spec.utility === 'cmu' || spec.olderCluster === at ? 'hsm1.medium' : 'hsm2m.medium'
      const officer = (spec.officers === 'each' ? OFFICERS[at] : undefined) ?? OFFICER
      const appliances = Array.from({ length: size }, (_, index): Appliance => {
        const { hsmId, eniIp } = hsmOf(letter, index + 2)
        const original = [
          account(1, officer.user.type, officer.user.name, officer.stored),
          account(2, 'AU', 'app_user', null),
          account(3, 'CU', 'bystander', BYSTANDER),
          ...this.users.map((user, nth) => account(FIRST_ID + nth, user.type, user.name, passwords[nth] ?? null)),
        ]
        return {
          slot: hsmId,
          hsmId,
          reportedId: hsmId,
          state: 'ACTIVE',
          eniIp: eniIp as EniIp,
          clusterId: cluster.clusterId,
          hsm: new Hsm(FAMILY_KEY, this.#behaviour, original, hsmType),
          original,
          unreachable: false,
          limited: false,
        }
      })
      const { clusterId, region } = cluster
      return { clusterId, region, hsmType, officer, named: at < spec.clusters.length, appliances }
    })
    this.named = this.clusters.filter(({ named }) => named).flatMap(({ appliances }) => appliances)
    for (const oddity of spec.oddities) this.#make(oddity)
  }

  /** The one at an address. */
  at(eniIp: EniIp): Appliance | undefined {
    for (const { appliances } of this.clusters) {
      const found = appliances.find((appliance) => appliance.eniIp === eniIp)
      if (found !== undefined) return found
    }
    return undefined
  }

  /** All HSMs of the cluster of one, itself among them. */
  siblings({ clusterId }: Appliance): readonly Appliance[] {
    return this.clusters.find((cluster) => cluster.clusterId === clusterId)?.appliances ?? []
  }

  /** Who does the work on a cluster. */
  officerOf(wanted: ClusterId): OfficerLogin {
    return this.clusters.find(({ clusterId }) => clusterId === wanted)?.officer ?? OFFICER
  }

  nth(index: number): Appliance {
    const { named } = this
    const appliance = named[index % named.length]
    if (appliance === undefined) throw new Error('a fleet has an HSM')
    return appliance
  }

  user(index: number): RotatedUser {
    const user = this.users[index % this.users.length]
    if (user === undefined) throw new Error('a fleet has a user')
    return user
  }

  /** The clusters as AWS reports them. */
  reported(): readonly Cluster[] {
    return this.clusters.map(({ clusterId, region, hsmType, appliances }) => ({
      ...clusterOf('a', region, []),
      clusterId,
      hsmType,
      hsms: appliances.map(({ reportedId, eniIp, state }, at) => ({
        hsmId: reportedId,
        eniIp,
        eniIpV6: null,
        availabilityZone: `zone-${at}`,
        state,
      })),
    }))
  }

  /** A cluster gains an HSM, with the users of a sibling as they are, or as they were at first. */
  add(clusterIndex: number, asAtFirst: boolean): void {
    const named = this.clusters.filter((cluster) => cluster.named)
    const cluster = named[clusterIndex % named.length]
    const sibling = cluster?.appliances[0]
    if (cluster === undefined || sibling === undefined || cluster.appliances.length > 8) return
    const letter = 'abcde'.charAt(this.clusters.indexOf(cluster))
    const { hsmId, eniIp } = hsmOf(letter, cluster.appliances.length + 2)
    const users = (asAtFirst ? sibling.original : sibling.hsm.users).map((user) => ({
      ...user,
      failures: 0,
      locked: false,
    }))
    const hsm = new Hsm(FAMILY_KEY, this.#behaviour, users, cluster.hsmType)
    const added: Appliance = {
      ...sibling,
      slot: hsmId,
      hsmId,
      reportedId: hsmId,
      state: 'ACTIVE',
      eniIp: eniIp as EniIp,
      hsm,
      unreachable: false,
      limited: false,
    }
    cluster.appliances.push(added)
    this.named.push(added)
  }

  /** Gives an HSM the masking key of another family, or its own again. */
  static maskWith(appliance: Appliance, own: boolean): void {
    appliance.hsm.maskingKey = own ? FAMILY_KEY : STRANGE_KEY
  }

  #make({ kind, hsm: index, user: userIndex }: Oddity): void {
    const { hsm } = this.nth(index)
    const { type, name } = this.user(userIndex)
    const user = hsm.find(type, name)
    if (user === undefined) return
    switch (kind) {
      case 'drifted':
        user.password = DRIFTED_STORED
        return
      case 'missing':
        hsm.remove(user)
        return
      case 'taken-id':
        hsm.remove(user)
        hsm.put(account(user.id, 'CU', 'squatter', BYSTANDER))
        return
      case 'other-id':
        user.id += 40
        return
      case 'failures':
        hsm.setFailures(user, 1)
    }
  }
}
