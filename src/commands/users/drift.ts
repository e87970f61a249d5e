import { Flags } from '@oclif/core'
import { exitCodes } from '../../cli/exit-codes.js'
import { RotationCommand } from '../../cli/rotation-command.js'
import { planFlags, requireFlag, utilityFlags } from '../../cli/rotation-flags.js'
import { type DriftAdvice, driftAdvice } from '../../domain/drift-advice.js'
import { EXIT } from '../../domain/errors.js'
import { userKey } from '../../domain/hsm-user.js'
import { LoginBudget } from '../../domain/rotation/login-budget.js'
import { type UserDifference, userDrift } from '../../domain/user-drift.js'
import { readAllUsers } from '../../use-cases/rotation/survey/read-users.js'
import { whereLoginsAreLeft } from '../../use-cases/where-logins-are-left.js'

interface DriftDocument {
  readonly differences: readonly UserDifference[]
  /** No listing shows a password. */
  readonly passwordsCompared: false
  readonly advice: readonly DriftAdvice[]
}

export default class UsersDrift extends RotationCommand {
  static override summary = 'Say what differs between the HSMs, as far as listings show it.'
  static override description =
    `Compares every HSM with the first one of the configuration, and failure counts with zero. Passwords are not compared:
no listing shows one, and users prove asks by a login. What can be done about a difference is said with it: the users repair
that brings a missing user over, or the order in which AWS says to repair a role, a lock, a second factor or a quorum key.
Through cloudhsm_mgmt_util a user is locked where its failure count has reached --lockout-limit; cloudhsm-cli says so itself,
of a cluster as one.

${exitCodes({
  0: 'nothing differs',
  2: 'a flag is wrong',
  3: 'an HSM cannot be reached, or is another one',
  6: 'something differs',
})}`
  static override examples = ['<%= config.bin %> <%= command.id %> --config merged.cfg --json']
  static override flags = {
    config: Flags.string({ description: 'Merged configuration.', helpValue: 'FILE' }),
    'lockout-limit': planFlags['lockout-limit'],
    ...utilityFlags,
  }

  async run(): Promise<DriftDocument> {
    const { flags } = await this.parse(UsersDrift)
    const path = requireFlag(flags.config, '--config', '--config merged.cfg')
    const config = await this.wiring.loadRoster(path)
    const { roster } = config
    const matrix = await readAllUsers(await this.console(flags, config, roster), roster, flags.concurrency)
    const { clusters, utility } = config
    const lockoutLimit = flags['lockout-limit']
    const differences = userDrift(matrix, { roster, utility, lockoutLimit })
    const differing = [...matrix.values()]
      .flat()
      .filter((user) => differences.some((one) => one.user === userKey(user)))
    const { refusedLogins } = await this.wiring.rotationPorts()
    const budget = new LoginBudget(lockoutLimit, refusedLogins)
    const mayLogIn = await whereLoginsAreLeft(differing, matrix, roster, utility, budget)
    const advice = driftAdvice({ differences, matrix, roster, clusters, utility, lockoutLimit, mayLogIn })
    if (differences.length > 0) process.exitCode = EXIT.differences
    if (!this.jsonEnabled()) {
      const { renderDrift } = await import('../../cli/views/users.js')
      this.log(renderDrift(differences, advice, config, path))
    }
    return { differences, passwordsCompared: false, advice }
  }
}
