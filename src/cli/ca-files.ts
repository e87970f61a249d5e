import { resolve } from 'node:path'
import type { CaFiles } from '../domain/cli-config.js'
import { type ClusterRef, readClusterRef, showClusterRef } from '../domain/cluster.js'
import { usageError } from '../domain/errors.js'
import type { ClusterId } from '../domain/ids.js'

const FLAG = '--hsm-ca-cert'

/**
 * Reads `[CLUSTER=]FILE`, once per occurrence of the flag. What stands before the first `=` names a cluster only where
 * it has the form of one, because paths may hold `=` too. Paths become absolute: the utility is started from elsewhere.
 * @param named the clusters of the configuration
 * @throws {OperatorError} exit 2: `CA_CERT_MALFORMED`, `CA_CERT_FOR_NOBODY`, `CA_CERT_TWICE`
 */
export const readCaFiles = (texts: readonly string[], named: readonly ClusterRef[]): CaFiles => {
  const byCluster = new Map<ClusterId, string>()
  let common: string | null = null
  for (const text of texts) {
    const at = text.indexOf('=')
    const ref = at < 0 ? null : readClusterRef(text.slice(0, at))
    const file = ref === null ? text : text.slice(at + 1)
    if (file.trim() === '') {
      throw usageError('CA_CERT_MALFORMED', `${FLAG} "${text}" names no file`, [
        `${FLAG} /opt/cloudhsm/etc/customerCA.crt`,
      ])
    }
    if (ref === null) {
      if (common !== null) throw twice('all clusters')
      common = resolve(file)
      continue
    }
    if (!named.some(({ clusterId }) => clusterId === ref.clusterId)) {
      throw usageError(
        'CA_CERT_FOR_NOBODY',
        `${FLAG} names ${showClusterRef(ref)}, which is not in the configuration`,
        [...named.map((one) => `${FLAG} ${one.clusterId}=${file}`)],
      )
    }
    if (byCluster.has(ref.clusterId)) throw twice(ref.clusterId)
    byCluster.set(ref.clusterId, resolve(file))
  }
  return { common, byCluster }
}

const twice = (whose: string) => usageError('CA_CERT_TWICE', `${FLAG} is given twice for ${whose}`)
