import { printable } from '../../adapters/terminal/printable.js'
import { renderTable, type TableStyle } from '../../adapters/terminal/table.js'
import { type Discovery, type DiscoveryProblem, familyOf } from '../../domain/clone-family.js'
import { activeHsms, type Cluster } from '../../domain/cluster.js'
import type { VerifiedClones } from '../../use-cases/verify-clones.js'

/** What `clusters list` prints: one line per cluster, then why families are families. */
export const renderClusters = (discovery: Discovery, style?: TableStyle): string => {
  if (discovery.clusters.length === 0) return 'No clusters found.'
  const several = discovery.clusters.some(({ profile, roleArn }) => profile !== null || roleArn !== undefined)
  const head = ['FAMILY', 'CLUSTER', 'REGION', ...(several ? ['THROUGH'] : []), 'STATE', 'TYPE', 'MODE', 'ACTIVE HSMS']
  const rows = discovery.clusters
    .map((cluster) => [
      familyOf(discovery, cluster.clusterId)?.family ?? '',
      cluster.clusterId,
      cluster.region,
      ...(several ? [identityOf(cluster)] : []),
      cluster.state,
      cluster.hsmType,
      cluster.mode ?? '-',
      `${activeHsms(cluster).length} of ${cluster.hsms.length}`,
    ])
    .sort((a, b) => (`${a[0]} ${a[2]}` < `${b[0]} ${b[2]}` ? -1 : 1))
  const evidence = discovery.families.flatMap((family) =>
    family.evidence.map(
      (one) => `${family.family}: ${one.clusterIds.join(' = ')}: ${one.detail} (certainty ${one.certainty})`,
    ),
  )
  return [renderTable(head, rows, style), ...(evidence.length > 0 ? ['', ...evidence.map(printable)] : [])].join('\n')
}

/** Lines for stderr: Regions that did not answer, one line per reason, and records that contradict one another. */
export const renderProblems = (discovery: Discovery): string[] => [
  ...groupProblems(discovery.problems).map(([problem, regions]) => {
    const through = [problem.profile && `profile ${problem.profile}`, problem.roleArn].filter(Boolean).join(', ')
    const what = problem.operation === 'DescribeBackups' ? 'backup records not read' : problem.kind
    return printable(`${listed(regions)}${through && ` (${through})`}: ${what}: ${problem.error}`)
  }),
  ...discovery.conflicts.map(({ clusterIds, says, against }) =>
    printable(`${clusterIds.join(' and ')} are not taken for clones: ${says.detail}, yet ${against.detail}`),
  ),
]

/** What `clusters verify` prints. */
export const renderVerdict = ({ verdict, certainty, clusterIds, evidence, missing }: VerifiedClones): string =>
  [
    `${clusterIds.join(', ')}: ${verdict} (certainty ${certainty} of 4)`,
    ...evidence.map((one) => `  ${one.clusterIds.join(' and ')}: ${one.detail}`),
    ...(missing === null ? [] : [`  missing: ${missing}`]),
  ]
    .map(printable)
    .join('\n')

/** `prod, audit`, or `prod as 111122223333:role/HsmReader`. */
const identityOf = ({ profile, otherProfiles = [], roleArn }: Cluster): string => {
  const profiles = [profile, ...otherProfiles].map((name) => name ?? 'default').join(', ')
  return roleArn === undefined ? profiles : `${profiles} as ${roleArn.split(':').slice(4).join(':')}`
}

const groupProblems = (problems: readonly DiscoveryProblem[]): [DiscoveryProblem, string[]][] => {
  const groups = new Map<string, [DiscoveryProblem, string[]]>()
  for (const problem of problems) {
    const { profile, roleArn, kind, operation, error } = problem
    const key = JSON.stringify([profile, roleArn, kind, operation, error])
    const group = groups.get(key) ?? [problem, []]
    group[1].push(problem.region)
    groups.set(key, group)
  }
  return [...groups.values()]
}

const listed = (regions: readonly string[]): string =>
  regions.length <= 4 ? regions.join(', ') : `${regions.slice(0, 3).join(', ')} and ${regions.length - 3} more Regions`
