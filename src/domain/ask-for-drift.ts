import { clusterFlags, type KnownCluster, leaveOutFlags } from './cluster.js'

/** Clusters that a configuration is to list, the source first, and members of their family that it is not to. */
export interface ListedClusters {
  readonly clusters: readonly KnownCluster[]
  readonly leftOut: readonly KnownCluster[]
}

/** What writes a configuration of clusters, for a command that can be pasted. @param file what it is written to */
export const generateCommand = ({ clusters, leftOut }: ListedClusters, file: string): string =>
  [
    'lockstep config generate',
    clusterFlags(clusters),
    ...(leftOut.length === 0 ? [] : [leaveOutFlags(leftOut)]),
    `--out ${file}`,
  ].join(' ')

/** What says in which way users of these clusters differ, one command after the other. @param what it says, in words */
export const askForDrift = (clusters: ListedClusters, what: string): readonly string[] => [
  generateCommand(clusters, 'merged.cfg'),
  `lockstep users drift --config merged.cfg   ${what}`,
]
