import { activeHsms, type Cluster } from './cluster.js'
import type { ServerId } from './ids.js'
import type { Roster, RosterEntry } from './roster.js'

export const mergedConfig = ({
  source,
  destinations,
}: {
  source: Cluster
  destinations: readonly Cluster[]
}): { roster: Roster; document: unknown } => {
  const roster: RosterEntry[] = []
  for (const cluster of [source, ...destinations]) {
    for (const hsm of activeHsms(cluster)) {
      roster.push({
        serverId: roster.length as ServerId,
        hsmId: hsm.hsmId,
        eniIp: hsm.eniIp,
        clusterId: cluster.clusterId,
        region: cluster.region,
        role: cluster === source ? 'source' : 'destination',
      })
    }
  }
  return { roster, document: deriveSessionConfig(null, roster) }
}

export const deriveSessionConfig = (_document: unknown, entries: readonly RosterEntry[]): unknown => ({
  scard: { certificate: 'cert-sc', enable: 'no', pkey: 'pkey-sc', port: 2225 },
  servers: entries.map((entry) => ({
    CAfile: '',
    CApath: '/opt/cloudhsm/etc/certs',
    certificate: '/opt/cloudhsm/etc/client.crt',
    e2e_encryption: { enable: 'yes', owner_cert_path: '/opt/cloudhsm/etc/customerCA.crt' },
    enable: 'yes',
    hostname: entry.eniIp,
    name: entry.eniIp,
    pkey: '/opt/cloudhsm/etc/client.key',
    port: 2225,
    server_ssl: 'yes',
    ssl_ciphers: '',
  })),
})
