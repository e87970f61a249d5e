import { exitCodes } from '../../cli/exit-codes.js'
import { ReopenCommand, reopenFlags } from '../../cli/reopen-command.js'
import type { RotationDocument } from '../../domain/rotation/outcome.js'
import { resumeRotation } from '../../use-cases/rotation/open/resume.js'

export default class RotateResume extends ReopenCommand {
  static override summary = 'Go on with a rotation that stopped.'
  static override description =
    `Goes on in the direction the rotation had: forward, or back once a rollback was begun. What was proved is not done
again; what is not certain is repeated, which is harmless, and proved by a login.

${exitCodes({
  0: 'completed, or rolled back',
  1: 'unexpected failure; rotate status shows how things stand',
  2: 'a flag is wrong',
  3: 'refused; nothing has changed',
  4: 'paused again',
  5: 'another run works on one of the clusters',
  6: 'completed with debt: HSMs or clusters stayed behind, or were found since that had not been seen; or rolled back with debt or with cells that nobody could prove',
  130: 'interrupted before this run changed anything',
})}`
  static override examples = [
    '<%= config.bin %> <%= command.id %> --most-recent --officer admin --officer-password prompt --store file:credentials.age --store-passphrase prompt',
    '<%= config.bin %> <%= command.id %> --most-recent --officer admin --officer-password env:OFFICER --officer eu-west-1/cluster-bbbbbbbbbbb=eu_admin --officer-password eu-west-1/cluster-bbbbbbbbbbb=env:EU_OFFICER --store file:credentials.age --store-passphrase prompt',
  ]
  static override flags = reopenFlags

  protected readonly goesForward = true

  run(): Promise<RotationDocument> {
    return this.reopen(resumeRotation)
  }
}
