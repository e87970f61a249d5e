import { Flags } from '@oclif/core'
import { exitCodes } from '../../cli/exit-codes.js'
import { RotationCommand } from '../../cli/rotation-command.js'
import { planFlags, requireFlag, utilityFlags } from '../../cli/rotation-flags.js'
import { EXIT } from '../../domain/errors.js'
import { type UserKey, userKey } from '../../domain/hsm-user.js'
import { parseUserRef } from '../../domain/hsm-user-text.js'
import { requireTypable } from '../../domain/password.js'
import { LoginBudget } from '../../domain/rotation/login-budget.js'
import { parseSecretForm } from '../../domain/secret-form.js'
import { type PasswordProof, provePassword } from '../../use-cases/prove-password.js'
import { proofAdvice } from '../../use-cases/rotation/prove-advice.js'

interface ProofDocument {
  readonly user: UserKey
  readonly hsms: readonly PasswordProof[]
  /** What can be done where not every HSM holds it. */
  readonly advice: readonly string[]
}

export default class UsersProve extends RotationCommand {
  static override summary = 'Say which HSMs hold this password, by one login each.'
  static override description =
    `The only way to compare passwords. A wrong one costs a failed login on every HSM that is asked; an HSM on which the user
is near its lock-out is not asked. With cloudhsm-cli a login reaches a whole cluster: where it is refused, at least one
of its HSMs does not hold the password, and it is not known which.

${exitCodes({
  0: 'every HSM holds it',
  2: 'a flag is wrong',
  3: 'the configuration cannot be used',
  6: 'some HSM does not hold it, or could not be asked',
})}`
  static override examples = [
    '<%= config.bin %> <%= command.id %> --config merged.cfg --user CU:app_crypto --password prompt',
  ]
  static override flags = {
    config: Flags.string({ description: 'Merged configuration.', helpValue: 'FILE' }),
    user: Flags.string({ description: 'The user.', helpValue: 'CU:NAME' }),
    password: Flags.string({ description: 'The password to ask for.', helpValue: 'SECRET' }),
    'lockout-limit': planFlags['lockout-limit'],
    ...utilityFlags,
  }

  async run(): Promise<ProofDocument> {
    const { flags } = await this.parse(UsersProve)
    const user = parseUserRef(requireFlag(flags.user, '--user', '--user CU:app_crypto'))
    const flag = '--password'
    const form = parseSecretForm(requireFlag(flags.password, flag, `${flag} prompt`), flag)
    const path = requireFlag(flags.config, '--config', '--config merged.cfg')
    const config = await this.wiring.loadRoster(path)
    const { roster } = config
    const password = await (await this.wiring.secrets()).resolve(form, { flag, what: `password of ${userKey(user)}` })
    requireTypable(password, userKey(user))
    const { refusedLogins, shelf } = await this.wiring.rotationPorts()
    const hsms = await provePassword(await this.console(flags, config, roster), roster, user, password, {
      concurrency: flags.concurrency,
      budget: new LoginBudget(flags['lockout-limit'], refusedLogins),
    })
    if (hsms.some(({ match }) => match !== true)) process.exitCode = EXIT.differences
    const advice = await proofAdvice({ proofs: hsms, user, config, path }, shelf)
    if (!this.jsonEnabled()) {
      const { renderProofs, renderSteps } = await import('../../cli/views/users.js')
      this.log(renderProofs(hsms))
      if (advice.length > 0) this.note(renderSteps(advice))
    }
    return { user: userKey(user), hsms, advice }
  }
}
