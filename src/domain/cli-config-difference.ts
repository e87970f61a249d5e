import { CLI_PORT, type CliCluster, type CliConfigDocument, type CliServer } from './cli-config.js'
import type { ConfigDifference } from './config-difference.js'
import type { StoredProof } from './config-files.js'
import type { RosterEntry } from './roster.js'
import type { MappedCluster, RosterMap } from './roster-map.js'

/** What was changed by hand in a configuration of cloudhsm-cli, beside settings: clusters, addresses, ports. */
export const editedClusters = (document: CliConfigDocument, map: RosterMap): readonly ConfigDifference[] => {
  const left = new Set(document.clusters.keys())
  const differences = map.clusters.flatMap((mapped) => {
    const entries = map.servers.filter(({ clusterId }) => clusterId === mapped.clusterId)
    const place = placeOf(document, mapped, entries)
    if (place === null) return [removedCluster(mapped)]
    left.delete(place)
    const element = document.clusters[place] as CliCluster
    return [
      ...namelessCluster(element, mapped, place),
      ...editedServers(element, entries, `clusters[${place}].cluster`),
    ]
  })
  return [...differences, ...[...left].map((place) => strangeCluster(document.clusters[place] as CliCluster, place))]
}

/** What became of the configurations that list one HSM each. */
export const editedProofs = ({
  map,
  proofs,
  strayProofs,
}: {
  readonly map: RosterMap
  readonly proofs: readonly StoredProof[]
  readonly strayProofs: readonly string[]
}): readonly ConfigDifference[] => [
  ...proofs.flatMap((proof) => {
    const { hsmId, path, addresses, sha256: actual } = proof
    const expected = map.proofConfigs.find((mapped) => mapped.hsmId === hsmId)?.sha256 ?? null
    const eniIp = map.servers.find((entry) => entry.hsmId === hsmId)?.eniIp ?? null
    const rightAddress = addresses?.length === 1 && addresses[0] === eniIp
    // Also where the hash matches: the map may have been edited as well.
    if (actual === expected && rightAddress) return []
    const message =
      actual === null
        ? `${path}, which lists ${hsmId} (${eniIp}) alone, does not exist`
        : addresses === null
          ? `${path} was edited by hand and is no configuration of cloudhsm-cli any more`
          : rightAddress
            ? `${path}, which lists ${hsmId} (${eniIp}) alone, was edited by hand`
            : `${path} was generated for ${eniIp} (${hsmId}) and now lists ${addresses.join(', ')}`
    return [{ hsmId, field: 'proof' as const, expected, actual, message }]
  }),
  ...strayProofs.map((path) => ({
    hsmId: null,
    field: 'proof' as const,
    expected: null,
    actual: path,
    message: `${path} was not generated with this configuration: remove it, it may prove the wrong HSM`,
  })),
]

/** The element of a cluster: the one with its ID, or else one without an ID that lists one of its addresses. */
const placeOf = (
  { clusters }: CliConfigDocument,
  { clusterId }: MappedCluster,
  entries: readonly RosterEntry[],
): number | null => {
  const named = clusters.findIndex(({ cluster }) => cluster.cluster_id === clusterId)
  if (named >= 0) return named
  const nameless = clusters.findIndex(
    ({ cluster }) =>
      cluster.cluster_id === undefined &&
      cluster.servers.some(({ hostname }) => entries.some(({ eniIp }) => eniIp === hostname)),
  )
  return nameless < 0 ? null : nameless
}

const removedCluster = ({ clusterId }: MappedCluster): ConfigDifference => ({
  hsmId: null,
  field: 'clusterId',
  expected: clusterId,
  actual: null,
  message: `cluster ${clusterId} was removed by hand`,
})

const strangeCluster = ({ cluster }: CliCluster, place: number): ConfigDifference => ({
  hsmId: null,
  field: 'clusterId',
  expected: null,
  actual: cluster.cluster_id ?? null,
  message: `clusters[${place}] (${cluster.cluster_id ?? 'without cluster_id'}) was added by hand`,
})

const namelessCluster = (
  { cluster }: CliCluster,
  { clusterId }: MappedCluster,
  place: number,
): readonly ConfigDifference[] => {
  if (cluster.cluster_id !== undefined) return []
  const message = `clusters[${place}].cluster.cluster_id is missing, so cloudhsm-cli cannot be told to use this cluster: "cluster_id": "${clusterId}"`
  return [{ hsmId: null, field: 'clusterId', expected: clusterId, actual: null, message }]
}

const editedServers = (
  { cluster: { servers } }: CliCluster,
  entries: readonly RosterEntry[],
  path: string,
): readonly ConfigDifference[] => {
  const differences: ConfigDifference[] = []
  const strange = servers.flatMap((server, place) =>
    entries.some(({ eniIp }) => eniIp === server.hostname) ? [] : [{ server, place }],
  )
  for (const { hsmId, eniIp } of entries) {
    const place = servers.findIndex(({ hostname }) => hostname === eniIp)
    const server = servers[place]
    if (server !== undefined) {
      differences.push(...editedServer(server, hsmId, `${path}.servers[${place}]`))
      continue
    }
    const instead = strange.shift()
    const actual = instead?.server.hostname ?? null
    const message =
      instead === undefined
        ? `${eniIp} (${hsmId}) was removed from ${path}.servers by hand`
        : `${path}.servers[${instead.place}] was generated for ${eniIp} (${hsmId}) and now names ${actual}`
    differences.push({ hsmId, field: 'hostname', expected: eniIp, actual, message })
  }
  for (const { server, place } of strange) {
    const message = `${path}.servers[${place}] (${server.hostname}) was added by hand`
    differences.push({ hsmId: null, field: 'hostname', expected: null, actual: server.hostname, message })
  }
  return differences
}

const editedServer = (
  { hostname, port, enable }: CliServer,
  hsmId: RosterEntry['hsmId'],
  path: string,
): readonly ConfigDifference[] => {
  const differences: ConfigDifference[] = []
  if (port !== CLI_PORT) {
    const message = `${path}.port of ${hostname} (${hsmId}) is ${port}; HSMs answer cloudhsm-cli on ${CLI_PORT}`
    differences.push({ hsmId, field: 'port', expected: String(CLI_PORT), actual: String(port), message })
  }
  if (enable === false) {
    const message = `${path}.enable of ${hostname} (${hsmId}) is false, so the HSM is left out unseen: "enable": true`
    differences.push({ hsmId, field: 'enable', expected: 'true', actual: 'false', message })
  }
  return differences
}
