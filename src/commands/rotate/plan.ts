import { Flags } from '@oclif/core'
import { exitCodes } from '../../cli/exit-codes.js'
import { discoveryFlags } from '../../cli/flags.js'
import { RotationCommand } from '../../cli/rotation-command.js'
import { planFlags, requireFlag, utilityFlags } from '../../cli/rotation-flags.js'
import { readTarget } from '../../cli/rotation-target.js'
import type { PlanFile } from '../../domain/rotation/plan-file.js'
import { planRotation } from '../../use-cases/rotation/open/plan.js'

export default class RotatePlan extends RotationCommand {
  static override summary = 'Decide what a rotation would do, and write it down for review.'
  static override description = `Reads only: asks AWS which HSMs there are and every HSM which users it has. No login.

${exitCodes({ 0: 'planned', 2: 'a flag is wrong', 3: 'a fact found by asking forbids the rotation' })}`
  static override examples = [
    '<%= config.bin %> <%= command.id %> --source us-east-1/cluster-aaaaaaaaaaa --destination eu-west-1/cluster-bbbbbbbbbbb --user CU:app_crypto --out plan.json',
  ]
  static override flags = {
    ...planFlags,
    config: Flags.string({ description: 'Merged configuration to use instead of a generated one.', helpValue: 'FILE' }),
    out: Flags.string({ description: 'Where the plan is written.', helpValue: 'FILE' }),
    ...utilityFlags,
    ...discoveryFlags,
  }

  async run(): Promise<PlanFile & { readonly path: string }> {
    const { flags } = await this.parse(RotatePlan)
    const path = requireFlag(flags.out, '--out', '--out plan.json')
    const target = await readTarget(flags, null, this.wiring)
    const { chosen, config } = await this.find(target, flags.config)
    const { plan } = await planRotation(
      chosen,
      target.users,
      await this.console(flags, config, chosen.roster),
      flags.concurrency,
      {
        lockoutLimit: flags['lockout-limit'],
        createMissing: flags['create-missing'],
        allowKmsuser: flags['allow-kmsuser'],
      },
    )
    const file = await this.wiring.writePlan(path, plan, chosen.lost ?? [])
    if (!this.jsonEnabled()) {
      const { renderPlan } = await import('../../cli/views/plan.js')
      this.log(renderPlan(plan, { lost: chosen.lost }))
      this.log(`written to ${path}`)
    }
    return { path, ...file }
  }
}
