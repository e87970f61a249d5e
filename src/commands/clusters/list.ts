import { BaseCommand } from '../../cli/base-command.js'
import { exitCodes, paragraph } from '../../cli/exit-codes.js'
import { discoveryFlags, discoveryScope } from '../../cli/flags.js'
import { type Discovery, familyOf, isGap } from '../../domain/clone-family.js'
import { EXIT } from '../../domain/errors.js'

export default class ClustersList extends BaseCommand {
  static override summary = 'List the clusters of every Region, grouped into clone families.'
  static override description = `${paragraph(
    'Asks every Region (or those named) through every profile at once. A Region that does not answer is named on',
    'stderr and under "problems" in the JSON document. Credentials come from the AWS SDK\'s own provider chain.',
  )}

${exitCodes({
  0: 'every Region answered; a Region that is not enabled counts only where it was named',
  2: 'a flag or the targets file is wrong',
  3: 'no credentials, or not one Region answered',
  6: 'the list is partial: some Region did not answer, or records contradict one another',
})}`
  static override examples = [
    '<%= config.bin %> <%= command.id %>',
    '<%= config.bin %> <%= command.id %> --region us-east-1 --region eu-west-1 --json',
    '<%= config.bin %> <%= command.id %> --profile prod --profile standby',
    '<%= config.bin %> <%= command.id %> --role-arn arn:aws:iam::111122223333:role/HsmReader',
  ]
  static override flags = discoveryFlags

  async run(): Promise<unknown> {
    const { flags } = await this.parse(ClustersList)
    const scope = await discoveryScope(flags, this.wiring)
    const discovery = await (await this.wiring.clusterSource()).discover(scope)
    const { renderClusters, renderProblems } = await import('../../cli/views/clusters.js')
    if (!this.jsonEnabled()) this.log(renderClusters(discovery))
    for (const line of renderProblems(discovery)) this.note(line)
    if (discovery.problems.some(isGap)) this.note('The list is partial: not every Region answered in full.')
    if (discovery.problems.some(isGap) || discovery.conflicts.length > 0) process.exitCode = EXIT.differences
    return toDocument(discovery)
  }
}

const toDocument = ({ clusters, families, problems, conflicts, asked }: Discovery): unknown => ({
  clusters: clusters.map((cluster) => ({
    ...cluster,
    family: familyOf({ families }, cluster.clusterId)?.family ?? null,
  })),
  families,
  problems,
  conflicts,
  regions: asked,
})
