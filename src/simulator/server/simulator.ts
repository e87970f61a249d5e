import { randomBytes } from 'node:crypto'
import type { Server } from 'node:http'
import { AwsFaults } from '../aws/aws-faults.js'
import { awsEndpoint } from '../aws/endpoint.js'
import { Secrets } from '../aws/secrets-manager/secrets.js'
import type { AwsWorld } from '../aws/world.js'
import { accessKeyOf } from '../fleet/build-fleet.js'
import type { Fleet, FleetCluster, FleetHsm, FleetUser } from '../fleet/fleet.js'
import { deriveId } from '../fleet/identifiers.js'
import { Hsm } from '../hsm/hsm.js'
import type { MaskingKey } from '../hsm/masked-object.js'
import { type StoredPassword, storePassword } from '../hsm/password.js'
import type { User } from '../hsm/user.js'
import { Problem } from '../problem.js'
import type { AddressBlock } from './address-block.js'
import { Appliance } from './appliance.js'
import { listen, stopListening } from './listen.js'

/** A running fleet: its HSMs on their addresses, and AWS beside them. */
export class Simulator {
  readonly fleet: Fleet
  readonly awsFaults = new AwsFaults()
  readonly appliances: Appliance[] = []
  /** States AWS reports for clusters, where a fault says otherwise. */
  readonly clusterStates = new Map<string, string>()
  readonly #block: AddressBlock
  readonly #maskingKeys = new Map<string, MaskingKey>()
  readonly #passwords = new Map<string, StoredPassword>()
  readonly #userLists = new Map<readonly FleetUser[], readonly User[]>()
  readonly #endpoint: Server
  /** HSMs ever made, so that an address is never given twice. */
  #made = 0

  constructor(fleet: Fleet, block: AddressBlock) {
    this.fleet = fleet
    this.#block = block
    this.#endpoint = awsEndpoint(this.#world())
    if (fleet.awsDelayMs > 0) {
      this.awsFaults.add({ kind: 'aws-delay', region: null, times: null, ms: fleet.awsDelayMs })
    }
    for (const cluster of fleet.clusters) for (const hsm of cluster.hsms) this.#make(cluster, hsm)
  }

  /** Makes every HSM and the endpoint listen. @throws the system's error where an address is taken */
  async listen(): Promise<void> {
    await Promise.all([
      listen(this.#endpoint, this.#block.host, 0),
      ...this.appliances.map((appliance) => appliance.attach()),
    ])
  }

  /** URL of the AWS endpoint. */
  get endpoint(): string {
    const address = this.#endpoint.address()
    if (address === null || typeof address === 'string') throw new Error('the endpoint is not listening')
    return `http://${this.#block.host}:${address.port}`
  }

  async stop(): Promise<void> {
    this.#endpoint.closeAllConnections()
    await Promise.all([stopListening(this.#endpoint), ...this.appliances.map((appliance) => appliance.detach())])
  }

  /** Another HSM for the cluster, listening if its state allows; its users are a sibling's, or those the fleet began with. */
  async addHsm(clusterId: string, usersFrom: 'sibling' | 'original', state = 'ACTIVE'): Promise<Appliance> {
    const cluster = this.cluster(clusterId)
    const sibling = this.appliances.find((appliance) => appliance.clusterId === clusterId)
    const pattern = cluster.hsms[0]
    if (!sibling || !pattern) throw new Problem('CLUSTER_EMPTY', `${clusterId} has no HSM to copy users from`)
    const hsmId = deriveId('hsm', clusterId, 'added', this.#made)
    const appliance = this.#make(cluster, { ...pattern, hsmId, eniIp: null, state })
    if (usersFrom === 'sibling') appliance.hsm.replaceUsers(sibling.hsm.users)
    await appliance.attach()
    return appliance
  }

  /** @throws {Problem} no such cluster */
  cluster(clusterId: string): FleetCluster {
    const cluster = this.fleet.clusters.find((entry) => entry.clusterId === clusterId)
    if (cluster) return cluster
    const known = this.fleet.clusters.map((entry) => entry.clusterId).join(', ')
    throw new Problem('CLUSTER_NOT_FOUND', `no cluster ${clusterId} in this fleet`, [`clusters: ${known}`])
  }

  #make(cluster: FleetCluster, { eniIp, hsmId, state, users }: FleetHsm): Appliance {
    const address = eniIp ?? this.#block.address(this.#made)
    if (address === null) throw new Problem('BLOCK_FULL', 'no address is left for another HSM')
    this.#made += 1
    const original = this.#usersFrom(users)
    const behaviour = { ...this.fleet.behaviour, lockoutLimit: this.fleet.lockoutLimit }
    const appliance = new Appliance({
      hsmId,
      clusterId: cluster.clusterId,
      region: cluster.region,
      mode: cluster.mode,
      eniIp: address,
      state,
      hsm: new Hsm(this.#maskingKeyOf(cluster.family), behaviour, original, cluster.hsmType),
      original,
      latencyMs: this.fleet.latencyMs,
      peers: () =>
        this.appliances
          .filter((other) => other.clusterId === cluster.clusterId && other.up)
          .map((other) => other.eniIp),
    })
    appliance.hsm.conditions.quorum = cluster.quorum
    this.appliances.push(appliance)
    return appliance
  }

  #maskingKeyOf(family: string): MaskingKey {
    const key = this.#maskingKeys.get(family) ?? randomBytes(32)
    this.#maskingKeys.set(family, key)
    return key
  }

  /** Users with their passwords hashed; HSMs that start alike share the hashes. */
  #usersFrom(users: readonly FleetUser[]): readonly User[] {
    const list =
      this.#userLists.get(users) ??
      users.map(({ failures, password, ...user }) => ({
        ...user,
        password: password === null ? null : this.#hashOf(`${user.name}:${password}`, password),
        failures,
        locked: failures >= this.fleet.lockoutLimit,
      }))
    this.#userLists.set(users, list)
    return list
  }

  #hashOf(key: string, password: string): StoredPassword {
    const stored = this.#passwords.get(key) ?? storePassword(password)
    this.#passwords.set(key, stored)
    return stored
  }

  #world(): AwsWorld {
    const { accounts, backups, clusters } = this.fleet
    const sessions = new Map<string, string>()
    return {
      faults: this.awsFaults,
      secrets: new Secrets(),
      backups: () => backups,
      clusters: () =>
        clusters.map((cluster) => ({
          cluster,
          state: this.clusterStates.get(cluster.clusterId) ?? cluster.state,
          hsms: this.appliances
            .filter(({ clusterId }) => clusterId === cluster.clusterId)
            .map(({ eniIp, reportedId, state }, index) => ({ hsmId: reportedId, eniIp, state, index })),
        })),
      accountOf: (key) => sessions.get(key) ?? accounts.find(({ accessKeyId }) => accessKeyId === key)?.account ?? null,
      sessionKeyFor: (account) => {
        if (!accounts.some((entry) => entry.account === account)) return null
        const key = accessKeyOf(account).replace('AKIA', 'ASIA')
        sessions.set(key, account)
        return key
      },
    }
  }
}
