import { type AwsCredentials, signedHeaders } from './signed-headers.js'

/** Where DescribeClusters is asked. */
export interface Place {
  readonly region: string
  /** Null: the service's own for the Region. */
  readonly endpoint: string | null
  readonly credentials: AwsCredentials
}

/** Credentials of the environment; profiles and instance metadata are not imitated. @throws {Error} none there */
export const credentialsFrom = (env: NodeJS.ProcessEnv): AwsCredentials => {
  const [accessKeyId, secretAccessKey] = [env['AWS_ACCESS_KEY_ID'], env['AWS_SECRET_ACCESS_KEY']]
  if (!accessKeyId || !secretAccessKey) throw new Error('No credentials in the property bag')
  return { accessKeyId, secretAccessKey, sessionToken: env['AWS_SESSION_TOKEN'] || null }
}

/**
 * Addresses of the cluster's HSMs, as AWS reports them.
 * @throws {Error} the call failed, the Region has no such cluster, or the cluster has no HSM. The texts are assumed
 */
export const clusterAddresses = async (clusterId: string, place: Place): Promise<readonly string[]> => {
  const url = new URL(place.endpoint ?? `https://cloudhsmv2.${place.region}.amazonaws.com/`)
  const body = JSON.stringify({ Filters: { clusterIds: [clusterId] } })
  const call = { url, body, region: place.region, service: 'cloudhsm', target: 'BaldrApiService.DescribeClusters' }
  const headers = signedHeaders(call, place.credentials, new Date())
  const response = await fetch(url, { method: 'POST', headers, body })
  const text = await response.text()
  if (!response.ok) throw new Error(`DescribeClusters failed: ${reasonIn(text)}`)
  const { Clusters = [] } = JSON.parse(text) as { Clusters?: { ClusterId: string; Hsms?: { EniIp?: string }[] }[] }
  const cluster = Clusters.find(({ ClusterId }) => ClusterId === clusterId)
  if (!cluster) throw new Error(`Cluster ${clusterId} was not found in ${place.region}`)
  const addresses = (cluster.Hsms ?? []).flatMap(({ EniIp }) => EniIp ?? [])
  if (addresses.length === 0) throw new Error(`Cluster ${clusterId} has no HSMs`)
  return addresses
}

const reasonIn = (text: string): string => {
  try {
    const { __type: type, message } = JSON.parse(text) as { __type?: string; message?: string }
    return `${type}: ${message}`
  } catch {
    return 'the answer cannot be read'
  }
}
