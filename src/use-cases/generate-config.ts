import { showCluster } from '../domain/cluster.js'
import type { ConfigFiles, WrittenConfig } from '../domain/config-files.js'
import { refusal } from '../domain/errors.js'
import { type MergedConfig, mergedConfig, type SkippedHsm } from '../domain/merged-config.js'
import type { ClusterSource, DiscoveryScope } from '../domain/ports.js'
import type { Roster } from '../domain/roster.js'
import { mappedClusters } from '../domain/roster-map.js'
import { type ClusterChoiceRequest, checkClusterRefs, chooseClusters } from './choose-clusters.js'

/** What an operator asked for. */
export interface GenerateRequest {
  readonly clusters: ClusterChoiceRequest
  readonly scope: DiscoveryScope
  /** The configuration to write. */
  readonly out: string
  /** A configuration whose paths and settings are kept. */
  readonly base: string | null
  /** Whether HSMs that are not ACTIVE are left out instead of stopping everything. */
  readonly skipInactive: boolean
  /** Whether nothing is written. */
  readonly dryRun: boolean
}

/** What was written, or would be. */
export type GeneratedConfig = {
  readonly path: string
  readonly servers: Roster
  readonly skipped: readonly SkippedHsm[]
  /** What an operator should know although it stops nothing. */
  readonly warnings: readonly string[]
} & (({ readonly kind: 'written' } & WrittenConfig) | ({ readonly kind: 'previewed' } & Preview))

type Preview = Awaited<ReturnType<ConfigFiles['preview']>>

/**
 * Merges the HSMs of cloned clusters into one configuration of the management utility.
 * @throws {OperatorError} exit 2: those of `checkClusterRefs`, `ConfigFiles.readBase` and `ConfigFiles.write`;
 *   exit 3: those of `chooseClusters`, `HSM_TYPE_NOT_SUPPORTED`, `HSM_NOT_ACTIVE`, `DUPLICATE_ADDRESS`
 */
export const generateConfig = async (
  { clusters, scope, out, base, skipInactive, dryRun }: GenerateRequest,
  { source, files }: { readonly source: ClusterSource; readonly files: ConfigFiles },
): Promise<GeneratedConfig> => {
  // What can be wrong on this machine is found before AWS is asked.
  checkClusterRefs(clusters)
  const pattern = base === null ? undefined : await files.readBase(base)
  if (!dryRun) await files.checkWritable(out)
  const choice = chooseClusters(await source.discover(scope), clusters)
  const merged = mergedConfig(choice, pattern)
  if (!skipInactive) refuseInactive(merged)
  const draft = { document: merged.document, roster: merged.roster, clusters: mappedClusters(choice) }
  const common = { path: out, servers: merged.roster, skipped: merged.skipped, warnings: choice.warnings }
  return dryRun
    ? { kind: 'previewed', ...common, ...(await files.preview(out, draft)) }
    : { kind: 'written', ...common, ...(await files.write(out, draft)) }
}

/** An HSM that is not listed keeps its users as they are, unseen. */
const refuseInactive = ({ skipped }: MergedConfig): void => {
  if (skipped.length === 0) return
  throw refusal(
    'HSM_NOT_ACTIVE',
    `not every HSM can be listed: ${skipped.map((hsm) => `${hsm.hsmId} in ${showCluster(hsm)} ${hsm.reason}`).join('; ')}`,
    [
      'wait until AWS has replaced or removed it: lockstep clusters list',
      'add --skip-inactive to leave it out knowingly: a user changed by way of this file keeps the old password there',
    ],
  )
}
