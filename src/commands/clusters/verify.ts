import { Args } from '@oclif/core'
import { BaseCommand } from '../../cli/base-command.js'
import { exitCodes, paragraph } from '../../cli/exit-codes.js'
import { discoveryFlags, discoveryScope, parseClusterRef } from '../../cli/flags.js'
import type { CloneVerdict } from '../../domain/clone-family.js'
import { EXIT } from '../../domain/errors.js'
import { scopeForClusters } from '../../use-cases/scope-for-clusters.js'
import { checkVerifyRefs, type VerifiedClones, verifyClones } from '../../use-cases/verify-clones.js'

const EXIT_OF: Record<CloneVerdict['verdict'], number> = {
  clone: EXIT.done,
  'probably-clone': EXIT.done,
  unknown: EXIT.refused,
  'not-a-clone': EXIT.differences,
}

export default class ClustersVerify extends BaseCommand {
  static override summary = 'Say whether clusters are clones of one another, and why.'
  static override description = `${paragraph(
    'Compares the cluster certificates and follows the backups the clusters were made from. The verdict comes with',
    'its certainty (4 proven, 3 recorded, 2 inferred, 0 unknown), the evidence, and the fact that is missing.',
  )}

A CLUSTER is cluster-id, region/cluster-id or profile:region/cluster-id.

${exitCodes({
  0: 'clones, with certainty 2 or higher',
  2: 'a flag or a cluster reference is wrong',
  3: 'unknown; or a cluster was not found, or AWS could not be asked',
  6: 'not clones',
})}`
  static override examples = [
    '<%= config.bin %> <%= command.id %> cluster-aaaaaaaaaaa cluster-bbbbbbbbbbb',
    '<%= config.bin %> <%= command.id %> prod:us-east-1/cluster-aaaaaaaaaaa standby:eu-west-1/cluster-bbbbbbbbbbb',
  ]
  // further clusters arrive in argv: oclif knows no argument that repeats
  static override strict = false
  static override args = {
    cluster: Args.string({ description: 'First cluster; name one or more others after it.', required: true }),
  }
  static override flags = discoveryFlags

  async run(): Promise<VerifiedClones> {
    const { argv, flags } = await this.parse(ClustersVerify)
    const refs = argv.map((text) => parseClusterRef(String(text)))
    checkVerifyRefs(refs)
    const scope = scopeForClusters(await discoveryScope(flags, this.wiring), refs)
    const discovery = await (await this.wiring.clusterSource()).discover(scope)
    const answer = verifyClones(discovery, refs)
    const { renderProblems, renderVerdict } = await import('../../cli/views/clusters.js')
    if (!this.jsonEnabled()) this.log(renderVerdict(answer))
    for (const line of renderProblems(discovery)) this.note(line)
    process.exitCode = EXIT_OF[answer.verdict]
    return answer
  }
}
