import { Flags } from '@oclif/core'
import { exitCodes } from '../../cli/exit-codes.js'
import { RotationCommand } from '../../cli/rotation-command.js'
import { requireFlag, utilityFlags } from '../../cli/rotation-flags.js'
import type { HsmUser } from '../../domain/hsm-user.js'
import type { HsmId, ServerId } from '../../domain/ids.js'
import { readAllUsers } from '../../use-cases/rotation/survey/read-users.js'

interface UsersDocument {
  readonly servers: readonly {
    readonly serverId: ServerId
    readonly hsmId: HsmId
    readonly users: readonly HsmUser[]
  }[]
}

export default class UsersList extends RotationCommand {
  static override summary = 'Show the users of every HSM side by side.'
  static override description =
    `Asks every HSM of a merged configuration for its users. No login. A listing shows no password: two HSMs that hold
different ones look the same.

${exitCodes({ 0: 'every HSM answered', 2: 'a flag is wrong', 3: 'an HSM cannot be reached, or is another one' })}`
  static override examples = ['<%= config.bin %> <%= command.id %> --config merged.cfg']
  static override flags = {
    config: Flags.string({ description: 'Merged configuration.', helpValue: 'FILE' }),
    ...utilityFlags,
  }

  async run(): Promise<UsersDocument> {
    const { flags } = await this.parse(UsersList)
    const path = requireFlag(flags.config, '--config', '--config merged.cfg')
    const config = await this.wiring.loadRoster(path)
    const { roster } = config
    const matrix = await readAllUsers(await this.console(flags, config, roster), roster, flags.concurrency)
    if (!this.jsonEnabled()) {
      const { renderUsers } = await import('../../cli/views/users.js')
      this.log(renderUsers(config, matrix))
    }
    return {
      servers: roster.map(({ serverId, hsmId }) => ({ serverId, hsmId, users: matrix.get(hsmId) ?? [] })),
    }
  }
}
