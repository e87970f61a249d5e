import { exitCodes } from '../../cli/exit-codes.js'
import { ReopenCommand, reopenFlags } from '../../cli/reopen-command.js'
import type { RotationDocument } from '../../domain/rotation/outcome.js'
import { rollbackRotation } from '../../use-cases/rotation/open/rollback.js'

export default class RotateRollback extends ReopenCommand {
  static override summary = 'Return every HSM to the old password.'
  static override description =
    `By a copy (syncUser, user replicate) from an HSM or a cluster that was not written to, for which nobody needs to know the
old password; or by a change (changePswd, user change-password) to the current credential that was proved at the start.
Accepted until the new credential begins to become the current one. Once begun, rotate resume goes on with the rollback.
A cluster that was written and is lost keeps it from ending, unless --allow-unreachable HSM --reason TEXT makes debts of its HSMs.

${exitCodes({
  0: 'every HSM is back on the old password',
  1: 'unexpected failure; rotate status shows how things stand',
  2: 'a flag is wrong',
  3: 'refused: too late, or there is no way back; nothing has changed',
  4: 'partly rolled back; rotate resume goes on',
  5: 'another run works on one of the clusters',
  6: 'rolled back, with cells that were given the old password without proof that they held it, or with debt',
  130: 'interrupted before this run changed anything',
})}`
  static override examples = [
    '<%= config.bin %> <%= command.id %> --most-recent --officer admin --officer-password prompt --store file:credentials.age --store-passphrase prompt',
    '<%= config.bin %> <%= command.id %> --most-recent --officer admin --officer-password env:OFFICER --officer eu-west-1/cluster-bbbbbbbbbbb=eu_admin --officer-password eu-west-1/cluster-bbbbbbbbbbb=env:EU_OFFICER --store file:credentials.age --store-passphrase prompt',
  ]
  static override flags = reopenFlags

  protected readonly goesForward = false

  run(): Promise<RotationDocument> {
    return this.reopen(rollbackRotation)
  }
}
