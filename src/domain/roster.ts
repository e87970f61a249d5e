import type { ClusterId, EniIp, HsmId, RegionName, ServerId } from './ids.js'

/** Changed first (`source`), or synced later (`destination`). */
export type ClusterRole = 'source' | 'destination'

/** One line of the roster: which HSM stands at which place of the merged config. */
export interface RosterEntry {
  readonly serverId: ServerId
  readonly hsmId: HsmId
  readonly eniIp: EniIp
  readonly clusterId: ClusterId
  readonly region: RegionName
  readonly role: ClusterRole
}

/** An HSM as messages name it: `hsm-abc (eu-west-1, cluster-xyz)`. */
export const nameServer = ({ hsmId, region, clusterId }: Pick<RosterEntry, 'hsmId' | 'region' | 'clusterId'>): string =>
  `${hsmId} (${region}, ${clusterId})`

/** The flags that let HSMs stay behind, as advice names them: `--allow-unreachable hsm-abc --allow-unreachable hsm-def`. */
export const allowUnreachable = (servers: readonly Pick<RosterEntry, 'hsmId'>[]): string =>
  servers.map(({ hsmId }) => `--allow-unreachable ${hsmId}`).join(' ')

/** Every HSM a rotation may touch, in the order of the merged config: source cluster first, one block per cluster. */
export type Roster = readonly RosterEntry[]
