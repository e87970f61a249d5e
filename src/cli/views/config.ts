import { printable } from '../../adapters/terminal/printable.js'
import { renderTable } from '../../adapters/terminal/table.js'
import type { CheckedConfig } from '../../use-cases/check-config.js'
import type { GeneratedConfig } from '../../use-cases/generate-config.js'

/** What `config generate` prints: the diff alone where nothing was written. */
export const renderGenerated = (generated: GeneratedConfig): string => {
  if (generated.kind === 'previewed') {
    return generated.diff === '' ? `${generated.path} says the same already.` : generated.diff.replace(/\n$/, '')
  }
  const { path, utility, servers, changed, backup, sha256, proofConfigs } = generated
  const rows = servers.map(({ serverId, hsmId, eniIp, region, clusterId, role }) => [
    String(serverId),
    hsmId,
    eniIp,
    region,
    clusterId,
    role,
  ])
  const lines = [renderTable(['SERVER', 'HSM', 'ENI IP', 'REGION', 'CLUSTER', 'ROLE'], rows), '']
  lines.push(
    changed
      ? `${path} written for ${utility}, ${servers.length} HSMs`
      : `${path} said the same already; nothing written`,
  )
  if (changed && proofConfigs.length > 0) lines.push(`beside it, one for each HSM alone: ${path}.proof`)
  if (backup !== null) lines.push(`the file it replaces is kept as ${backup}`)
  lines.push(`sha256 ${sha256}`)
  return lines.join('\n')
}

/** One line per HSM that was left out. */
export const renderSkipped = ({ skipped }: GeneratedConfig): string[] =>
  skipped.map((hsm) => printable(`skipped: ${hsm.hsmId} in ${hsm.region}/${hsm.clusterId} ${hsm.reason}`))

/** What `config check` prints. */
export const renderChecked = ({ path, utility, ok, generatedAt, differences }: CheckedConfig): string =>
  ok
    ? `${path}, generated for ${utility} at ${generatedAt}, lists what AWS reports now.`
    : [
        `${path}, generated at ${generatedAt}: ${differences.length === 1 ? '1 difference' : `${differences.length} differences`}`,
        ...differences.map(({ message }) => `  ${printable(message)}`),
      ].join('\n')
