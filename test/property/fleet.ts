import type { Cluster } from '../../src/domain/cluster.js'
import { type HsmUserRef, type UserKey, userKey } from '../../src/domain/hsm-user.js'
import type { ClusterId, EniIp, HsmId, RegionName } from '../../src/domain/ids.js'
import { Secret } from '../../src/domain/secret.js'
import type { HsmBehaviour } from '../../src/simulator/hsm/behaviour.js'
import { Hsm } from '../../src/simulator/hsm/hsm.js'
import { type StoredPassword, storePassword } from '../../src/simulator/hsm/password.js'
import type { User } from '../../src/simulator/hsm/user.js'
import { clusterOf, hsmOf } from '../helpers/clusters.js'
import type { OfficerLogin } from './engine.js'
import type { FleetSpec, Oddity } from './fleet-arbitrary.js'

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
  /** The ID and the state that AWS reports. */
  readonly hsmId: HsmId
  state: string
  /** The ID it says it has: another one while a stranger answers under its address. */
  saysId: HsmId
  readonly eniIp: EniIp
  readonly clusterId: ClusterId
  readonly hsm: Hsm
  /** Users as they were when the fleet was made. */
  readonly original: readonly Readonly<User>[]
  unreachable: boolean
  /** It was replaced: nobody ever speaks to it again. */
  gone: boolean
  /** Utility in limited mode. */
  limited: boolean
}

/** Nobody answers there. */
export const isAway = ({ unreachable, gone }: Appliance): boolean => unreachable || gone

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
/** What another person gives a user. */
export const BY_HAND = 'TEST-by-hand-1'
const BYSTANDER: StoredPassword = storePassword('TEST-bystander-1')

const officer = (name: string): OfficerLogin & { readonly stored: StoredPassword } => {
  const password = `TEST-officer-${name}`
  return { user: { type: 'CO', name }, password: new Secret(password), stored: storePassword(password) }
}
/** The one that works everywhere, and those of single clusters. */
const OFFICER = officer('admin')
const OFFICERS = [...'abcde'].map((letter) => officer(`admin_${letter}`))

const FAMILY_KEY = Buffer.alloc(32, 7)
const STRANGE_KEY = Buffer.alloc(32, 8)

/** Passwords as HSMs keep them, each made once for all stories. */
const STORED = new Map<string, StoredPassword>()

/** @param copy tells records of one password that were set apart from each other */
const stored = (password: string, copy = 0): StoredPassword => {
  const key = `${copy} ${password}`
  const found = STORED.get(key) ?? storePassword(password)
  STORED.set(key, found)
  return found
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
  /** HSMs of the clusters that the operator names, as AWS lists them. */
  readonly named: Appliance[]
  /** Under which address AWS ever reported an HSM of a named cluster. */
  readonly addresses = new Map<HsmId, EniIp>()
  readonly lockoutLimit: number
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
    this.lockoutLimit = spec.lockoutLimit
    this.#behaviour = {
      ...spec.behaviour,
      quorumGatesOwnPassword: false,
      loginWithoutSecondFactor: 'refuse',
      lockoutLimit: spec.lockoutLimit,
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
          ...this.users.map((user, nth) =>
            account(FIRST_ID + nth, user.type, user.name, stored(user.old.reveal(), spec.recordsDiffer ? at : 0)),
          ),
        ]
        return this.#appliance(
          { hsmId, eniIp: eniIp as EniIp, clusterId: cluster.clusterId, original },
          hsmType,
          original,
        )
      })
      const { clusterId, region } = cluster
      return { clusterId, region, hsmType, officer, named: at < spec.clusters.length, appliances }
    })
    this.named = this.clusters.filter(({ named }) => named).flatMap(({ appliances }) => appliances)
    for (const { hsmId, eniIp } of this.named) this.addresses.set(hsmId, eniIp)
    for (const oddity of spec.oddities) this.#make(oddity)
  }

  #appliance(
    place: Pick<Appliance, 'hsmId' | 'eniIp' | 'clusterId' | 'original'>,
    hsmType: string,
    users: readonly Readonly<User>[],
  ): Appliance {
    const hsm = new Hsm(FAMILY_KEY, this.#behaviour, users, hsmType)
    return { ...place, saysId: place.hsmId, state: 'ACTIVE', hsm, unreachable: false, gone: false, limited: false }
  }

  /** The one at an address. */
  at(eniIp: EniIp): Appliance | undefined {
    for (const { appliances } of this.clusters) {
      const found = appliances.find((appliance) => appliance.eniIp === eniIp)
      if (found !== undefined) return found
    }
    return undefined
  }

  /** The one that AWS lists under an ID in a named cluster. */
  listed(hsmId: HsmId): Appliance | undefined {
    return this.named.find((appliance) => appliance.hsmId === hsmId)
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
    const appliance = named.at(index % named.length)
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
      hsms: appliances.map(({ hsmId, eniIp, state }, at) => ({
        hsmId,
        eniIp,
        eniIpV6: null,
        availabilityZone: `zone-${at}`,
        state,
      })),
    }))
  }

  /**
   * A cluster gains an HSM, with the users of a sibling as they are, or as they were at first.
   * @returns it and the sibling; null where the cluster is full
   */
  add(clusterIndex: number, asAtFirst: boolean): { readonly added: Appliance; readonly like: Appliance } | null {
    const named = this.clusters.filter((cluster) => cluster.named)
    const cluster = named[clusterIndex % named.length]
    const like = cluster?.appliances[0]
    if (cluster === undefined || like === undefined || cluster.appliances.length > 8) return null
    const letter = 'abcde'.charAt(this.clusters.indexOf(cluster))
    const { hsmId, eniIp } = hsmOf(letter, cluster.appliances.length + 2)
    const added = this.#built({ hsmId, eniIp: eniIp as EniIp }, like, asAtFirst)
    cluster.appliances.push(added)
    this.named.push(added)
    return { added, like }
  }

  /** Another HSM takes the place of one for good, under its address, with its users as they are or were at first. */
  replace(former: Appliance, asAtFirst: boolean): Appliance {
    const hsmId = `${former.hsmId}y` as HsmId
    const added = this.#built({ hsmId, eniIp: former.eniIp }, former, asAtFirst)
    former.gone = true
    for (const list of [this.named, ...this.clusters.map(({ appliances }) => appliances)]) {
      const index = list.indexOf(former)
      if (index >= 0) list[index] = added
    }
    return added
  }

  /** Gives a user a password without asking anybody, as another person would. @returns whether there is such a user */
  setPassword({ hsm }: Appliance, { type, name }: RotatedUser, password: string): boolean {
    const user = hsm.find(type, name)
    if (user === undefined) return false
    user.password = stored(password)
    hsm.setFailures(user, 0)
    return true
  }

  /** Deletes a user, which no HSM does while it is logged in there. @returns whether there was one */
  deleteUser({ hsm }: Appliance, { type, name }: RotatedUser): boolean {
    const user = hsm.find(type, name)
    if (user === undefined || hsm.sessionsOf(user) > 0) return false
    hsm.remove(user)
    return true
  }

  /** Makes a user under the next ID that is free. @returns whether it was missing */
  makeUser({ hsm }: Appliance, { type, name }: RotatedUser, password: string): boolean {
    if (hsm.find(type, name) !== undefined) return false
    const id = Math.max(...hsm.users.map((user) => user.id)) + 1
    hsm.put(account(id, type, name, stored(password)))
    return true
  }

  #built(place: Pick<Appliance, 'hsmId' | 'eniIp'>, like: Appliance, asAtFirst: boolean): Appliance {
    const { clusterId, original, hsm } = like
    const users = (asAtFirst ? original : hsm.users).map((user) => ({ ...user, failures: 0, locked: false }))
    this.addresses.set(place.hsmId, place.eniIp)
    return this.#appliance({ ...place, clusterId, original }, hsm.hsmType, users)
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
        user.password = stored(DRIFTED)
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
