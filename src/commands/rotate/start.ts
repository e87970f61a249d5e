import { Flags } from '@oclif/core'
import { exitCodes } from '../../cli/exit-codes.js'
import { discoveryFlags } from '../../cli/flags.js'
import { readOfficers, resolveOfficers } from '../../cli/officers.js'
import { isGenerated, readPasswordFlag, resolvePasswords } from '../../cli/passwords.js'
import { RotationCommand } from '../../cli/rotation-command.js'
import { planFlags, runFlags, runOptions, storeFlags, utilityFlags } from '../../cli/rotation-flags.js'
import { readTarget } from '../../cli/rotation-target.js'
import type { PlanContext } from '../../cli/views/plan.js'
import { refOf } from '../../domain/cluster.js'
import { usageError } from '../../domain/errors.js'
import type { RotationDocument } from '../../domain/rotation/outcome.js'
import type { RotationPlan } from '../../domain/rotation/plan.js'
import { planRotation } from '../../use-cases/rotation/open/plan.js'
import { refuseEqual } from '../../use-cases/rotation/open/planned-passwords.js'
import { startRotation } from '../../use-cases/rotation/open/start.js'

const INSTEAD_OF_PLAN = ['source', 'destination', 'user', 'leave-out'] as const

export default class RotateStart extends RotationCommand {
  static override summary = 'Give users a new password on every HSM of cloned clusters, and prove it by login.'
  static override description =
    `Nothing is changed before every check has passed and the question is answered. From then on a journal knows
what was done; a run that stops is resumed with rotate resume.
A SECRET is prompt, env:NAME, file:PATH, command:CMD or secretsmanager:ID[#KEY]; never a password itself.

${exitCodes({
  0: 'every HSM holds the new password, proved by login',
  1: 'unexpected failure; rotate status shows how things stand',
  2: 'a flag is wrong',
  3: 'declined, or refused for a fact found by asking; nothing has changed',
  4: 'paused; rotate resume goes on',
  5: 'another rotation works on one of the clusters, or is not finished there',
  6: 'completed with debt: HSMs that --allow-unreachable names stayed behind',
  130: 'interrupted before anything changed',
})}`
  static override examples = [
    '<%= config.bin %> <%= command.id %> --source us-east-1/cluster-aaaaaaaaaaa --destination eu-west-1/cluster-bbbbbbbbbbb --user CU:app_crypto --officer admin --officer-password prompt --new-password generate --store file:credentials.age --store-passphrase prompt',
    '<%= config.bin %> <%= command.id %> --plan plan.json --officer us-east-1/cluster-aaaaaaaaaaa=admin --officer-password us-east-1/cluster-aaaaaaaaaaa=prompt --officer eu-west-1/cluster-bbbbbbbbbbb=eu_admin --officer-password eu-west-1/cluster-bbbbbbbbbbb=env:EU_OFFICER --new-password generate --store file:credentials.age --store-passphrase prompt',
    '<%= config.bin %> <%= command.id %> --plan plan.json --officer admin --officer-password env:OFFICER --new-password CU:app_crypto=file:new.txt --store file:credentials.age --yes --json',
  ]
  static override flags = {
    plan: Flags.string({
      description: 'Plan to carry out; the facts must still match it.',
      helpValue: 'FILE',
      exclusive: [...INSTEAD_OF_PLAN],
    }),
    ...planFlags,
    config: Flags.string({ description: 'Merged configuration to use instead of a generated one.', helpValue: 'FILE' }),
    ...runFlags,
    'new-password': Flags.string({
      description: 'New password, for every user or per user; generate makes one for each.',
      helpValue: '[USER=]SECRET|generate',
      multiple: true,
      multipleNonGreedy: true,
    }),
    'dry-run': Flags.boolean({ description: 'Check everything that needs no login, show the plan and stop.' }),
    ...storeFlags,
    ...utilityFlags,
    ...discoveryFlags,
  }

  async run(): Promise<RotationDocument | { readonly plan: RotationPlan }> {
    const { flags } = await this.parse(RotateStart)
    const options = runOptions(flags)
    const lockForm = this.lockForm(flags)
    const planFile = flags.plan === undefined ? null : await this.wiring.readPlan(flags.plan)
    const expected = planFile?.plan ?? null
    const target = await readTarget(flags, planFile, this.wiring)
    const rules = {
      lockoutLimit: flags['lockout-limit'],
      createMissing: flags['create-missing'],
      allowKmsuser: flags['allow-kmsuser'],
    }
    if (flags['dry-run']) {
      const { chosen, config } = await this.find(target, flags.config)
      const hsms = await this.console(flags, config, chosen.roster)
      const mayStay = options.mayStayBehind.hsmIds
      const { plan, behind } = await planRotation(chosen, target.users, hsms, flags.concurrency, rules, mayStay)
      await this.showPlan(plan, { byCurrent: flags['current-password'] !== undefined, lost: chosen.lost, behind })
      return { plan }
    }
    const next = readPasswordFlag('--new-password', flags['new-password'])
    if (next.forms.length === 0) {
      throw usageError('FLAG_MISSING', '--new-password is missing', ['--new-password generate'])
    }
    const given = readPasswordFlag('--current-password', flags['current-password'])
    const officers = readOfficers(flags, [target.request.source, ...target.request.destinations])
    const secrets = await this.wiring.secrets()
    const officerOf = await resolveOfficers(officers, secrets)
    const store = await this.openStore(flags, secrets)
    const currentPasswords = await resolvePasswords(given, target.users, secrets)
    const newPasswords = await resolvePasswords(next, target.users, secrets)
    refuseEqual(newPasswords, currentPasswords)

    const { chosen, config } = await this.find(target, flags.config)
    this.noteLocalLock(lockForm, 'rotation')
    if (store.onThisMachine) this.note(`${store.description} is lost when this machine is.`)
    return this.begin(this.sharedLock(lockForm, flags, config.utility), async ({ settle, ...ports }) =>
      startRotation(
        {
          chosen,
          users: target.users,
          rules,
          options,
          newPasswords,
          newCredential: isGenerated(next) ? 'generated' : 'given',
          currentPasswords,
          expected,
          retryOfficer: flags['retry-officer'],
          config,
        },
        {
          ...ports,
          console: await this.console(flags, config, chosen.roster),
          officerOf,
          lockoutLimit: rules.lockoutLimit,
          concurrency: flags.concurrency,
          store,
          hooks: await this.hooks(flags),
          operator: await this.wiring.operator(flags.yes),
          discover: this.discoverAgain(target.scope, [chosen.source, ...chosen.destinations].map(refOf)),
          discoverUnseen: this.discoverUnseen(target.scope, refOf(chosen.source)),
          showPlan: async (plan, byCurrent, behind) => {
            await settle()
            await this.showPlan(plan, { byCurrent, lost: chosen.lost, behind })
          },
        },
      ),
    )
  }

  private async showPlan(plan: RotationPlan, context: PlanContext): Promise<void> {
    const { renderPlan } = await import('../../cli/views/plan.js')
    this.note(renderPlan(plan, context))
  }
}
