import { type CaFiles, mergedCliConfig } from '../domain/cli-config.js'
import { showCluster } from '../domain/cluster.js'
import type { ConfigFiles, PreviewedConfig, UtilityConfig, WrittenConfig } from '../domain/config-files.js'
import { refusal, usageError } from '../domain/errors.js'
import { mergedConfig } from '../domain/merged-config.js'
import type { MergedClusters, MergedRoster, SkippedHsm } from '../domain/merged-roster.js'
import type { ClusterSource, DiscoveryScope } from '../domain/ports.js'
import type { Roster } from '../domain/roster.js'
import { mappedClusters } from '../domain/roster-map.js'
import { chooseUtility, type UtilityChoice, type UtilityName } from '../domain/utility/utility.js'
import { type ClusterChoiceRequest, checkClusterRefs, chooseClusters } from './choose-clusters.js'

/** What an operator asked for. */
export interface GenerateRequest {
  readonly clusters: ClusterChoiceRequest
  readonly scope: DiscoveryScope
  /** The configuration to write. */
  readonly out: string
  /** Whose format is written. */
  readonly utility: UtilityChoice
  /** A configuration whose paths and settings are kept. */
  readonly base: string | null
  /** For cloudhsm-cli alone. */
  readonly caFiles: CaFiles
  /** Whether HSMs that are not ACTIVE are left out instead of stopping everything. */
  readonly skipInactive: boolean
  /** Whether nothing is written. */
  readonly dryRun: boolean
}

/** What was written, or would be. */
export type GeneratedConfig = {
  readonly path: string
  readonly utility: UtilityName
  readonly servers: Roster
  readonly skipped: readonly SkippedHsm[]
  /** What an operator should know although it stops nothing. */
  readonly warnings: readonly string[]
} & (({ readonly kind: 'written' } & WrittenConfig) | ({ readonly kind: 'previewed' } & PreviewedConfig))

/**
 * Merges the HSMs of cloned clusters into one configuration of the utility that works with them.
 * @throws {OperatorError} exit 2: those of `checkClusterRefs`, `ConfigFiles.readBase` and `ConfigFiles.write`;
 *   exit 2, or 3 where it was AWS that decided the utility: `BASE_OF_OTHER_UTILITY`, `CA_CERT_NOT_USED`;
 *   exit 3: those of `chooseClusters` and `chooseUtility`, `HSM_NOT_ACTIVE`, `DUPLICATE_ADDRESS`
 */
export const generateConfig = async (
  request: GenerateRequest,
  { source, files }: { readonly source: ClusterSource; readonly files: ConfigFiles },
): Promise<GeneratedConfig> => {
  const { clusters, scope, out, skipInactive, dryRun } = request
  // What can be wrong on this machine is found before AWS is asked.
  checkClusterRefs(clusters)
  const base = request.base === null ? null : await files.readBase(request.base)
  if (request.utility !== 'auto') refuseUnfit(request, base, request.utility)
  if (!dryRun) await files.checkWritable(out, request.utility)
  const choice = chooseClusters(await source.discover(scope), clusters)
  const { utility, warnings } = chooseUtility(request.utility, [choice.source, ...choice.destinations])
  refuseUnfit(request, base, utility)
  const { skipped, roster, ...config } = merge(utility, choice, base, request.caFiles)
  if (!skipInactive) refuseInactive(skipped)
  const draft = { ...config, roster, clusters: mappedClusters(choice) }
  const common = { path: out, utility, servers: roster, skipped, warnings: [...choice.warnings, ...warnings] }
  return dryRun
    ? { kind: 'previewed', ...common, ...(await files.preview(out, draft)) }
    : { kind: 'written', ...common, ...(await files.write(out, draft)) }
}

const merge = (
  utility: UtilityName,
  clusters: MergedClusters,
  base: UtilityConfig | null,
  caFiles: CaFiles,
): UtilityConfig & MergedRoster =>
  utility === 'cmu'
    ? { utility, ...mergedConfig(clusters, base?.utility === 'cmu' ? base.document : undefined) }
    : { utility, ...mergedCliConfig(clusters, base?.utility === 'cloudhsm-cli' ? base.document : undefined, caFiles) }

/** A base whose settings would be dropped, and certificates nobody would read. */
const refuseUnfit = (request: GenerateRequest, base: UtilityConfig | null, utility: UtilityName): void => {
  const refuse = request.utility === 'auto' ? refusal : usageError
  const written = `the format of ${utility} is written${request.utility === 'auto' ? ', by the HSM type of the clusters' : ''}`
  if (base !== null && base.utility !== utility) {
    throw refuse(
      'BASE_OF_OTHER_UTILITY',
      `the base ${request.base} has the format of ${base.utility}, and ${written}`,
      [`name a configuration of ${utility} with --base, or leave --base out`],
    )
  }
  if (utility === 'cmu' && (request.caFiles.common !== null || request.caFiles.byCluster.size > 0)) {
    throw refuse('CA_CERT_NOT_USED', `--hsm-ca-cert is for cloudhsm-cli, and ${written}`, [
      'with cmu the certificate is e2e_encryption.owner_cert_path of the file that --base names',
      'add --utility cloudhsm-cli',
    ])
  }
}

/** An HSM that is not listed keeps its users as they are, unseen. */
const refuseInactive = (skipped: readonly SkippedHsm[]): void => {
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
