import { X509Certificate } from 'node:crypto'
import type { Cluster as AwsCluster, Hsm as AwsHsm } from '@aws-sdk/client-cloudhsm-v2'
import type { Cluster, Hsm } from '../../domain/cluster.js'
import { type EniIp, type HsmId, isClusterId, type Sha256 } from '../../domain/ids.js'
import type { Place } from '../../domain/ports.js'
import { BadAnswer } from './bad-answer.js'

/**
 * The record as this program knows it.
 * @param raw the same record before the SDK dropped what it does not know
 * @throws {BadAnswer} no cluster ID
 */
export const toCluster = (from: AwsCluster, raw: Record<string, unknown>, place: Place): Cluster => {
  const { ClusterId: clusterId } = from
  if (typeof clusterId !== 'string' || !isClusterId(clusterId)) throw new BadAnswer('a cluster without a cluster ID')
  return {
    clusterId,
    region: place.region,
    profile: place.profile,
    ...(place.roleArn !== undefined && { roleArn: place.roleArn }),
    state: from.State ?? 'UNKNOWN',
    hsmType: from.HsmType ?? 'unknown',
    mode: text(raw['Mode']),
    sourceBackupId: bareBackupId(from.SourceBackupId),
    certificateFingerprint: fingerprint(from.Certificates?.ClusterCertificate),
    hsms: (from.Hsms ?? []).map(toHsm).sort((a, b) => (a.hsmId < b.hsmId ? -1 : 1)),
  }
}

const toHsm = (from: AwsHsm): Hsm => {
  if (typeof from.HsmId !== 'string') throw new BadAnswer('an HSM without an HSM ID')
  return {
    hsmId: from.HsmId as HsmId,
    eniIp: text(from.EniIp) as EniIp | null,
    // newer than the types of the installed client, which passes it through all the same
    eniIpV6: text((from as { EniIpV6?: unknown }).EniIpV6),
    availabilityZone: text(from.AvailabilityZone),
    state: from.State ?? 'UNKNOWN',
  }
}

/** The API takes an ARN where it wants a backup, and might give one back. */
const bareBackupId = (value: string | undefined): string | null => text(value?.split('backup/').at(-1))

/** SHA-256 over the parsed certificate, so that line breaks and blanks in the text do not matter. */
const fingerprint = (pem: string | undefined): Sha256 | null => {
  if (!pem) return null
  try {
    return new X509Certificate(pem).fingerprint256.replaceAll(':', '').toLowerCase() as Sha256
  } catch {
    return null
  }
}

const text = (value: unknown): string | null => (typeof value === 'string' && value !== '' ? value : null)
