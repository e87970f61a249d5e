import { Args } from '@oclif/core'
import { BaseCommand } from '../../cli/base-command.js'
import { exitCodes, paragraph } from '../../cli/exit-codes.js'
import { discoveryFlags, discoveryScope } from '../../cli/flags.js'
import { EXIT } from '../../domain/errors.js'
import { type CheckedConfig, checkConfig } from '../../use-cases/check-config.js'

export default class ConfigCheck extends BaseCommand {
  static override summary = 'Compare a configuration with what was generated and with what AWS reports now.'
  static override description = `${paragraph(
    'Checks the form of FILE and of FILE.map.json, whether FILE was edited since it was generated, and whether its HSMs',
    'are still there, ACTIVE, under the same address, and all of them. Only the Regions that the map names are asked.',
    'The content of FILE shows whether it is for cmu or for cloudhsm-cli; for the latter FILE.proof is checked as well.',
  )}

${exitCodes({
  0: 'nothing differs',
  2: 'FILE cannot be read, or it or its map is malformed',
  3: 'there is no map beside FILE, or AWS could not be asked',
  6: 'something differs',
})}`
  static override examples = [
    '<%= config.bin %> <%= command.id %> merged.cfg',
    '<%= config.bin %> <%= command.id %> merged.cfg --json',
  ]
  static override args = {
    file: Args.string({ description: 'Configuration that config generate wrote.', required: true, name: 'FILE' }),
  }
  static override flags = discoveryFlags

  async run(): Promise<CheckedConfig> {
    const { args, flags } = await this.parse(ConfigCheck)
    const scope = await discoveryScope(flags, this.wiring)
    const files = await this.wiring.configFiles()
    const checked = await checkConfig({ path: args.file, scope }, { source: await this.wiring.clusterSource(), files })
    if (!checked.ok) process.exitCode = EXIT.differences
    const { renderChecked } = await import('../../cli/views/config.js')
    if (!this.jsonEnabled()) this.log(renderChecked(checked))
    return checked
  }
}
