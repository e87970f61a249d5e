import { Flags } from '@oclif/core'
import { BaseCommand } from '../../cli/base-command.js'
import { exitCodes } from '../../cli/exit-codes.js'
import { parseRotationId } from '../../cli/rotation-flags.js'
import { followRotation } from '../../domain/rotation/follow-rotation.js'
import { exitCodeFor, type RotationDocument, rotationDocument } from '../../domain/rotation/outcome.js'
import { newestRotation } from '../../use-cases/rotation/find-rotation.js'

export default class RotateStatus extends BaseCommand {
  static override summary = 'Show which HSM holds which credential, as a rotation left it.'
  static override description = `Reads the journal alone; no HSM is asked. Without --rotation it is the newest one.

${exitCodes({
  0: 'completed, or rolled back',
  3: 'no such rotation',
  4: 'not finished; resume goes on with it',
  6: 'completed with debt',
})}`
  static override examples = [
    '<%= config.bin %> <%= command.id %>',
    '<%= config.bin %> <%= command.id %> --rotation r-20260301-031500-k7q2 --json',
  ]
  static override flags = {
    rotation: Flags.string({ description: 'Which rotation.', helpValue: 'ID' }),
  }

  async run(): Promise<RotationDocument> {
    const { flags } = await this.parse(RotateStatus)
    const shelf = await this.wiring.journals()
    const rotationId = flags.rotation === undefined ? await newestRotation(shelf) : parseRotationId(flags.rotation)
    const { ledger, torn } = await followRotation(shelf, rotationId)
    const document = rotationDocument(ledger.rotation())
    const { renderPause, renderRotation } = await import('../../cli/views/rotation.js')
    if (!this.jsonEnabled()) this.log(renderRotation(document))
    if (torn)
      this.note('the last line of the journal was cut off while it was written; what it announced was not begun')
    const pause = renderPause(document)
    if (pause !== null && !this.jsonEnabled()) this.note(pause)
    process.exitCode = exitCodeFor(document.outcome)
    return document
  }
}
