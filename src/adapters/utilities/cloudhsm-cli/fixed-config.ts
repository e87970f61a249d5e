import { readFile } from 'node:fs/promises'
import { z } from 'zod'
import { clusterFlags } from '../../../domain/cluster.js'
import type { OperatorError } from '../../../domain/errors.js'
import { refusal } from '../../../domain/errors.js'
import type { ClusterPart } from './roster-proof.js'

/** A cluster and all of its HSMs. */
type WholeCluster = Pick<ClusterPart, 'clusterId' | 'whole'>

/** What counts of a configuration that somebody else wrote. Keys that are not named here pass. */
const FIXED = z.looseObject({
  clusters: z.array(
    z.looseObject({
      cluster: z.looseObject({
        cluster_id: z.string().optional(),
        servers: z.array(z.looseObject({ hostname: z.string(), enable: z.boolean().default(true) })),
      }),
    }),
  ),
})

/**
 * Refuses the file a program reads that cannot be told another, unless it lists these clusters with the addresses AWS
 * reported and no others. Other clusters in it do not matter: every command names its cluster.
 * @throws {OperatorError} exit 3: `CLI_CONFIG_DIFFERS`
 */
export const requireFixedConfig = async (path: string, clusters: readonly WholeCluster[]): Promise<void> => {
  const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    throw differs(path, `cannot be read (${error.code ?? error.message})`, clusters)
  })
  const problems = problemsOf(documentOf(text), clusters)
  if (problems.length > 0) throw differs(path, problems.join('; '), clusters)
}

const documentOf = (text: string): unknown => {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

const problemsOf = (document: unknown, clusters: readonly WholeCluster[]): readonly string[] => {
  const config = FIXED.safeParse(document)
  if (!config.success) return ['is no configuration of cloudhsm-cli']
  return clusters.flatMap(({ clusterId, whole }) => {
    const listed = config.data.clusters.filter(({ cluster }) => cluster.cluster_id === clusterId)
    if (listed.length !== 1) return [listed.length === 0 ? `lacks ${clusterId}` : `lists ${clusterId} more than once`]
    const servers = listed.flatMap(({ cluster }) => cluster.servers).filter(({ enable }) => enable)
    const addresses = new Set(servers.map(({ hostname }) => hostname))
    const missing = whole.filter(({ eniIp }) => !addresses.has(eniIp)).map(({ eniIp }) => eniIp)
    const known = new Set<string>(whole.map(({ eniIp }) => eniIp))
    const foreign = [...addresses].filter((address) => !known.has(address))
    return [
      ...(missing.length > 0 ? [`lacks ${missing.join(', ')} of ${clusterId}`] : []),
      ...(foreign.length > 0 ? [`lists ${foreign.join(', ')} in ${clusterId}, which AWS did not report there`] : []),
    ]
  })
}

const differs = (path: string, problem: string, clusters: readonly WholeCluster[]): OperatorError => {
  const places = clusterFlags(
    clusters.map(({ clusterId, whole }) => ({ clusterId, region: whole[0]?.region ?? null, profile: null })),
  )
  return refusal('CLI_CONFIG_DIFFERS', `this cloudhsm-cli reads "${path}" and takes no other, and that ${problem}`, [
    `lockstep config generate --utility cloudhsm-cli ${places} --out FILE   then copy FILE to ${path}`,
    ...clusters.map(
      ({ clusterId, whole }) =>
        `or: configure-cli add-cluster --cluster-id ${clusterId} --region ${whole[0]?.region ?? 'REGION'} --hsm-ca-cert FILE`,
    ),
    'or set LOCKSTEP_CLOUDHSM_CLI_CONFIG, where the program reads another file',
  ])
}
