import { editedClusters } from './cli-config-difference.js'
import type { Cluster, Hsm } from './cluster.js'
import { showCluster } from './cluster.js'
import type { UtilityConfig } from './config-files.js'
import type { HsmId } from './ids.js'
import type { ConfigDocument } from './merged-config.js'
import type { RosterEntry } from './roster.js'
import type { MappedCluster, RosterMap } from './roster-map.js'

/** Something in which a configuration is not what it was, or not what AWS reports now. */
export interface ConfigDifference {
  /** Null where it concerns no single HSM. */
  readonly hsmId: HsmId | null
  readonly field:
    | 'sha256'
    | 'hostname'
    | 'port'
    | 'enable'
    | 'clusterId'
    | 'proof'
    | 'cluster'
    | 'clusterState'
    | 'hsmId'
    | 'eniIp'
    | 'state'
  readonly expected: string | null
  readonly actual: string | null
  /** For people. */
  readonly message: string
}

/** What was changed by hand, beside settings. */
export const handEdits = (config: UtilityConfig, map: RosterMap): readonly ConfigDifference[] =>
  config.utility === 'cmu' ? editedServers(config.document, map) : editedClusters(config.document, map)

/** Places whose address is not the one that was generated. */
const editedServers = (document: ConfigDocument, { servers }: RosterMap): readonly ConfigDifference[] => {
  const places = Array.from({ length: Math.max(document.servers.length, servers.length) }, (_, place) => place)
  return places.flatMap((place) => {
    const [expected, actual] = [servers[place]?.eniIp ?? null, document.servers[place]?.hostname ?? null]
    if (expected === actual) return []
    const message =
      expected === null
        ? `server ${place} (${actual}) was added by hand`
        : actual === null
          ? `server ${place} (${expected}, ${servers[place]?.hsmId}) was removed by hand`
          : `server ${place} was generated for ${expected} (${servers[place]?.hsmId}) and now names ${actual}`
    return [{ hsmId: servers[place]?.hsmId ?? null, field: 'hostname' as const, expected, actual, message }]
  })
}

/**
 * What AWS reports otherwise for one cluster of the map.
 * @param cluster null where AWS does not list it any more
 */
export const clusterDifferences = (
  mapped: MappedCluster,
  servers: readonly RosterEntry[],
  cluster: Cluster | null,
): readonly ConfigDifference[] => {
  const shown = showCluster(mapped)
  if (cluster === null) {
    const message = `cluster ${shown} does not exist any more`
    return [{ hsmId: null, field: 'cluster', expected: mapped.clusterId, actual: null, message }]
  }
  const differences: ConfigDifference[] = []
  if (cluster.state !== 'ACTIVE') {
    const message = `cluster ${shown} is ${cluster.state}, not ACTIVE`
    differences.push({ hsmId: null, field: 'clusterState', expected: 'ACTIVE', actual: cluster.state, message })
  }
  const listed = servers.filter((entry) => entry.clusterId === mapped.clusterId)
  const unlisted = new Set(cluster.hsms.filter((hsm) => !listed.some(({ hsmId }) => hsmId === hsm.hsmId)))
  for (const entry of listed) {
    const hsm = cluster.hsms.find(({ hsmId }) => hsmId === entry.hsmId)
    if (hsm !== undefined) {
      differences.push(...hsmDifferences(entry, hsm))
      continue
    }
    const successor = [...unlisted].find(({ eniIp }) => eniIp === entry.eniIp)
    if (successor !== undefined) unlisted.delete(successor)
    differences.push(gone(entry, successor?.hsmId ?? null, shown))
  }
  for (const { hsmId, state, eniIp } of unlisted) {
    const message = `${hsmId} (${eniIp ?? 'no address'}, ${state}) was added to ${shown} and is not listed`
    differences.push({ hsmId, field: 'hsmId', expected: null, actual: hsmId, message })
  }
  return differences
}

const gone = ({ hsmId, eniIp }: RosterEntry, successor: HsmId | null, cluster: string): ConfigDifference => ({
  hsmId,
  field: 'hsmId',
  expected: hsmId,
  actual: successor,
  message:
    successor === null
      ? `${hsmId} (${eniIp}) is no HSM of ${cluster} any more`
      : `${hsmId} was replaced: its address ${eniIp} now belongs to ${successor}`,
})

const hsmDifferences = (entry: RosterEntry, hsm: Hsm): readonly ConfigDifference[] => {
  const { hsmId, eniIp } = entry
  const differences: ConfigDifference[] = []
  if (hsm.eniIp !== eniIp) {
    const message = `${hsmId} has the address ${hsm.eniIp ?? 'none'} now, not ${eniIp}`
    differences.push({ hsmId, field: 'eniIp', expected: eniIp, actual: hsm.eniIp, message })
  }
  if (hsm.state !== 'ACTIVE') {
    const message = `${hsmId} (${eniIp}) is ${hsm.state}, not ACTIVE`
    differences.push({ hsmId, field: 'state', expected: 'ACTIVE', actual: hsm.state, message })
  }
  return differences
}
