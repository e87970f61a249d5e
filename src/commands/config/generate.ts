import { Flags } from '@oclif/core'
import { BaseCommand } from '../../cli/base-command.js'
import { readCaFiles } from '../../cli/ca-files.js'
import { exitCodes, paragraph } from '../../cli/exit-codes.js'
import { discoveryFlags, discoveryScope, parseClusterRef, repeatable, utilityChoiceFlag } from '../../cli/flags.js'
import { requireFlag } from '../../cli/rotation-flags.js'
import { checkClusterRefs } from '../../use-cases/choose-clusters.js'
import { type GeneratedConfig, generateConfig } from '../../use-cases/generate-config.js'
import { scopeForClusters } from '../../use-cases/scope-for-clusters.js'

const EXAMPLE = 'lockstep config generate --source CLUSTER --destination CLUSTER --out merged.cfg'

export default class ConfigGenerate extends BaseCommand {
  static override summary = 'Write one configuration of the utility that lists every HSM of cloned clusters, or of one.'
  static override description = `${paragraph(
    'The source cluster comes first, destinations follow in the order given; inside a cluster HSMs are in the order of',
    'their IDs. The place of an HSM in the file is its server ID. Beside FILE stands FILE.map.json, which says which HSM',
    'is meant at each place; both have mode 0600. A file that is replaced is kept as FILE.TIME.bak, with its map.',
  )}

${paragraph(
  'hsm1.medium HSMs are driven by cloudhsm_mgmt_util (cmu), all others by cloudhsm-cli; --utility auto goes by the',
  'clusters. For cloudhsm-cli there is also FILE.proof/HSM.cfg for each HSM, which lists that HSM alone, so that a',
  'login can prove what this very HSM holds.',
)}

${exitCodes({
  0: 'written, or nothing to change; with --dry-run: shown',
  2: 'a flag is wrong, FILE cannot be written, or the base file is malformed',
  3: 'refused for a fact found by asking AWS: unknown cluster, not a clone, an HSM that is not ACTIVE or that cmu does not work with; nothing written',
})}`
  static override examples = [
    '<%= config.bin %> <%= command.id %> --source us-east-1/cluster-aaaaaaaaaaa --destination eu-west-1/cluster-bbbbbbbbbbb --out merged.cfg',
    '<%= config.bin %> <%= command.id %> --source cluster-aaaaaaaaaaa --destination cluster-bbbbbbbbbbb --out merged.cfg --base /opt/cloudhsm/etc/cloudhsm_mgmt_util.cfg --dry-run',
    '<%= config.bin %> <%= command.id %> --source cluster-aaaaaaaaaaa --destination cluster-bbbbbbbbbbb --out cli.cfg --utility cloudhsm-cli --hsm-ca-cert /opt/cloudhsm/etc/customerCA.crt',
  ]
  static override flags = {
    source: Flags.string({ description: 'Cluster that is changed first.', helpValue: 'CLUSTER' }),
    destination: Flags.string({
      description: 'Cluster that follows; may be given several times. Without it the source stands alone.',
      helpValue: 'CLUSTER',
      ...repeatable,
    }),
    out: Flags.string({ description: 'Configuration to write.', helpValue: 'FILE' }),
    base: Flags.string({
      description:
        'Configuration whose certificate paths and settings are kept: for cmu those of its first server, for cloudhsm-cli those of each cluster.',
      helpValue: 'FILE',
    }),
    ...utilityChoiceFlag,
    'hsm-ca-cert': Flags.string({
      description:
        'For cloudhsm-cli: certificate that issued those of the clusters, or of the cluster named; may be given several times.',
      helpValue: '[CLUSTER=]FILE',
      ...repeatable,
    }),
    'dry-run': Flags.boolean({ description: 'Show what would change as a unified diff, and write nothing.' }),
    'skip-inactive': Flags.boolean({ description: 'Leave out HSMs that are not ACTIVE instead of refusing.' }),
    'leave-out': Flags.string({
      description: 'Member of the clone family that is knowingly not listed; may be given several times.',
      helpValue: 'CLUSTER',
      ...repeatable,
    }),
    'accept-unproven-clone': Flags.boolean({
      description: 'Go on although AWS shows no proof that the clusters are clones.',
    }),
    ...discoveryFlags,
  }

  async run(): Promise<Omit<GeneratedConfig, 'kind'>> {
    const { flags } = await this.parse(ConfigGenerate)
    const clusters = {
      source: parseClusterRef(requireFlag(flags.source, '--source', EXAMPLE)),
      destinations: (flags.destination ?? []).map(parseClusterRef),
      leaveOut: (flags['leave-out'] ?? []).map(parseClusterRef),
      waiveCloneProof: flags['accept-unproven-clone'],
      requireFamilyNamed: true,
    }
    const out = requireFlag(flags.out, '--out', EXAMPLE)
    checkClusterRefs(clusters)
    const caFiles = readCaFiles(flags['hsm-ca-cert'] ?? [], [clusters.source, ...clusters.destinations])
    const refs = [clusters.source, ...clusters.destinations, ...clusters.leaveOut]
    const scope = scopeForClusters(await discoveryScope(flags, this.wiring), refs)
    const { kind, ...generated } = await this.generate({
      clusters,
      scope,
      out,
      utility: flags.utility,
      base: flags.base ?? null,
      caFiles,
      skipInactive: flags['skip-inactive'],
      dryRun: flags['dry-run'],
    })
    return generated
  }

  private async generate(request: Parameters<typeof generateConfig>[0]): Promise<GeneratedConfig> {
    const files = await this.wiring.configFiles()
    const generated = await generateConfig(request, { source: await this.wiring.clusterSource(), files })
    const { renderGenerated, renderSkipped } = await import('../../cli/views/config.js')
    for (const warning of generated.warnings) this.note(`Warning: ${warning}`)
    for (const line of renderSkipped(generated)) this.note(line)
    if (!this.jsonEnabled()) this.log(renderGenerated(generated))
    return generated
  }
}
