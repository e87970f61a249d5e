import { Flags } from '@oclif/core'
import { exitCodes } from '../../cli/exit-codes.js'
import { RotationCommand } from '../../cli/rotation-command.js'
import { requireFlag, utilityFlags } from '../../cli/rotation-flags.js'
import { EXIT } from '../../domain/errors.js'
import { type UserDifference, userDrift } from '../../domain/user-drift.js'
import { readAllUsers } from '../../use-cases/rotation/preflight.js'

export default class UsersDrift extends RotationCommand {
  static override summary = 'Say what differs between the HSMs, as far as listings show it.'
  static override description =
    `Compares every HSM with the first one of the configuration, and failure counts with zero. Passwords cannot be compared
this way.

${exitCodes({
  0: 'nothing differs',
  2: 'a flag is wrong',
  3: 'an HSM cannot be reached, or is another one',
  6: 'something differs',
})}`
  static override examples = ['<%= config.bin %> <%= command.id %> --config merged.cfg --json']
  static override flags = {
    config: Flags.string({ description: 'Merged configuration.', helpValue: 'FILE' }),
    ...utilityFlags,
  }

  async run(): Promise<{ readonly differences: readonly UserDifference[] }> {
    const { flags } = await this.parse(UsersDrift)
    const path = requireFlag(flags.config, '--config', '--config merged.cfg')
    const config = await this.wiring.loadRoster(path)
    const { roster } = config
    const differences = userDrift(
      await readAllUsers(await this.console(flags, config, roster), roster, flags.concurrency),
    )
    if (differences.length > 0) process.exitCode = EXIT.differences
    if (!this.jsonEnabled()) {
      const { renderDrift } = await import('../../cli/views/users.js')
      this.log(renderDrift(differences))
    }
    return { differences }
  }
}
