import { Flags } from '@oclif/core'
import { exitCodes } from '../../cli/exit-codes.js'
import { discoveryFlags } from '../../cli/flags.js'
import { RotationCommand } from '../../cli/rotation-command.js'
import { planFlags, runFlags, silenceLimits, storeFlags, utilityFlags } from '../../cli/rotation-flags.js'
import { readTarget } from '../../cli/rotation-target.js'
import type { RotationId } from '../../domain/ids.js'
import type { RotationDocument } from '../../domain/rotation/outcome.js'
import { recoverRotation } from '../../use-cases/rotation/open/recover.js'

const { 'create-missing': _, 'allow-kmsuser': __, ...targetFlags } = planFlags

export default class RotateRecover extends RotationCommand {
  static override summary = 'Begin the journal of a rotation anew, when it was lost.'
  static override description =
    `The store says which rotation it was and holds its credentials; each HSM is asked by at most one login per user, and none
on which the user is near its lock-out. Nothing is changed. Afterwards rotate resume goes on, or rotate rollback goes
back where a login with the current credential of the store succeeded. Before the logins it waits out the command time-out.
A journal that is broken or empty is kept under another name, and never repaired.

${exitCodes({
  1: 'unexpected failure',
  2: 'a flag is wrong',
  3: 'no rotation is under way, or its journal is here; or a fact found by asking forbids it',
  4: 'the cells are rebuilt, as far as it was not interrupted; rotate resume goes on',
  5: 'another run works on one of the clusters',
  130: 'interrupted before the journal was begun',
})}`
  static override examples = [
    '<%= config.bin %> <%= command.id %> --source us-east-1/cluster-aaaaaaaaaaa --destination eu-west-1/cluster-bbbbbbbbbbb --user CU:app_crypto --store file:credentials.age --store-passphrase prompt',
  ]
  static override flags = {
    ...targetFlags,
    config: Flags.string({ description: 'Merged configuration to use instead of a generated one.', helpValue: 'FILE' }),
    lock: runFlags.lock,
    ...storeFlags,
    ...utilityFlags,
    ...discoveryFlags,
  }

  async run(): Promise<RotationDocument> {
    const { flags } = await this.parse(RotateRecover)
    const target = await readTarget(flags, null, this.wiring)
    const lockForm = this.lockForm(flags)
    const store = await this.openStore(flags, await this.wiring.secrets())
    // A cluster that is gone for good can still be left out by name.
    const knownBefore = (await store.read('pending'))?.clusters ?? []
    const { chosen, config } = await this.find({ ...target, request: { ...target.request, knownBefore } }, flags.config)
    const lock = this.sharedLock(lockForm, flags, config.utility)
    const { locks, shelf, clock, refusedLogins } = await this.wiring.rotationPorts(lock, (text) => this.note(text))
    const { plainView } = await import('../../adapters/terminal/progress.js')
    // Plain lines: there are no stages that a list could show.
    const view = plainView((line) => this.note(line))
    // Nothing in hand has to be finished: what is not asked stays unknown.
    let begun: RotationId | null = null as RotationId | null
    const stop = await this.listenToLeave(
      () => begun,
      () => begun !== null,
    )
    const rotation = await recoverRotation(
      {
        chosen,
        users: target.users,
        config,
        commandMs: silenceLimits(flags, config.utility).commandMs,
      },
      {
        console: await this.console(flags, config, chosen.roster),
        refusedLogins,
        lockoutLimit: flags['lockout-limit'],
        concurrency: flags.concurrency,
        stop,
        locks,
        shelf: {
          ...shelf,
          create: async (facts) => {
            const created = await shelf.create(facts)
            begun = facts.rotationId
            return created
          },
          reopen: async (rotationId) => {
            const reopened = await shelf.reopen(rotationId)
            begun = rotationId
            return reopened
          },
        },
        store,
        clock,
        progress: view.progress,
        who: this.who(),
        version: this.config.version,
      },
    )
    const document = await this.showRotation(rotation)
    stop.release()
    return document
  }
}
